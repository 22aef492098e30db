// An answer on its way while the person goes elsewhere: another window, another note, another vault.

import { strict as assert } from "node:assert";
import { join } from "node:path";
import { answer, frame, json, stream } from "../scripted-daemon.mjs";

export async function elsewhere({ driver, page, daemon, harness }) {
  /** Holds an answer after its first word; returns how to let it go on, and whether the daemon still writes. */
  const hold = () => {
    let go;
    const held = new Promise((resolve) => { go = resolve; });
    const told = { go, open: false };
    daemon.scripts.set("/api/ask", async (response) => {
      told.open = true;
      response.on("close", () => { told.open = false; });
      stream(response).write(frame("delta", { text: "Half" }));
      await held;
      if (!response.destroyed) response.end(frame("delta", { text: answer.answer }) + frame("done", answer));
    });
    return told;
  };
  const closed = async (told) => {
    for (let n = 0; n < 200 && told.open; n++) await driver.pause();
    assert.equal(told.open, false, "the daemon still writes");
  };
  /** The text of a note in whichever window it is open. */
  const textOf = (path) => page.evaluate((at) => {
    const views = window.app.workspace.getLeavesOfType("markdown").map(({ view }) => view);
    return views.find(({ file }) => file.path === at)?.editor.getValue();
  }, path);
  const openInWindow = (path) => page.evaluate(async (at) => {
    window.popout = window.app.workspace.openPopoutLeaf();
    await window.popout.openFile(window.app.vault.getFileByPath(at));
  }, path);

  await driver.claim("with two windows an answer lands in the note it was asked in, wherever the person is by then", async () => {
    const told = hold();
    await driver.open("Note.md");
    await driver.typeAtEnd("\nWhy?");
    await driver.run("answer-here");
    await page.locator(".pai-pending-text", { hasText: "Half" }).waitFor();
    await openInWindow("Other.md");
    await page.evaluate(() => window.popout.view.editor.replaceRange("Typed in the other window. ", { line: 2, ch: 0 }));
    const other = await textOf("Other.md");
    told.go();
    await page.waitForSelector(".pai-pending", { state: "detached" });
    assert.match(await textOf("Note.md"), /Why\?\n\n> \[!quote\] Why\?\n/);
    assert.equal(await textOf("Other.md"), other);
    const before = await textOf("Note.md");
    daemon.scripts.clear();
    await driver.ask("Why?");
    await page.waitForSelector(".pai-answered-by");
    await page.click(".pai-insert");
    assert.match(await textOf("Other.md"), /> \[!quote\] Why\?/, "the panel inserts where the person was last");
    assert.equal(await textOf("Note.md"), before);
  });

  await driver.claim("a window closed while its answer comes stops the daemon, says so, and no note is written to", async () => {
    const told = hold();
    await page.evaluate(() => document.querySelectorAll(".notice").forEach((el) => el.remove()));
    const before = await textOf("Note.md");
    await page.evaluate(() => window.popout.view.editor.setCursor({ line: 2, ch: 0 }));
    await driver.run("answer-here");
    await page.waitForFunction(() => window.popout.view.containerEl.querySelector(".pai-pending-text")?.textContent === "Half");
    await page.evaluate(() => window.app.workspace.closePopout(window.popout));
    await page.locator(".notice", { hasText: "closed" }).waitFor();
    await closed(told);
    told.go();
    assert.equal(await textOf("Note.md"), before);
    daemon.scripts.clear();
  });

  await driver.claim("a vault closed while answers come stops both, and no note is written to", async () => {
    const told = hold();
    await driver.open("Note.md");
    await driver.ask("Why?");
    await page.locator(".pai-sentence", { hasText: "Half" }).waitFor();
    const { text } = await driver.note();
    await driver.run("answer-here");
    await page.locator(".pai-pending-text", { hasText: "Half" }).waitFor();
    await page.evaluate(() => window.plugin.unload());
    await closed(told);
    told.go();
    await page.evaluate(() => new Promise((resolve) => { window.setTimeout(resolve, 100); }));
    assert.equal((await driver.note()).text, text);
    daemon.scripts.clear();
  });

  await driver.claim("a vault switched while an answer comes: the other vault hears nothing of it", async () => {
    const told = hold();
    await driver.restart();
    await driver.bar("pai: ready");
    await driver.open("Note.md");
    await driver.run("answer-here");
    await page.locator(".pai-pending-text", { hasText: "Half" }).waitFor();
    const saves = harness.saves;
    const first = harness.vault;
    harness.vault = join(first, "..", "other-vault");
    await driver.restart();
    await driver.bar("pai: not running");
    await closed(told);
    told.go();
    await driver.open("Note.md");
    await driver.run("ask");
    const { text } = await driver.note();
    assert.equal(text, "# A note of the other vault\n");
    assert.equal(await page.locator(".pai-turn, .pai-pending").count(), 0);
    assert.deepEqual([harness.saves, await driver.notices()], [saves, []]);
    harness.vault = first;
    daemon.scripts.clear();
    await driver.restart();
    await driver.bar("pai: ready");
    await driver.open("Note.md");
  });

  await driver.claim("a mention is not linked in the note that the editor shows by the time the daemon answers", async () => {
    const mention = { text: "passage", line: 3, column_utf16: 2, start_char: 10, end_char: 17, target: "Other.md", title: "Other", link: "[[Other|passage]]", confidence: 0.95, sure: true, why: "its title" };
    let go = null;
    daemon.scripts.set("/api/links", (response) => { go = () => json(response, { path: "Note.md", content_hash: "h", revision: 1, mentions: [mention], suggestions: [] }); });
    await page.evaluate(() => window.app.workspace.getLeaf().view.editor.setCursor({ line: 2, ch: 5 }));
    await driver.run("link-mention");
    while (!go) await driver.pause();
    await driver.open("Twin.md");
    const { text } = await driver.note();
    await page.evaluate(() => window.app.workspace.getLeaf().view.editor.setCursor({ line: 2, ch: 5 }));
    go();
    await page.locator(".notice").first().waitFor();
    assert.equal((await driver.note()).text, text);
    daemon.scripts.clear();
  });
}
