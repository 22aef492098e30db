// Routines and proposed changes. They write into the vault, as they are asked to, so they come last.

import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const WORDS = "- The mounts of the engine are new.";

export async function acting({ driver, page, harness, post, broken }) {
  const read = (path) => readFileSync(join(harness.vault, path), "utf8");
  const days = () => readdirSync(harness.vault).filter((name) => /^\d{4}-\d\d-\d\d\.md$/.test(name));
  const offered = () => page.waitForFunction(() => window.app.offers("pai-daemon:run-routine"));

  await driver.claim("a routine is run by its command, and its section stands in the daily note", async () => {
    await driver.restart();
    await offered();
    const before = days();
    await driver.run("run-routine");
    await page.locator(".pai-suggestion", { hasText: "Line 2" }).waitFor();
    await driver.looks("routine");
    await page.keyboard.type("keep log");
    await page.locator(".pai-suggestion", { hasText: "Line 2" }).waitFor({ state: "detached" });
    await page.keyboard.press("Enter");
    await page.locator(".notice", { hasText: "Keep log: done." }).waitFor({ timeout: 60_000 });
    const [daily] = days().filter((name) => !before.includes(name));
    assert.ok(daily, "there is no note of today");
    await driver.restart();
    await driver.open(daily);
    const { text } = await driver.note();
    assert.match(text, /## Log\n\n> \[!summary\] Keep log\n/);
    assert.ok(text.includes(`[[${broken.path.replace(/\.md$/, "")}`), text);
    await driver.shot("daily");
  });

  await driver.claim("a routine that is wrong is listed with its line, and opens there", async () => {
    await offered();
    await driver.run("run-routine");
    await page.locator(".pai-suggestion", { hasText: "Line 2" }).click();
    await page.waitForFunction(() => window.app.workspace.getActiveFile()?.path === "Routines/Wrong.md");
    assert.equal((await driver.note()).line, 2);
  });

  await driver.claim("a proposed change is approved beside its diff, then taken back, and the note is as it was", async () => {
    const before = read(broken.path);
    await post("/api/actions", { kind: "append", path: broken.path, text: WORDS, why: "the survey" });
    await driver.run("proposals");
    const row = page.locator(".pai-proposal", { hasText: "the survey" });
    await row.locator(".pai-diff .is-added", { hasText: WORDS }).waitFor();
    assert.equal(read(broken.path), before, "it was written before anybody approved it");
    await driver.looks("proposals");
    await row.locator(".pai-approve").click();
    await row.locator(".pai-undo").waitFor();
    assert.equal(read(broken.path), `${before}\n${WORDS}\n`);
    await row.locator(".pai-undo").click();
    await row.locator(".pai-proposal-state", { hasText: "Taken back" }).waitFor();
    assert.equal(read(broken.path), before);
    await page.keyboard.press("Escape");
  });

  await driver.claim("a proposed change that is rejected writes nothing and is asked about no more", async () => {
    const before = read(broken.path);
    await post("/api/actions", { kind: "append", path: broken.path, text: WORDS, why: "another survey" });
    await driver.run("proposals");
    const row = page.locator(".pai-proposal", { hasText: "another survey" });
    await row.locator(".pai-reject").click();
    await row.locator(".pai-proposal-state", { hasText: "Rejected" }).waitFor();
    assert.equal(read(broken.path), before);
    await page.keyboard.press("Escape");
    await driver.run("proposals");
    await page.locator(".pai-empty", { hasText: "Nothing waits for you." }).waitFor();
    await page.keyboard.press("Escape");
  });
}
