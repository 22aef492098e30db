// What the plugin costs the app, as one JSON document: its size, its loading, and the
// pieces of work by which it keeps the page from reacting. Run by tests/bench/plugin.py.
// PAI_BENCH_LOADS: how often it is loaded. PAI_BENCH_ROUNDS, PAI_BENCH_KEYS: how often, and how much, is written.

import { statSync } from "node:fs";
import { join } from "node:path";
import { json, passage } from "./scripted-daemon.mjs";
import { onStage } from "./stage.mjs";

const LOADS = Number(process.env.PAI_BENCH_LOADS ?? 15);
const ROUNDS = Number(process.env.PAI_BENCH_ROUNDS ?? 3);
const KEYS = Number(process.env.PAI_BENCH_KEYS ?? 40);
const LINE = "A line of a note in which the garden and the boat are named, and more.\n";
const PLUGIN = "plugin/main.js";

const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

/** Returns the milliseconds of each uninterrupted piece of work in which the plugin's own code ran, or what it called of the browser. */
function pieces({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const isOurs = (id) => {
    for (let at = id; at !== undefined; at = parents.get(at)) {
      const { url } = byId.get(at).callFrame;
      if (url) return url.endsWith(PLUGIN);
    }
    return false;
  };
  const found = [];
  let piece = 0;
  samples.forEach((id, index) => {
    const ms = (timeDeltas[index + 1] ?? 0) / 1000;
    const name = byId.get(id).callFrame.functionName;
    if (isOurs(id)) piece += ms;
    else if (name === "(idle)" || name === "(program)") {
      if (piece > 0) found.push(piece);
      piece = 0;
    }
  });
  return piece > 0 ? [...found, piece] : found;
}

async function profiled(client, act) {
  await client.send("Profiler.setSamplingInterval", { interval: 100 });
  await client.send("Profiler.start");
  await act();
  return pieces((await client.send("Profiler.stop")).profile);
}

const notes = { "Large.md": `# Large\n\n${LINE.repeat(Math.ceil(200_000 / LINE.length))}`, "Other.md": "# Other\n\nOther.\n" };

const figures = await onStage(notes, async ({ driver, page, daemon, harness }) => {
  const mentions = Array.from({ length: 500 }, (_, n) => ({
    text: "garden", line: n + 3, column_utf16: LINE.indexOf("garden"), start_char: 0, end_char: 0, target: "Other.md", title: "Garden", link: "[[Garden|garden]]",
    confidence: 0.95, sure: true, why: "its title",
  }));
  const results = Array.from({ length: 12 }, (_, n) => ({ ...passage, title: `Note ${n}`, text: LINE.repeat(12), highlights: [[20, 26], [120, 126]] }));
  daemon.scripts.set("/api/links", (response) => json(response, { path: "Large.md", content_hash: "h", revision: 1, mentions, suggestions: [] }));
  daemon.scripts.set("/api/search", (response) => json(response, { ...daemon.document("/api/search"), results }));

  const loads = [];
  for (let n = 0; n < LOADS; n++) {
    await driver.restart();
    loads.push(await page.evaluate(() => performance.getEntriesByName("plugin-load")[0].duration));
  }
  await driver.bar("pai: ready");
  const client = await page.context().newCDPSession(page);
  await client.send("Profiler.enable");
  const rounds = [];
  for (let n = 0; n < ROUNDS; n++) {
    await driver.open("Other.md");
    await page.evaluate(() => window.plugin.change({ underline: true, followParagraph: true }));
    await driver.run("related");
    const opening = await profiled(client, async () => {
      await driver.open("Large.md");
      await page.locator(".pai-mention").first().waitFor();
      await driver.suggestLinks();
      await page.locator(".pai-accept").first().waitFor();
    });
    const writing = await profiled(client, async () => {
      await driver.typeAtEnd("\n\n");
      for (const key of "What the boat needs in spring. ".repeat(4).slice(0, KEYS)) await page.keyboard.type(key);
    });
    await page.evaluate(() => window.plugin.change({ underline: false, followParagraph: false }));
    const linking = await profiled(client, () => page.click(".pai-accept-all"));
    const searching = await profiled(client, async () => {
      await driver.run("search");
      for (const key of "when is the engine of the boat serviced".slice(0, KEYS)) await page.keyboard.type(key);
      await page.waitForSelector(".suggestion-item .pai-row-words");
    });
    await page.keyboard.press("Escape");
    rounds.push({ opening, writing, linking, searching });
  }
  // On a machine that does other work as well, one round may catch it all.
  const most = (name) => quantile(rounds.map((round) => Math.max(0, ...round[name])), 0.5);
  return {
    size_bytes: statSync(join(harness.plugin, "main.js")).size,
    load_ms: quantile(loads, 0.5), load_worst_ms: Math.max(...loads), loads: loads.length, rounds: ROUNDS,
    opening_ms: most("opening"), writing_ms: most("writing"), linking_ms: most("linking"), searching_ms: most("searching"),
    note_bytes: notes["Large.md"].length, noise: driver.noise,
  };
});
console.log(JSON.stringify(figures));
