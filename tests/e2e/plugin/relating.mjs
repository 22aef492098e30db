// Notes near a note or a paragraph.

import { strict as assert } from "node:assert";

export async function relating({ driver, page, harness, question, first, second }) {
  await driver.claim("related notes are listed with why, and follow the active note", async () => {
    await driver.open(first);
    await driver.run("related");
    const heading = page.locator(".pai-related .pai-heading");
    const name = (path) => path.split("/").pop().replace(/\.md$/, "");
    await heading.filter({ hasText: `Related to ${name(first)}` }).waitFor();
    const listed = () => page.locator(".pai-related .pai-row-place").allTextContents();
    const here = await listed();
    assert.ok(here.length > 0, "no related note");
    assert.ok((await page.locator(".pai-related .pai-row-detail").first().textContent()).length > 0, "no reason is given");
    await driver.shot("related");
    await driver.open(second);
    await heading.filter({ hasText: `Related to ${name(second)}` }).waitFor();
    assert.notDeepEqual(await listed(), here);
  });

  await driver.claim("a related note can be linked at the cursor and opened", async () => {
    const row = page.locator(".pai-related .pai-row").first();
    const { text } = await driver.note();
    await row.hover();
    await row.locator(".pai-row-insert").click();
    assert.match((await driver.note()).text.replace(text, ""), /^\[\[[^\]]+\]\]$/);
    const title = await row.locator(".pai-row-place").textContent();
    await row.locator(".pai-row-place").click();
    await page.waitForFunction((path) => window.app.workspace.getActiveFile().path !== path, second);
    assert.notEqual(title, "");
  });

  await driver.claim("related notes follow the paragraph at the cursor, where the person wants it", async () => {
    await driver.open(first);
    await page.click(".pai-follow");
    await page.locator(".pai-follow", { hasText: "Follow the note" }).waitFor();
    await driver.typeAtEnd(`\n\n${question} That is what this new paragraph is about.`);
    await page.locator(".pai-related .pai-heading", { hasText: "Related to this paragraph" }).waitFor();
    const near = harness.asked.filter((one) => one.startsWith("/api/related?text=")).pop();
    assert.ok(new URLSearchParams(near.split("?")[1]).get("text").startsWith(question), near);
    assert.ok(!(await page.locator(".pai-related .pai-row-words").allTextContents()).join().includes("this new paragraph"));
    await driver.shot("paragraph");
    await page.click(".pai-follow");
    await page.locator(".pai-related .pai-heading", { hasText: "Related to" }).waitFor();
  });

  await driver.claim("a related note is opened from a list by keyboard alone", async () => {
    await driver.open(second);
    await driver.run("open-related");
    await page.waitForSelector(".suggestion-item");
    const title = await page.locator(".suggestion-item .pai-row-place").nth(1).textContent();
    await page.keyboard.press("ArrowDown");
    await page.locator(".suggestion-item.is-selected .pai-row-place", { hasText: title }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForFunction((path) => window.app.workspace.getActiveFile().path !== path, second);
  });
}
