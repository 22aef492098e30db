// Searching while one types.

import { strict as assert } from "node:assert";

export async function searching({ driver, page, harness, question, first, second }) {
  /** Waits until the daemon was asked so, and the list is drawn; returns what was asked. */
  const settled = async (isMeant) => {
    for (;;) {
      const asked = harness.asked.filter((one) => one.startsWith("/api/search?")).map((one) => new URLSearchParams(one.split("?")[1]));
      const found = asked.find(isMeant);
      if (found) {
        await page.waitForSelector(".suggestion-item .pai-row-detail");
        return found;
      }
      await driver.pause();
    }
  };

  await driver.claim("search by meaning lists passages and opens the chosen one at its line", async () => {
    await driver.restart();
    await driver.open(first);
    await driver.run("search");
    await page.locator(".prompt-input").pressSequentially(question.slice(0, 40), { delay: 15 });
    await page.waitForSelector(".suggestion-item .pai-row-detail");
    await settled((asked) => asked.get("q") === question.slice(0, 40));
    await driver.shot("search");
    const [, path, line] = /^(.*) · Lines? (\d+)/.exec(await page.locator(".suggestion-item .pai-row-detail").first().textContent());
    await page.press(".prompt-input", "Enter");
    await page.waitForFunction((wanted) => window.app.workspace.getActiveFile()?.path === wanted, path);
    assert.equal((await driver.note()).line, Number(line));
  });


  await driver.claim("earlier searches are offered first, and searched again", async () => {
    await driver.run("search");
    assert.equal(await page.locator(".suggestion-item .pai-recent").first().textContent(), question.slice(0, 40));
    await page.press(".prompt-input", "Enter");
    await page.waitForSelector(".suggestion-item .pai-row-words");
    assert.equal(await page.inputValue(".prompt-input"), question.slice(0, 40));
  });

  await driver.claim("a result opens in a new pane with Mod+enter, and is linked at the cursor with Alt+enter", async () => {
    const wanted = () => page.evaluate(() => window.app.workspace.wanted.length);
    const before = await wanted();
    await page.press(".prompt-input", "Control+Enter");
    await page.waitForFunction((count) => window.app.workspace.wanted.length > count, before);
    await page.waitForSelector(".prompt-input", { state: "detached" });
    await driver.open(first);
    const { text } = await driver.note();
    await driver.run("search");
    await page.press(".prompt-input", "Enter");
    await page.waitForSelector(".suggestion-item .pai-row-words");
    await page.press(".prompt-input", "Alt+Enter");
    await page.waitForFunction((old) => window.app.workspace.getLeaf().view.editor.getValue() !== old, text);
    assert.match((await driver.note()).text, /\[\[[^\]]+\]\]/);
    assert.equal((await driver.note()).path, first);
  });

  await driver.claim("operators are sent as they were typed, narrow the list, and what is none is said above it", async () => {
    await driver.run("search");
    const typed = `${question} path:"${second}"`;
    await page.fill(".prompt-input", typed);
    const sent = await settled((asked) => asked.get("q") === typed);
    assert.deepEqual([sent.get("path"), sent.get("typing")], [null, "true"]);
    const places = page.locator(".suggestion-item .pai-row-detail");
    await places.filter({ hasText: second }).first().waitFor();
    for (const place of await places.allTextContents()) assert.ok(place.startsWith(`${second} · `), place);
    assert.equal(await page.locator(".pai-notices").textContent(), "");
    await page.fill(".prompt-input", `${question} since:never`);
    await page.locator(".pai-notices", { hasText: "since:never is searched as words" }).waitFor();
    await page.fill(".prompt-input", "");
    await page.locator(".suggestion-item .pai-recent").first().waitFor();
    assert.equal(await page.locator(".pai-notices").textContent(), "");
    await page.keyboard.press("Escape");
  });
}
