// Asking in the side panel and in a note.

import { strict as assert } from "node:assert";

export async function asking({ driver, page, harness, daemon, address, question, first, short }) {
  await driver.claim("an answer streams into the side panel with citations, sources and who answered", async () => {
    const streamed = page.waitForResponse((reply) => reply.url() === `${address}/api/ask` && reply.request().method() === "POST");
    await driver.open(first);
    await driver.ask(question);
    await page.waitForSelector(".pai-answered-by");
    assert.match((await (await streamed).allHeaders())["content-type"], /text\/event-stream/);
    assert.ok(!harness.proxied.includes("/api/ask"), "the answer did not stream");
    assert.ok((await page.locator(".pai-answer .pai-cite").count()) > 0, "no citation in the answer");
    assert.ok((await page.locator(".pai-sources .pai-row.is-cited").count()) > 0, "no source is marked as cited");
  });

  await driver.claim("a citation opens its note at its line", async () => {
    const marker = page.locator(".pai-answer .pai-cite").first();
    const detail = await page.locator(`.pai-sources [data-n="${await marker.textContent()}"] .pai-row-detail`).textContent();
    const [, path, line] = /^(.*) · Lines? (\d+)/.exec(detail);
    await marker.click();
    await page.waitForFunction((wanted) => window.app.workspace.getActiveFile()?.path === wanted, path);
    assert.equal((await driver.note()).line, Number(line));
    await driver.shot("ask");
  });

  await driver.claim("an answer can be copied and inserted as a callout with wikilinks", async () => {
    await page.click(".pai-copy");
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /\[\[[^\]]+\|1\]\]/);
    const { text } = await driver.note();
    await page.click(".pai-insert");
    const after = (await driver.note()).text;
    assert.ok(after.length > text.length && /\n> \[!quote\] /.test(after), "no callout was inserted");
  });

  await driver.claim("an answer comes without streaming where the browser refuses the stream", async () => {
    await page.route("**/api/ask", (route) => route.abort());
    await driver.ask(question);
    await page.waitForSelector(".pai-answered-by");
    assert.ok(harness.proxied.includes("/api/ask"));
    await page.unroute("**/api/ask");
  });

  await driver.claim("a sentence without support, a source changed since, a warning and a remote generator are marked", async () => {
    const told = await daemon("/api/search", { q: question, limit: "1" });
    const citations = [{ n: 1, ...told.results[0], stale: true }];
    const sentences = [
      { text: "This stands in a note.", citations: [1], supported: true },
      { text: "This does not.", citations: [], supported: false },
    ];
    const answer = "This stands in a note. [1] This does not.";
    const rest = { generator: { name: "some-model", location: "remote" }, stages: ["search"], warnings: ["Only part of the vault was searched."] };
    const done = { question, answer, found: true, sentences, citations, ...rest, revision: 1, took_ms: 1500 };
    await page.route("**/api/ask", (route) => route.fulfill({
      headers: { "Content-Type": "text/event-stream", "Access-Control-Allow-Origin": harness.origin },
      body: `event: delta\ndata: ${JSON.stringify({ text: answer })}\n\nevent: done\ndata: ${JSON.stringify(done)}\n\n`,
    }));
    await driver.ask(question);
    await page.waitForSelector(".pai-answered-by.is-remote");
    assert.equal(await page.locator(".pai-sentence.is-unsupported").textContent(), "This does not.");
    assert.equal(await page.locator(".pai-sources .pai-badge").textContent(), "Changed since");
    await page.getByText("Only part of the vault was searched.").waitFor();
    await driver.shot("marks");
    await page.unroute("**/api/ask");
  });

  await driver.claim("an answer can be stopped", async () => {
    await driver.delayAnswers(5_000);
    await driver.ask(question);
    await page.click(".pai-stop");
    await page.getByText("Stopped before the end").waitFor();
    assert.ok(await page.locator(".pai-send").isVisible());
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });

  await driver.claim("a follow-up is asked with what was said before, and earlier turns stay in sight", async () => {
    await driver.ask(question);
    await page.waitForSelector(".pai-answered-by");
    const asked = page.waitForRequest("**/api/ask");
    await driver.ask("And every month?", { goesOn: true });
    const { history } = (await asked).postDataJSON();
    assert.deepEqual(history.map(({ role }) => role), ["user", "assistant"]);
    assert.equal(history[0].content, question);
    assert.doesNotMatch(history[1].content, /\[\d+\]/);
    await page.locator(".pai-turn:nth-child(2) .pai-answered-by").waitFor();
    assert.deepEqual(await page.locator(".pai-question").allTextContents(), [question, "And every month?"]);
    assert.equal(await page.locator("details.pai-sources[open]").count(), 1, "the sources of the earlier turn are not folded");
    await driver.shot("conversation");
  });

  await driver.claim("the last turn can be asked again in its place", async () => {
    const asked = page.waitForRequest("**/api/ask");
    await page.click(".pai-retry");
    const { question: again, history } = (await asked).postDataJSON();
    assert.deepEqual([again, history.length], ["And every month?", 2]);
    await page.locator(".pai-turn:nth-child(2) .pai-answered-by").waitFor();
    assert.equal(await page.locator(".pai-turn").count(), 2);
  });

  await driver.claim("a conversation outlives its panel and becomes a note, then a new one begins", async () => {
    await page.evaluate(() => window.app.workspace.closeType("pai-daemon-ask"));
    await driver.run("ask");
    assert.equal(await page.locator(".pai-turn").count(), 2);
    await page.click(".pai-save");
    await page.waitForFunction(() => window.app.workspace.getLeaf().view.editor?.getValue().startsWith("## "));
    const { path, text } = await driver.note();
    assert.ok(path.startsWith(question.slice(0, 12)), path);
    assert.ok(text.startsWith(`## ${question}\n`) && text.includes("\n## And every month?\n") && /\n1\. \[\[/.test(text), text);
    await page.click(".pai-new");
    assert.equal(await page.locator(".pai-turn").count(), 0);
  });

  await driver.claim("what a question was read as is said, and one click asks without it", async () => {
    await driver.ask("Which notes did I change today?");
    await page.locator(".pai-narrowed", { hasText: "since 2" }).waitFor();
    const asked = page.waitForRequest("**/api/ask");
    await page.click(".pai-as-asked");
    assert.equal((await asked).postDataJSON().as_asked, true);
    await page.waitForSelector(".pai-answered-by");
    assert.equal(await page.locator(".pai-narrowed").count(), 0);
  });

  await driver.claim("Answer here puts a callout with wikilinks below the question, in one undo step", async () => {
    await driver.restart();
    await driver.open(short);
    await driver.ask(question);
    await page.waitForSelector(".pai-answered-by");
    await driver.typeAtEnd(`\n\n${question}`);
    const asked = (await driver.note()).text;
    await driver.run("answer-here");
    await page.waitForFunction((length) => window.app.workspace.getLeaf().view.editor.getValue().length > length, asked.length);
    const answered = (await driver.note()).text;
    assert.ok(answered.startsWith(`${asked}\n\n> [!quote] `), "the callout is not below the question");
    assert.match(answered.slice(asked.length), /\n> .*\[\[[^\]]+\|1\]\][\s\S]*\n> 1\. \[\[[^\]]+\]\]/);
    await driver.shot("answer-here");
    await page.locator(".cm-content").focus();
    await page.keyboard.press("Control+z");
    assert.equal((await driver.note()).text, asked);
  });

  await driver.claim("Answer here changes nothing before it is whole, and escape stops it", async () => {
    await driver.delayAnswers(5_000);
    const { text } = await driver.note();
    await driver.run("answer-here");
    await page.waitForSelector(".pai-pending");
    assert.equal((await driver.note()).text, text);
    await driver.shot("answering");
    await page.locator(".cm-content").focus();
    await page.keyboard.press("Escape");
    await page.waitForSelector(".pai-pending", { state: "detached" });
    assert.equal((await driver.note()).text, text);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });
}
