// Links that a note could have, and those that lead nowhere.

import { strict as assert } from "node:assert";

function linked(text, mentions) {
  const lines = text.split("\n");
  for (const { line, column_utf16: column, text: words, link } of [...mentions].sort((a, b) => b.column_utf16 - a.column_utf16)) {
    const old = lines[line - 1];
    assert.equal(old.slice(column, column + words.length), words, "the daemon's span does not hold the mention");
    lines[line - 1] = old.slice(0, column) + link + old.slice(column + words.length);
  }
  return lines.join("\n");
}


export async function linking({ driver, page, mentioned, broken, short, question }) {
  await driver.claim("an accepted mention is wrapped in a link exactly where it stands", async () => {
    await driver.open(mentioned.path);
    const { text } = await driver.note();
    await driver.suggestLinks();
    await page.waitForSelector(".pai-accept");
    await driver.shot("suggest-links");
    await page.locator(".pai-accept").first().click();
    assert.equal((await driver.note()).text, linked(text, mentioned.mentions.slice(0, 1)));
  });

  await driver.claim("all mentions are linked at once, and one undo takes all back", async () => {
    await driver.open(mentioned.path);
    const { text } = await driver.note();
    await driver.suggestLinks();
    await page.click(".pai-accept-all");
    assert.equal((await driver.note()).text, linked(text, mentioned.mentions));
    await page.locator(".cm-content").focus();
    await page.keyboard.press("Control+z");
    assert.equal((await driver.note()).text, text);
  });

  await driver.claim("a mention whose text has changed meanwhile is not touched", async () => {
    await driver.suggestLinks();
    await page.waitForSelector(".pai-accept");
    const { line } = mentioned.mentions[0];
    await page.evaluate((at) => window.app.workspace.getLeaf().view.editor.replaceRange("~ ", { line: at - 1, ch: 0 }), line);
    const { text } = await driver.note();
    await page.locator(".pai-accept").first().click();
    assert.equal((await driver.note()).text, text);
    assert.match((await driver.notices()).join(), /no longer stands/);
  });


  await driver.claim("the mention at the cursor is linked by a command", async () => {
    await driver.open(mentioned.path);
    const { text } = await driver.note();
    const [{ line, column_utf16: column, text: words }] = mentioned.mentions;
    await page.evaluate(([at, ch]) => window.app.workspace.getLeaf().view.editor.setCursor({ line: at, ch }), [line - 1, column + words.length - 1]);
    await driver.run("link-mention");
    await page.waitForFunction((old) => window.app.workspace.getLeaf().view.editor.getValue() !== old, text);
    assert.equal((await driver.note()).text, linked(text, mentioned.mentions.slice(0, 1)));
  });

  await driver.claim("a link refused is never suggested again between these notes, also after a restart", async () => {
    await driver.open(mentioned.path);
    await driver.suggestLinks();
    const listed = () => page.locator(".pai-link-row .pai-row-detail").allTextContents();
    const before = await listed();
    await page.locator(".pai-never").first().click();
    await page.waitForFunction((count) => document.querySelectorAll(".pai-link-row").length < count, before.length);
    const after = await listed();
    await driver.restart();
    await driver.open(mentioned.path);
    await driver.suggestLinks();
    assert.deepEqual(await listed(), after);
    await page.evaluate(async () => { await window.plugin.daemon.refuse(await window.plugin.daemon.refused(), { undo: true }); });
  });

  await driver.claim("a link that leads nowhere is repaired where it stands, its heading and words kept", async () => {
    await driver.open(broken.path);
    await driver.suggestLinks();
    await page.locator(".pai-broken .pai-repair").first().click();
    const { text } = await driver.note();
    assert.ok(text.includes(`[[${broken.meant}#Part|the one]]`), text);
    await driver.shot("links");
    await page.locator(".pai-broken .pai-repair").first().click();
    const again = (await driver.note()).text;
    assert.match(again, /\[in Markdown\]\((?!Lost)[^)]+\.md#Part\)/);
    assert.ok(decodeURI(again).includes(`${broken.meant}.md#Part)`), again);
  });

  await driver.claim("mentions are underlined where that is switched on, and not before", async () => {
    await driver.open(mentioned.path);
    assert.equal(await page.locator(".pai-mention").count(), 0);
    await page.evaluate(() => window.plugin.change({ underline: true }));
    const marks = page.locator(".pai-mention");
    await marks.first().waitFor();
    const words = mentioned.mentions.filter(({ sure }) => sure).map(({ text }) => text);
    for (const text of await marks.allTextContents()) assert.ok(words.includes(text), text);
    await driver.shot("underlines");
    const { line } = mentioned.mentions.find(({ sure }) => sure);
    const before = await marks.count();
    await page.evaluate((at) => {
      const { editor } = window.app.workspace.getLeaf().view;
      editor.replaceRange("", { line: at - 1, ch: 0 }, { line: at - 1, ch: editor.getLine(at - 1).length });
    }, line);
    await page.waitForFunction((count) => document.querySelectorAll(".pai-mention").length < count, before);
    await page.evaluate(() => window.plugin.change({ underline: false }));
    await marks.first().waitFor({ state: "detached" });
  });

  await driver.claim("a link is completed by meaning behind characters of its own", async () => {
    await driver.open(short);
    await driver.typeAtEnd(`\n\nSee ;;${question.slice(0, 30)}`);
    await page.waitForSelector(".suggestion-container .suggestion-item");
    await driver.shot("completion");
    await page.locator(".cm-content").press("Enter");
    await page.waitForSelector(".suggestion-container", { state: "detached" });
    assert.match((await driver.note()).text.split("\n").pop(), /^See \[\[[^\]]+\]\]$/);
  });
}
