// How the daemon stands, and what to do where it does not.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";

export async function standing({ driver, page, harness, daemon, question, first, tokenFile, records }) {
  await driver.claim("the status names the model, the counts and where answers are written", async () => {
    await page.click(".pai-status");
    const facts = await page.locator(".pai-facts").textContent();
    const { model, generator, notes } = await daemon("/api/status", {});
    for (const wanted of [model.name, generator.name, notes.toLocaleString("en-GB")]) assert.ok(facts.includes(wanted), `${wanted} is missing`);
    await driver.shot("status");
    await page.click(".pai-reindex");
    await page.getByText("looking at your notes again").waitFor();
    await page.keyboard.press("Escape");
  });

  await driver.claim("a hint, a loss in doubt and another version are said, each with what one click does", async () => {
    const told = await daemon("/api/status", {});
    const hints = [{ code: "language_not_covered", message: "Your notes are in German.", command: "pai models use e5" }];
    const held = { ...told, version: "9.0.0", state: "held", message: "9 of 10 notes are gone.", hints };
    harness.replies.set("/api/status", held).set("/api/index", { accepted: true, revision: 1 });
    await driver.restart();
    await driver.bar("pai: waiting for you");
    await page.click(".pai-status");
    await page.getByText("9 of 10 notes are gone.").waitFor();
    await driver.shot("remedies");
    await page.locator(".pai-trouble", { hasText: "German" }).locator(".is-copy").click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "pai models use e5");
    await page.locator(".pai-trouble", { hasText: "9.0.0" }).locator(".pai-command", { hasText: "pai plugin install" }).waitFor();
    await page.click(".pai-remedy.is-believe");
    await page.getByText("looking at your notes again").waitFor();
    harness.replies.set("/api/status", { ...held, state: "ready", message: null });
    await page.keyboard.press("Escape");
    await driver.run("status");
    await driver.bar("pai: version mismatch");
    harness.replies.clear();
  });

  await driver.claim("a wrong token is said with what to do, and the right one is taken up without a restart", async () => {
    harness.overrides.set(tokenFile, "wrong");
    await driver.restart();
    await driver.bar("pai: token refused");
    assert.deepEqual(await driver.notices(), []);
    await driver.ask(question);
    await page.locator(".pai-error-what", { hasText: "refused the token" }).waitFor();
    assert.notEqual(await page.locator(".pai-error-next").textContent(), "");
    await driver.shot("wrong-token");
    harness.overrides.clear();
    await driver.comeBack();
    await driver.bar("pai: ready");
  });

  await driver.claim("a daemon that is down is said quietly with how to start it, and found again when it is back", async () => {
    for (const path of records) harness.overrides.set(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), url: "http://127.0.0.1:9" }));
    await driver.restart();
    await driver.bar("pai: not running");
    assert.deepEqual(await driver.notices(), []);
    await driver.open(first);
    await driver.run("related");
    await driver.ask(question);
    await page.locator(".pai-ask .pai-error-next", { hasText: "scripts/start" }).waitFor();
    await driver.shot("daemon-down");
    harness.overrides.clear();
    await driver.comeBack();
    await driver.bar("pai: ready");
    await driver.ask(question);
    await page.waitForSelector(".pai-answered-by");
  });
}
