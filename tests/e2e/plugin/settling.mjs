// Settings, languages, looks, and the end.

import { strict as assert } from "node:assert";

export async function settling({ driver, page, harness, token, question, first }) {
  await driver.claim("a pasted token goes to the secret storage and not into the vault's settings", async () => {
    await page.evaluate(() => {
      window.app.settingTab.display();
      const frame = document.body.createDiv({ cls: "modal-container" });
      frame.createDiv({ cls: "modal" }).append(window.app.settingTab.containerEl);
    });
    await driver.shot("settings");
    await page.fill('input[type="password"]', token);
    await page.fill('input[type="range"] >> nth=0', "7");
    while (harness.data?.sources !== 7) await driver.pause();
    assert.ok(!JSON.stringify(harness.data).includes(token));
    await page.getByRole("button", { name: "Test" }).click();
    await page.locator(".setting-item-description", { hasText: "Connected: " }).waitFor();
    await page.evaluate(() => localStorage.clear());
  });

  await driver.claim("each vault has switches of its own, kept in it and obeyed at once and at its next start", async () => {
    const row = (name) => page.locator(".setting-item", { has: page.getByText(name, { exact: true }) }).locator("input");
    const bar = page.locator(".pai-status");
    await row("Status bar").uncheck();
    await bar.waitFor({ state: "hidden" });
    await row("Related notes at start").check();
    await row("Characters that suggest links").fill("");
    while (harness.data?.trigger !== "") await driver.pause();
    await driver.restart();
    await page.locator(".pai-related").waitFor();
    assert.equal(await bar.isVisible(), false);
    await driver.open(first);
    await driver.typeAtEnd(`\n\n;;${question.slice(0, 30)}`);
    await page.evaluate(() => new Promise((resolve) => { window.setTimeout(resolve, 400); }));
    assert.equal(await page.locator(".suggestion-container").count(), 0);
    harness.data = null;
    await driver.restart();
    await driver.bar("pai: ready");
    assert.deepEqual([await bar.isVisible(), await page.locator(".pai-related").count()], [true, 0]);
  });

  await driver.claim("the app's language is the plugin's", async () => {
    await page.evaluate(() => localStorage.setItem("language", "de"));
    await driver.restart();
    await driver.bar("pai: bereit");
    const names = await page.evaluate(() => [...window.app.commands.values()].map(({ name }) => name));
    assert.ok(names.some((name) => name.endsWith(": Den Vault fragen")), names.join());
    await driver.open(first);
    await driver.run("related");
    await page.locator(".pai-related .pai-heading", { hasText: "Verwandt mit " }).waitFor();
    await driver.run("ask");
    await driver.shot("german");
    await page.evaluate(() => localStorage.clear());
  });

  await driver.claim("every view fits a dark theme and a narrow side", async () => {
    await driver.restart();
    await page.evaluate(() => document.body.classList.add("theme-dark", "is-narrow"));
    await driver.open(first);
    await driver.run("related");
    await page.waitForSelector(".pai-related .pai-row");
    await driver.ask(question);
    await page.waitForSelector(".pai-answered-by");
    const wide = await page.evaluate(() => {
      const side = document.querySelector(".side");
      return [...side.querySelectorAll("*")].filter((el) => el.scrollWidth > el.clientWidth + 1 && getComputedStyle(el).display !== "inline").map((el) => el.className);
    });
    assert.deepEqual(wide.filter((name) => String(name).startsWith("pai-")), []);
    await driver.shot("dark-narrow");
  });

  await driver.claim("an unloaded plugin leaves nothing behind", async () => {
    await driver.restart();
    await driver.open(first);
    await driver.run("related");
    await driver.run("ask");
    const left = await page.evaluate(async () => {
      window.plugin.unload();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { commands, workspace } = window.app;
      return { commands: commands.size, listeners: workspace.count(), elements: document.querySelectorAll("[class*='pai-']").length };
    });
    // One listener is the page's own list of notes.
    assert.deepEqual(left, { commands: 0, listeners: 1, elements: 0 });
  });
}
