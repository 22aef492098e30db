// Opens the dashboard of a running daemon in a browser and proves claim by claim what a person relies on.
// Settings by environment:
//   PAI_E2E_LINKS   links of `pai open`, by spaces: each logs in once
//   PAI_E2E_SHOTS   where screenshots go (optional)     PAI_E2E_QUESTION  a question that the vault answers
//   PAI_E2E_VAULT   the vault, which is taken away and put back
//   PAI_E2E_FACT    what the answer says                PAI_E2E_HOSTILE   a word of notes that try to break out

import { strict as assert } from "node:assert";
import { readFileSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Driver } from "./driver.mjs";

const { PAI_E2E_LINKS, PAI_E2E_SHOTS, PAI_E2E_QUESTION, PAI_E2E_FACT, PAI_E2E_HOSTILE, PAI_E2E_VAULT } = process.env;
assert.ok(PAI_E2E_LINKS && PAI_E2E_QUESTION && PAI_E2E_FACT && PAI_E2E_HOSTILE && PAI_E2E_VAULT, "set what is named above");
const [link, other] = PAI_E2E_LINKS.split(" ");
const origin = new URL(link).origin;
const installed = createRequire(join(dirname(fileURLToPath(import.meta.url)), "..", "..", "obsidian-plugin", "package.json"));
const axe = readFileSync(installed.resolve("axe-core/axe.min.js"), "utf8");

const driver = new Driver({ origin }, PAI_E2E_SHOTS);
await driver.start();
const { page } = driver;
const foreign = [];
page.on("request", (request) => {
  if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) foreign.push(request.url());
});

async function submitted(words, how) {
  await page.fill("#question", words);
  await page.click(`button[value=${how}]`);
  await page.waitForFunction(() => !document.querySelector("button[value=ask]").disabled);
}

/** Returns what axe-core finds wrong with the page as it is now. */
async function violations() {
  // Through the protocol: the page's own policy lets no script in, ours neither.
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => window.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

await driver.claim("a browser that is not logged in is told how, and shown nothing", async () => {
  await page.goto(origin);
  await page.waitForSelector("#login:not([hidden])");
  assert.match(await page.textContent("#login"), /pai open/);
  assert.equal(await page.textContent("#facts"), "");
  assert.deepEqual(await violations(), []);
});

await driver.claim("a link logs in, and the address keeps nothing of it", async () => {
  await page.goto(link);
  assert.equal(page.url(), `${origin}/`);
  await page.waitForSelector("#state[data-state=ready]");
  assert.match(await page.textContent("#facts"), /passages/);
  assert.equal(await page.isHidden("#login"), true);
});

await driver.claim("a link works once", async () => {
  await page.context().clearCookies();
  await page.goto(link);
  await page.waitForSelector("#login:not([hidden])");
  await page.goto(other);
  await page.waitForSelector("#state[data-state=ready]");
});

await driver.claim("scripts can't read the cookie", async () => {
  assert.equal(await page.evaluate(() => document.cookie), "");
});

await driver.claim("a question is answered with citations that open the note", async () => {
  await submitted(PAI_E2E_QUESTION, "ask");
  assert.ok((await page.textContent("#answer")).includes(PAI_E2E_FACT));
  const cited = await page.getAttribute("#answer a", "href");
  const passage = page.locator(cited);
  assert.match(await passage.locator("h3 a").getAttribute("href"), /^obsidian:\/\/open\?/);
  assert.ok((await passage.locator("mark").count()) > 0, "nothing is highlighted");
});

await driver.claim("how a question was read is said, and can be undone", async () => {
  await submitted("Which notes mention polonium and tungsten?", "ask");
  assert.match(await page.textContent("#only"), /Read as: mentioning polonium and tungsten/);
  await page.click("#only button");
  await page.waitForFunction(() => !/Looking/.test(document.querySelector("#told").textContent));
  assert.equal(await page.isHidden("#only"), true);
});

await driver.claim("words are searched, by the keyboard alone", async () => {
  await page.focus("#question");
  await page.fill("#question", PAI_E2E_FACT);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.value), "search");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /^\d+ passages?, /.test(document.querySelector("#told").textContent));
  assert.ok((await page.locator("#passages li").count()) > 0);
});

await driver.claim("a search tells which operators it read, and what only looked like one", async () => {
  await submitted(`${PAI_E2E_FACT} -path:Nowhere tags:bread`, "search");
  const told = await page.textContent("#told");
  assert.match(told, /Read as: -path:Nowhere/);
  assert.match(told, /tags: is searched as words; did you mean tag:\?/);
});

await driver.claim("a conversation goes on, and is ended", async () => {
  await page.click("#anew");
  await submitted(PAI_E2E_QUESTION, "ask");
  const sent = page.waitForRequest((request) => request.url().endsWith("/api/ask"));
  await submitted("And in a cold room?", "ask");
  const asked = JSON.parse((await sent).postData());
  assert.deepEqual(asked.history.map(({ role }) => role), ["user", "assistant"]);
  assert.equal(asked.history[0].content, PAI_E2E_QUESTION);
  assert.deepEqual(await page.locator("#talk li").allTextContents(), asked.history.map(({ content }) => content));
  await page.click("#anew");
  assert.equal(await page.isHidden("#talk"), true);
  await submitted(PAI_E2E_QUESTION, "ask");
  assert.equal(await page.locator("#talk li").count(), 0);
});

await driver.claim("what a question was limited to is shown, and taken away by a key", async () => {
  await page.click("#anew");
  await submitted(`${PAI_E2E_QUESTION} #kitchen`, "ask");
  assert.match(await page.textContent("#only"), /kitchen/);
  await page.focus("#only button");
  await page.keyboard.press("Enter");
  await page.waitForFunction((fact) => document.querySelector("#answer").textContent.includes(fact), PAI_E2E_FACT);
  await page.waitForFunction(() => !document.querySelector("button[value=ask]").disabled);
  assert.equal(await page.isHidden("#only"), true);
  assert.equal(await page.locator("#talk li").count(), 0);
});

await driver.claim("what waits is shown with its diff, approved and undone by the person", async () => {
  await page.evaluate(() => fetch("/api/actions", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ kind: "append", path: "Bread.md", text: "- <b>Salt</b> <img src=x onerror=window.broken=1>", why: "the recipe" }) }));
  await page.waitForSelector("#waiting:not([hidden]) .added");
  assert.match(await page.textContent("#waiting-list"), /Append to Bread\.md.*the recipe.*\+- <b>Salt<\/b>/s);
  assert.deepEqual(await violations(), []);
  await page.click("#waiting-list button:not(.quiet)");
  await page.waitForSelector("#waiting", { state: "hidden" });
  assert.match(await page.textContent("#acting-told"), /Bread\.md: applied/);
  await page.click("#acting-told button");
  await page.waitForFunction(() => document.querySelector("#acting-told").textContent.includes("undone"));
  assert.equal(await page.evaluate(() => window.broken), undefined);
});

await driver.claim("a routine is listed, run, and a wrong one shows its line", async () => {
  await page.waitForSelector("#routines tr");
  assert.match(await page.textContent("#routines"), /Sum.*daily at 7.*never run/s);
  assert.match(await page.textContent("#wrong"), /Routines\/Wrong\.md:2 .*wekday.*weekday/s);
  await page.click("#routines button");
  await page.waitForFunction(() => document.querySelector("#acting-told").textContent.includes("Sum: done"));
  assert.match(await page.textContent("#acting-told"), /sourdough/);
});

await driver.claim("models are shown, fetched with a bar, and a fetch is cancelled", async () => {
  assert.match(await page.textContent("#running"), /MiniLM/);
  await page.click("section[aria-labelledby=models-title] summary");
  const row = page.locator("#models tr", { hasText: "bge-small" }).first();
  const told = ["progress\ndata: " + JSON.stringify({ file: "model.onnx", done: 1, total: 2 }), "done\ndata: " + JSON.stringify({ model: "bge-small" })];
  await page.route("**/api/models/pull", (route) => route.fulfill({ contentType: "text/event-stream", body: told.map((each) => `event: ${each}\n\n`).join("") }));
  await row.locator("button").click();
  await page.waitForFunction(() => /is here/.test(document.querySelector("#models-told").textContent));
  await page.unroute("**/api/models/pull");
  await page.route("**/api/models/pull", () => {});
  await row.locator("button").click();
  await page.waitForSelector("#pull:not([hidden])");
  assert.deepEqual(await violations(), []);
  await page.click("#pull-end");
  await page.waitForFunction(() => /is not fetched/.test(document.querySelector("#models-told").textContent));
  assert.equal(await page.isHidden("#pull"), true);
  await page.unroute("**/api/models/pull");
});

/** Tells the daemon what to do with its index, as somebody who is logged in. */
function index(body) {
  return page.evaluate(async (asked) => {
    const reply = await fetch("/api/index", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked) });
    if (!reply.ok) throw new Error(await reply.text());
  }, body);
}

async function says(state, words) {
  await page.waitForFunction(([kind, start]) => {
    const at = document.querySelector("#state");
    return at.dataset.state === kind && at.textContent.startsWith(start);
  }, [state, words]);
}

await driver.claim("a daemon that was told to pause says so without alarm, and answers by words", async () => {
  await index({ pause: true });
  await says("paused", "paused");
  assert.deepEqual(await violations(), []);
  await driver.shot("dashboard-paused");
  await submitted(PAI_E2E_FACT, "search");
  assert.ok((await page.locator("#passages li").count()) > 0);
  await index({ pause: false });
  await says("ready", "ready");
});

await driver.claim("a vault that is gone is said to be missing, with its place, and is ready when it is back", async () => {
  const aside = `${PAI_E2E_VAULT}-aside`;
  renameSync(PAI_E2E_VAULT, aside);
  try {
    await index({});
    await says("error", "vault missing: ");
    assert.ok((await page.textContent("#state")).includes(PAI_E2E_VAULT));
    assert.deepEqual(await violations(), []);
    await driver.shot("dashboard-vault-missing");
  } finally {
    renameSync(aside, PAI_E2E_VAULT);
  }
  await index({});
  await says("ready", "ready");
});

for (const scheme of ["light", "dark"]) {
  await driver.claim(`axe-core finds nothing wrong, ${scheme}`, async () => {
    await page.emulateMedia({ colorScheme: scheme });
    await submitted(PAI_E2E_QUESTION, "ask");
    assert.deepEqual(await violations(), []);
    await driver.shot(`dashboard-${scheme}`);
  });
}

await driver.claim("it fits 380 pixels, also with long names", async () => {
  await page.setViewportSize({ width: 380, height: 800 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 380);
  await driver.shot("dashboard-small");
  await page.setViewportSize({ width: 1440, height: 860 });
});

await driver.claim("what a note says can't break out", async () => {
  const before = await page.evaluate(() => document.querySelectorAll("script, iframe, img, object, embed, style, base, form").length);
  let seen = 0;
  for (const how of ["search", "ask"]) {
    for (let part = 0; part < (how === "search" ? 20 : 4); part += 1) {
      await submitted(`${PAI_E2E_HOSTILE}${part}`, how);
      seen += await page.locator("#passages li").count();
      const state = await page.evaluate(() => ({
        broken: window.broken,
        elements: document.querySelectorAll("script, iframe, img, object, embed, style, base, form").length,
        handlers: [...document.querySelectorAll("*")].filter((each) => [...each.attributes].some(({ name }) => name.startsWith("on"))).length,
        links: [...document.querySelectorAll("a[href]")].map((each) => each.getAttribute("href")).filter((href) => !/^(#|obsidian:\/\/open\?)/.test(href)),
      }));
      assert.deepEqual(state, { broken: undefined, elements: before, handlers: 0, links: [] });
    }
  }
  assert.ok(seen >= 200, `only ${seen} hostile passages were shown`);
  assert.match(await page.textContent("#problems"), /hostile/i);
});

await driver.claim("nothing was asked of any other address, and the page said nothing on its console", async () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(driver.noise, []);
});

await driver.stop();
console.log(`${driver.passed} claims hold, ${driver.failed} do not`);
process.exit(driver.failed ? 1 : 0);
