// Runs the shipped plugin in a browser against a running daemon and proves claim by
// claim what a person relies on. Settings by environment:
//   PAI_E2E_VAULT   the vault the daemon serves       PAI_E2E_CONFIG    its configuration folder
//   PAI_E2E_DAEMON  the daemon's address               PAI_E2E_PORT      port of the page; its origin must be allowed
//   PAI_E2E_SHOTS   where screenshots go (optional)    PAI_E2E_QUESTION  a question the vault answers (optional)

import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Driver } from "./driver.mjs";
import { fingerprint, Harness } from "./harness.mjs";

const { PAI_E2E_VAULT, PAI_E2E_CONFIG, PAI_E2E_DAEMON, PAI_E2E_PORT, PAI_E2E_SHOTS } = process.env;
assert.ok(PAI_E2E_VAULT && PAI_E2E_CONFIG && PAI_E2E_DAEMON, "set PAI_E2E_VAULT, PAI_E2E_CONFIG and PAI_E2E_DAEMON");
const question = process.env.PAI_E2E_QUESTION ?? "How do I make a task repeat every week?";

const harness = new Harness(PAI_E2E_VAULT, PAI_E2E_CONFIG);
const tokenFile = join(harness.config, "token");
const token = readFileSync(tokenFile, "utf8").trim();
const records = readdirSync(join(harness.config, "daemons")).map((name) => join(harness.config, "daemons", name));
const before = fingerprint(harness.vault);

async function daemon(path, query) {
  const reply = await fetch(`${PAI_E2E_DAEMON}${path}?${new URLSearchParams(query)}`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(reply.status, 200, `${path} answered ${reply.status}`);
  return reply.json();
}

/** Returns the note with the most mentions, among the first notes of the vault, and its mentions. */
async function noteWithMentions() {
  let best = { path: "", mentions: [] };
  for (const path of harness.setup().files.filter((file) => file.endsWith(".md")).slice(0, 60)) {
    const { mentions } = await daemon("/api/links", { path });
    const lines = new Set(mentions.map((mention) => mention.line));
    if (lines.size > 1 && mentions.length > best.mentions.length && mentions.length <= 12) best = { path, mentions };
  }
  assert.ok(best.path, "no note of this vault mentions another without linking it");
  return best;
}

function linked(text, mentions) {
  const lines = text.split("\n");
  for (const { line, column_utf16: column, text: words, link } of [...mentions].sort((a, b) => b.column_utf16 - a.column_utf16)) {
    const old = lines[line - 1];
    assert.equal(old.slice(column, column + words.length), words, "the daemon's span does not hold the mention");
    lines[line - 1] = old.slice(0, column) + link + old.slice(column + words.length);
  }
  return lines.join("\n");
}

await harness.start(Number(PAI_E2E_PORT ?? 0));
const driver = new Driver(harness, PAI_E2E_SHOTS);
await driver.start();
const { page } = driver;
const markdown = harness.setup().files.filter((file) => file.endsWith(".md"));
const sizeOf = (path) => readFileSync(join(harness.vault, path), "utf8").length;
const [first, second] = markdown.filter((path) => sizeOf(path) > 1_000);
const short = markdown.find((path) => sizeOf(path) > 200 && sizeOf(path) < 800 && !path.startsWith("_")) ?? first;

await driver.restart();

await driver.claim("the status bar says when the daemon is ready", () => driver.bar("pai: ready", 120_000));

await driver.claim("an answer streams into the side panel with citations, sources and who answered", async () => {
  const streamed = page.waitForResponse((reply) => reply.url() === `${PAI_E2E_DAEMON}/api/ask` && reply.request().method() === "POST");
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

await driver.claim("how a question was read is said, and can be undone", async () => {
  await driver.ask("Which notes mention polonium and tungsten?");
  await page.waitForSelector(".pai-narrowed");
  assert.match(await page.textContent(".pai-narrowed"), /Read as: mentioning polonium and tungsten/);
  await page.click(".pai-narrowed button");
  await page.waitForSelector(".pai-narrowed", { state: "detached" });
  await page.waitForSelector(".pai-answered-by");
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
  const rest = { generator: { name: "some-model", location: "remote" }, stages: ["search"], warnings: ["Only part of the vault was searched."], narrowed: [] };
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

const mentioned = await noteWithMentions();
await driver.restart();

await driver.claim("an accepted mention is wrapped in a link exactly where it stands", async () => {
  await driver.open(mentioned.path);
  const { text } = await driver.note();
  await driver.run("suggest-links");
  await page.waitForSelector(".pai-accept");
  await driver.shot("suggest-links");
  await page.locator(".pai-accept").first().click();
  assert.equal((await driver.note()).text, linked(text, mentioned.mentions.slice(0, 1)));
  await page.keyboard.press("Escape");
});

await driver.claim("all mentions are linked at once, and one undo takes all back", async () => {
  await driver.open(mentioned.path);
  const { text } = await driver.note();
  await driver.run("suggest-links");
  await page.click(".pai-accept-all");
  assert.equal((await driver.note()).text, linked(text, mentioned.mentions));
  await page.locator(".cm-content").focus();
  await page.keyboard.press("Control+z");
  assert.equal((await driver.note()).text, text);
});

await driver.claim("a mention whose text has changed meanwhile is not touched", async () => {
  await driver.run("suggest-links");
  await page.waitForSelector(".pai-accept");
  const { line } = mentioned.mentions[0];
  await page.evaluate((at) => window.app.workspace.getLeaf().view.editor.replaceRange("~ ", { line: at - 1, ch: 0 }), line);
  const { text } = await driver.note();
  await page.locator(".pai-accept").first().click();
  assert.equal((await driver.note()).text, text);
  assert.match((await driver.notices()).join(), /no longer stands/);
  await page.keyboard.press("Escape");
});

await driver.claim("search by meaning lists passages and opens the chosen one at its line", async () => {
  await driver.restart();
  await driver.open(first);
  await driver.run("search");
  await page.locator(".prompt-input").pressSequentially(question.slice(0, 40), { delay: 15 });
  await page.waitForSelector(".suggestion-item .pai-row-detail");
  await page.waitForTimeout(600);
  await driver.shot("search");
  const [, path, line] = /^(.*) · Lines? (\d+)/.exec(await page.locator(".suggestion-item .pai-row-detail").first().textContent());
  await page.press(".prompt-input", "Enter");
  await page.waitForFunction((wanted) => window.app.workspace.getActiveFile()?.path === wanted, path);
  assert.equal((await driver.note()).line, Number(line));
});

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
  await driver.bar("pai: ready");
  await driver.ask(question);
  await page.waitForSelector(".pai-answered-by");
});

await driver.claim("a pasted token goes to the secret storage and not into the vault's settings", async () => {
  assert.equal(harness.saves, 0, "settings were saved unasked");
  await page.evaluate(() => {
    window.app.settingTab.display();
    const frame = document.body.createDiv({ cls: "modal-container" });
    frame.createDiv({ cls: "modal" }).append(window.app.settingTab.containerEl);
  });
  await driver.shot("settings");
  await page.fill('input[type="password"]', token);
  await page.fill('input[type="range"] >> nth=0', "7");
  await page.waitForTimeout(100);
  assert.equal(harness.data.sources, 7);
  assert.ok(!JSON.stringify(harness.data).includes(token));
  await page.evaluate(() => localStorage.clear());
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

await driver.claim("nothing was thrown and nothing was written to the console", () => assert.deepEqual(driver.noise, []));

await driver.claim("no file of the vault was written", () => assert.equal(fingerprint(harness.vault), before));

await driver.stop();
await harness.stop();
console.log(`${driver.passed} claims hold, ${driver.failed} do not`);
process.exitCode = driver.failed > 0 ? 1 : 0;
