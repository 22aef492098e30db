// Runs the shipped plugin in a browser against a running daemon and proves claim by
// claim what a person relies on. Settings by environment:
//   PAI_E2E_VAULT   the vault the daemon serves       PAI_E2E_CONFIG    its configuration folder
//   PAI_E2E_DAEMON  the daemon's address               PAI_E2E_PORT      port of the page; its origin must be allowed
//   PAI_E2E_BROKEN  a note with a link that leads nowhere, and the name it meant, by a colon
//   PAI_E2E_SHOTS   where screenshots go (optional)    PAI_E2E_QUESTION  a question the vault answers (optional)

import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Driver } from "./driver.mjs";
import { fingerprint, Harness } from "./harness.mjs";
import { acting } from "./plugin/acting.mjs";
import { asking } from "./plugin/asking.mjs";
import { linking } from "./plugin/linking.mjs";
import { relating } from "./plugin/relating.mjs";
import { remembering } from "./plugin/remembering.mjs";
import { searching } from "./plugin/searching.mjs";
import { settling } from "./plugin/settling.mjs";
import { standing } from "./plugin/standing.mjs";
import { summarizing } from "./plugin/summarizing.mjs";

const { PAI_E2E_VAULT, PAI_E2E_CONFIG, PAI_E2E_DAEMON, PAI_E2E_PORT, PAI_E2E_SHOTS, PAI_E2E_BROKEN } = process.env;
assert.ok(PAI_E2E_VAULT && PAI_E2E_CONFIG && PAI_E2E_DAEMON && PAI_E2E_BROKEN, "set what is named above");
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

async function post(path, body) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const reply = await fetch(`${PAI_E2E_DAEMON}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(reply.status, 200, `${path} answered ${reply.status}`);
}

/** Returns the note with the most mentions, among the first notes of the vault, and its mentions. */
async function noteWithMentions() {
  let best = { path: "", mentions: [] };
  for (const path of harness.setup().files.filter((file) => file.endsWith(".md")).slice(0, 60)) {
    const { mentions } = await daemon("/api/links", { path });
    const lines = new Set(mentions.map((mention) => mention.line));
    // One that is underlined must be among the lines that the editor draws.
    const isDrawn = mentions.some(({ sure, line }) => sure && line <= 20);
    if (isDrawn && lines.size > 1 && mentions.length > best.mentions.length && mentions.length <= 12) best = { path, mentions };
  }
  assert.ok(best.path, "no note of this vault mentions another without linking it");
  return best;
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

const [path, meant] = PAI_E2E_BROKEN.split(":");
const told = {
  driver, page, harness, daemon, post, address: PAI_E2E_DAEMON, question, first, second, short, token, tokenFile, records,
  mentioned: await noteWithMentions(), broken: { path, meant },
};
await asking(told);
await driver.claim("no setting is saved unasked", () => assert.equal(harness.saves, 0));
await relating(told);
await driver.restart();
await linking(told);
await searching(told);
await summarizing(told);
await standing(told);
await settling(told);

await driver.claim("no file of the vault was written", () => assert.equal(fingerprint(harness.vault), before));

await remembering(told);
await acting(told);

await driver.claim("nothing was thrown and nothing was written to the console", () => assert.deepEqual(driver.noise, []));

await driver.stop();
await harness.stop();
console.log(`${driver.passed} claims hold, ${driver.failed} do not`);
process.exitCode = driver.failed > 0 ? 1 : 0;
