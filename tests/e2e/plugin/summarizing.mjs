// Summaries and comparisons in the ask panel.

import { strict as assert } from "node:assert";

export async function summarizing({ driver, page, address, first, second }) {
  const written = () => page.locator(".pai-turn:last-child .pai-answered-by").waitFor();

  await driver.claim("a note is summarised in the ask panel with its sources, and the summary can be inserted", async () => {
    await driver.restart();
    await driver.open(first);
    const streamed = page.waitForResponse((reply) => reply.url() === `${address}/api/summarize` && reply.request().method() === "POST");
    await driver.run("summarize-note");
    await written();
    assert.match((await (await streamed).allHeaders())["content-type"], /text\/event-stream/);
    assert.match(await page.locator(".pai-turn:last-child .pai-question").textContent(), /^Summary of /);
    assert.ok((await page.locator(".pai-turn:last-child .pai-row.is-cited").count()) > 0, "no source is cited");
    assert.doesNotMatch(await page.locator(".pai-turn:last-child .pai-answer").textContent(), /\[\[/);
    const { text } = await driver.note();
    await page.click(".pai-turn:last-child .pai-insert");
    const after = (await driver.note()).text;
    assert.match(after, /> \[!quote\] Summary of /);
    const properties = /^---\n[\s\S]*?\n---\n/.exec(text)?.[0] ?? "";
    assert.ok(after.startsWith(properties), "the properties of the note are broken");
    await driver.looks("summary");
  });

  await driver.claim("a folder is summarised, and so are the notes of a tag that is typed", async () => {
    await driver.open(first);
    const folder = page.waitForRequest("**/api/summarize");
    await driver.run("summarize-folder");
    const { path, note } = (await folder).postDataJSON();
    assert.deepEqual([path ?? "", note], [first.split("/").slice(0, -1).join("/"), undefined]);
    await written();
    const tagged = page.waitForRequest("**/api/summarize");
    await driver.run("summarize-tag");
    await page.keyboard.type("#loose");
    await page.locator(".pai-suggestion", { hasText: "#loose" }).waitFor();
    await page.keyboard.press("Enter");
    assert.equal((await tagged).postDataJSON().tag, "loose");
  });

  await driver.claim("two notes are compared, the second chosen from a list by keyboard", async () => {
    await driver.restart();
    await driver.open(first);
    const asked = page.waitForRequest("**/api/compare");
    await driver.run("compare");
    await page.keyboard.type(second.replace(/\.md$/, ""));
    await page.locator(".pai-suggestion").first().waitFor();
    await page.keyboard.press("Enter");
    assert.deepEqual((await asked).postDataJSON(), { first, second, stream: true });
    await written();
    await driver.shot("comparison");
  });
}
