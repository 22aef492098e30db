// What the plugin does when the daemon, a note or a title is not as it should be, in a
// browser, claim by claim. PAI_E2E_SHOTS: where screenshots go (optional).
// PAI_E2E_OPENINGS: how often the views are opened while the heap is watched.

import { strict as assert } from "node:assert";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { costing } from "./faults/costing.mjs";
import { elsewhere } from "./faults/elsewhere.mjs";
import { answer, drip, frame, json, passage, related, stream, suggestion } from "./scripted-daemon.mjs";
import { onStage } from "./stage.mjs";

const OPENINGS = Number(process.env.PAI_E2E_OPENINGS ?? 60);
const NASTY = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> [[a|b]] \`x\` ‮gnp.exe`;
const LINE = "A line of a note that has grown for years without end.\n";
const routines = {
  folder: "Routines", routines: [{ name: "Week/Review", title: "Review of the week", schedule: "every friday", next: null }],
  wrong: [{ path: "Note.md", line: 3, message: "every is no time.", hint: "Name a day." }],
};
const run = { routine: "Week/Review", state: "done", why: "", actions: [] };
const proposal = { id: "a1", state: "proposed", path: "Other.md", by: "Week/Review", why: "", diff: `--- a\n+${NASTY}\n` };
const notes = {
  "Note.md": "# Note\n\nA passage of the note, and a question?\n",
  "Twin.md": "# Twin\n\nA passage of the note, and a question?\n",
  "Other.md": "# Other\n\nSomething else.\n",
  "Rtl.md": "# مرحبا\n\nهذه ملاحظة عن القارب والمحرك.\n",
  "Large.md": `# Large\n\n${LINE.repeat(95_000)}`,
};

/** How long the page could not react to anything, at most, while `act` ran: the longest gap between two ticks. */
async function longestGap(page, act) {
  await page.evaluate(() => {
    window.gap = 0;
    let last = performance.now();
    window.ticking = setInterval(() => {
      window.gap = Math.max(window.gap, performance.now() - last);
      last = performance.now();
    }, 10);
  });
  await act();
  return page.evaluate(() => {
    clearInterval(window.ticking);
    return window.gap;
  });
}

await onStage(notes, async ({ driver, page, daemon, harness }) => {
  await driver.restart();
  await driver.bar("pai: ready");
  await driver.open("Note.md");

  await driver.claim("while a generator is waited for, the notes' own words stand there, and why it was chosen is said", async () => {
    let go;
    const held = new Promise((resolve) => { go = resolve; });
    daemon.scripts.set("/api/ask", async (response) => {
      stream(response).write(frame("sources", { citations: answer.citations, revision: 1 }));
      response.write(frame("notice", { text: "some-model is loading…", preview: "From the notes. [1]" }));
      await held;
      response.end(frame("delta", { text: answer.answer }) + frame("done", answer));
    });
    await driver.ask("Why?");
    await page.locator(".pai-answer", { hasText: "some-model is loading…" }).waitFor();
    assert.equal(await page.locator(".pai-preview-text").textContent(), "From the notes.1");
    await driver.shot("waiting");
    go();
    await page.locator(".pai-why", { hasText: "the largest that runs here" }).waitFor();
    assert.equal(await page.locator(".pai-preview-text").count(), 0);
  });

  await driver.claim("an answer that drips in, cut within letters, arrives whole", async () => {
    const text = "Grün 🌱 и ещё: 好。";
    const whole = { ...answer, answer: text, sentences: [{ text, citations: [1], supported: true }] };
    daemon.scripts.set("/api/ask", async (response) => {
      stream(response);
      await drip(response, [...text].map((letter) => frame("delta", { text: letter })).join("") + frame("done", whole));
      response.end();
    });
    await driver.ask("Why?");
    await page.waitForSelector(".pai-answered-by");
    assert.equal(await page.locator(".pai-sentence").textContent(), text);
  });

  await driver.claim("a daemon killed amid an answer leaves what it wrote, says so, and is asked again", async () => {
    daemon.scripts.set("/api/ask", async (response) => {
      stream(response).write(frame("delta", { text: "Half of an ans" }));
      setTimeout(() => daemon.kill(), 50);
    });
    await driver.ask("Why?");
    await page.locator(".pai-error-what").waitFor();
    assert.equal(await page.locator(".pai-sentence").textContent(), "Half of an ans");
    daemon.scripts.delete("/api/ask");
    await page.click(".pai-retry");
    await page.waitForSelector(".pai-answered-by");
    assert.equal(await page.locator(".pai-turn").count(), 1);
  });

  await driver.claim("a daemon killed amid an answer in a note changes nothing in it", async () => {
    daemon.scripts.set("/api/ask", async (response) => {
      stream(response).write(frame("delta", { text: "Half" }));
      setTimeout(() => daemon.kill(), 50);
    });
    const { text } = await driver.note();
    await driver.run("answer-here");
    await page.locator(".notice", { hasText: "Ask again" }).waitFor();
    assert.equal((await driver.note()).text, text);
    assert.equal(await page.locator(".pai-pending").count(), 0);
    daemon.scripts.delete("/api/ask");
  });

  await driver.claim("a note left while its answer comes is not written to, and the person's own words stay", async () => {
    let go;
    const held = new Promise((resolve) => { go = resolve; });
    daemon.scripts.set("/api/ask", async (response) => {
      stream(response).write(frame("delta", { text: "Half" }));
      await held;
      response.end(frame("done", answer));
    });
    await driver.run("answer-here");
    await page.waitForSelector(".pai-pending");
    await driver.typeAtEnd("\nTyped meanwhile.");
    await driver.open("Other.md");
    const { text } = await driver.note();
    go();
    await page.locator(".notice", { hasText: "closed" }).waitFor();
    assert.equal((await driver.note()).text, text);
    daemon.scripts.delete("/api/ask");
  });

  await elsewhere({ driver, page, daemon, harness });

  await driver.claim("a refused token is one quiet line, however often something is asked", async () => {
    const refusal = { type: "about:blank", title: "No", status: 401, code: "unauthorized", detail: "No." };
    daemon.scripts.set("/api/*", (response) => json(response, refusal, 401));
    await page.evaluate(() => document.querySelectorAll(".notice").forEach((el) => el.remove()));
    await driver.run("related");
    for (const path of ["Note.md", "Other.md", "Note.md"]) await driver.open(path);
    await page.locator(".pai-related .pai-error-what", { hasText: "refused the token" }).waitFor();
    assert.deepEqual(await driver.notices(), []);
    daemon.scripts.clear();
  });

  await driver.claim("a daemon that takes seconds blocks nothing, and a slow reply never covers a newer one", async () => {
    let slow;
    daemon.scripts.set("/api/related", (response, url) => {
      const path = url.searchParams.get("path");
      const reply = () => json(response, { path, revision: 1, results: [{ ...related, title: `Near ${path}` }] });
      if (path === "Other.md") slow = reply;
      else reply();
    });
    await driver.open("Other.md");
    while (!slow) await driver.pause();
    await driver.typeAtEnd("Typed while waiting.");
    await driver.open("Note.md");
    const place = page.locator(".pai-related .pai-row-place");
    await place.filter({ hasText: "Near Note.md" }).waitFor();
    slow();
    await page.evaluate(() => new Promise((resolve) => { window.setTimeout(resolve, 200); }));
    assert.deepEqual(await place.allTextContents(), ["Near Note.md"]);
    daemon.scripts.clear();
  });

  await driver.claim("titles, passages and answers are text, whatever stands in them", async () => {
    const nasty = { ...passage, title: NASTY, text: NASTY, heading_path: [NASTY], highlights: [[0, 20]] };
    const all = { ...answer, answer: NASTY, sentences: [{ text: NASTY, citations: [1], supported: false }], citations: [{ ...nasty, n: 1 }], narrowed: [NASTY], warnings: [NASTY], generator: { name: NASTY, location: "remote", why: NASTY } };
    const mention = { text: "passage", line: 3, column_utf16: 2, start_char: 10, end_char: 17, target: "Other.md", title: NASTY, link: "[[Other|passage]]", confidence: 0.95, sure: true, why: NASTY };
    daemon.scripts.set("/api/ask", (response) => { stream(response).end(frame("notice", { text: NASTY, preview: NASTY }) + frame("delta", { text: NASTY }) + frame("done", all)); });
    daemon.scripts.set("/api/related", (response) => json(response, { path: "Note.md", revision: 1, results: [{ ...related, title: NASTY, why: NASTY, passage: nasty }] }));
    daemon.scripts.set("/api/links", (response) => json(response, { path: "Note.md", content_hash: "h", revision: 1, mentions: [mention], suggestions: [{ ...suggestion, title: NASTY, why: NASTY }] }));
    daemon.scripts.set("/api/notes/*", (response) => json(response, { links: [{ kind: "wikilink", target: NASTY, fragment: "", alias: "", line: 1, embed: false, path: null }] }));
    daemon.scripts.set("/api/search", (response) => json(response, { ...daemon.document("/api/search"), results: [nasty] }));
    await driver.open("Other.md");
    await driver.run("related");
    await page.locator(".pai-related .pai-row-place", { hasText: "onerror" }).waitFor();
    await driver.open("Note.md");
    await driver.suggestLinks();
    await driver.ask(NASTY);
    await page.waitForSelector(".pai-answered-by.is-remote");
    await driver.run("search");
    await page.fill(".prompt-input", NASTY);
    await page.locator(".suggestion-item .pai-row-place", { hasText: "onerror" }).waitFor();
    await page.keyboard.press("Escape");
    await page.evaluate(() => window.plugin.change({ underline: true }));
    await page.locator(".pai-mention").waitFor();
    await page.evaluate(() => window.plugin.change({ underline: false }));
    const found = await page.evaluate(() => [window.hacked, document.querySelectorAll(".app img, .modal img, .app script, .modal script").length]);
    assert.deepEqual(found, [undefined, 0]);
    daemon.scripts.clear();
  });

  await driver.claim("ten thousand results are drawn without a pause that a person notices", async () => {
    const many = Array.from({ length: 10_000 }, (_, n) => ({ ...passage, path: `Folder ${n}/Note.md`, title: `Note ${n}` }));
    daemon.scripts.set("/api/search", (response) => json(response, { ...daemon.document("/api/search"), results: many }));
    const gap = await longestGap(page, async () => {
      await driver.run("search");
      await page.fill(".prompt-input", "note");
      await page.locator(".suggestion-item .pai-row-place", { hasText: "Note 0" }).waitFor();
    });
    assert.ok(gap < 1_000, `${Math.round(gap)} ms without a reaction`);
    assert.ok((await page.locator(".suggestion-item").count()) <= 100);
    await page.keyboard.press("Escape");
    daemon.scripts.clear();
  });

  await driver.claim("a note of five megabytes is opened, underlined and left without the plugin's doing", async () => {
    const mentions = Array.from({ length: 10_000 }, (_, n) => ({
      text: "grown", line: n + 3, column_utf16: LINE.indexOf("grown"), start_char: 0, end_char: 0, target: "Other.md", title: "Other", link: "[[Other|grown]]", confidence: 0.95, sure: true, why: "its title",
    }));
    daemon.scripts.set("/api/links", (response) => json(response, { path: "Large.md", content_hash: "h", revision: 1, mentions, suggestions: [] }));
    await page.evaluate(() => window.plugin.change({ underline: true, followParagraph: true }));
    await driver.open("Large.md");
    await page.locator(".pai-mention").first().waitFor();
    await driver.run("related");
    await page.locator(".pai-related .pai-row-place").first().waitFor();
    const near = daemon.asked.filter((one) => one.startsWith("/api/related"));
    for (const one of near) assert.ok(one.length < 8_000, `an address of ${one.length} characters`);
    await page.evaluate(() => window.plugin.change({ underline: false, followParagraph: false }));
    daemon.scripts.clear();
  });

  await driver.claim("text from right to left is shown, cited and asked as it is", async () => {
    const text = "هذه ملاحظة عن القارب";
    daemon.scripts.set("/api/ask", (response, _url, body) => {
      assert.equal(body.question, "متى؟");
      stream(response).end(frame("done", { ...answer, answer: text, sentences: [{ text, citations: [1], supported: true }], citations: [{ ...passage, n: 1, path: "Rtl.md", title: "مرحبا", text, link: "[[Rtl]]" }] }));
    });
    await driver.open("Rtl.md");
    await driver.ask("متى؟");
    await page.locator(".pai-sentence", { hasText: text }).waitFor();
    await page.click(".pai-cite");
    assert.equal((await driver.note()).path, "Rtl.md");
    await driver.shot("right-to-left");
    daemon.scripts.clear();
  });

  await driver.claim("axe-core finds nothing wrong with any view", async () => {
    await page.evaluate(readFileSync(createRequire(new URL("../../obsidian-plugin/package.json", import.meta.url)).resolve("axe-core/axe.min.js"), "utf8"));
    // The colours are the theme's, here the stand-in's.
    const violations = (selector) => page.evaluate(async (at) => {
      const { violations: found } = await window.axe.run(at, { rules: { "color-contrast": { enabled: false } } });
      return found.map(({ id, nodes }) => `${at} ${id}: ${nodes[0].html}`);
    }, selector);
    const mention = { text: "passage", line: 3, column_utf16: 2, start_char: 10, end_char: 17, target: "Other.md", title: "Other", link: "[[Other|passage]]", confidence: 0.95, sure: true, why: "its title" };
    daemon.scripts.set("/api/links", (response) => json(response, { path: "Note.md", content_hash: "h", revision: 1, mentions: [mention], suggestions: [suggestion] }));
    await driver.open("Note.md");
    await driver.suggestLinks();
    await page.waitForSelector(".pai-accept");
    const found = await violations(".pai-links");
    await driver.run("related");
    await page.waitForSelector(".pai-related .pai-row");
    found.push(...await violations(".pai-related"));
    await driver.ask("Why?");
    await page.waitForSelector(".pai-answered-by");
    found.push(...await violations(".pai-ask"));
    await driver.run("status");
    await page.waitForSelector(".pai-facts");
    found.push(...await violations(".pai-modal"));
    await page.keyboard.press("Escape");
    assert.deepEqual(found, []);
    daemon.scripts.clear();
  });

  await driver.claim("a daemon that is down is started by a press of the button alone, by the command that it left", async () => {
    const down = JSON.stringify({ url: "http://127.0.0.1:9", vault: harness.vault });
    const record = join(harness.config, "daemons", readdirSync(join(harness.config, "daemons"))[0]);
    harness.overrides.set(record, down);
    await driver.restart();
    await driver.bar("pai: not running");
    await driver.run("status");
    await page.locator(".pai-remedy.is-copy").waitFor();
    assert.equal(await page.locator(".pai-remedy.is-start").count(), 0, "there is no command, so there is no button");
    await page.keyboard.press("Escape");
    harness.overrides.set(join(harness.config, "command.json"), JSON.stringify({ command: ["/opt/pai/bin/python", "-m", "pai", "start"] }));
    await driver.run("status");
    await page.locator(".pai-remedy.is-start").waitFor();
    assert.equal(await page.evaluate(() => window.spawned), undefined, "nothing starts unasked");
    await page.locator(".pai-remedy.is-start").click();
    await page.waitForFunction(() => window.spawned !== undefined);
    assert.deepEqual(await page.evaluate(() => window.spawned), [["/opt/pai/bin/python", "-m", "pai", "start", harness.vault]]);
    await driver.shot("start");
    harness.overrides.clear();
    await page.keyboard.press("Escape");
    await driver.restart();
    await driver.bar("pai: ready");
  });

  await driver.claim("a daemon without routines hides their commands; with them they are there after it comes back", async () => {
    const offered = () => page.evaluate(() => window.app.offers("pai-daemon:run-routine"));
    assert.equal(await offered(), false);
    daemon.scripts.set("/api/routines", (response) => { json(response, routines); });
    await driver.restart();
    await driver.bar("pai: ready");
    await page.waitForFunction(() => window.app.offers("pai-daemon:run-routine"));
  });

  await driver.claim("a wrong routine is listed with its line, and opens there", async () => {
    await driver.run("run-routine");
    await page.locator(".pai-suggestion", { hasText: "Line 3: every is no time" }).click();
    await page.waitForFunction(() => window.app.workspace.getActiveFile()?.path === "Note.md");
    assert.equal((await driver.note()).line, 3);
  });

  await driver.claim("a routine is run, and what it proposes is shown as a diff, approved and taken back", async () => {
    let state = "proposed";
    const decided = [];
    daemon.scripts.set("/api/routines/Week/Review/run", (response) => { json(response, { ...run, actions: ["a1"] }); });
    daemon.scripts.set("/api/actions", (response, url) => {
      json(response, { waiting: 1, actions: [{ ...proposal, state: url.searchParams.get("state") }] });
    });
    daemon.scripts.set("/api/actions/a1", (response, _url, body) => {
      decided.push(body.decision);
      state = { approve: "applied", undo: "undone" }[body.decision];
      json(response, { ...proposal, state, diff: "" });
    });
    await driver.run("run-routine");
    await page.locator(".pai-suggestion", { hasText: "Review of the week" }).click();
    await page.locator(".notice", { hasText: "Review of the week: done." }).waitFor();
    assert.equal(await page.locator(".pai-diff .is-added").textContent(), `+${NASTY}`);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    await driver.shot("proposals");
    await page.click(".pai-approve");
    await page.click(".pai-undo");
    await page.locator(".pai-proposal-state", { hasText: "Taken back" }).waitFor();
    assert.deepEqual(decided, ["approve", "undo"]);
    await page.keyboard.press("Escape");
  });

  await costing({ driver, page, daemon });

  await driver.claim(`the heap is flat after ${OPENINGS} openings of every view`, async () => {
    const client = await page.context().newCDPSession(page);
    const heap = async () => {
      for (let n = 0; n < 3; n++) await client.send("HeapProfiler.collectGarbage");
      const { nodes, jsEventListeners } = await client.send("Memory.getDOMCounters");
      return { size: (await client.send("Runtime.getHeapUsage")).usedSize, nodes, jsEventListeners };
    };
    const openAll = (times) => page.evaluate(async (count) => {
      const { workspace } = window.app;
      for (let n = 0; n < count; n++) {
        for (const id of ["ask", "related", "suggest-links"]) window.app.run(`pai-daemon:${id}`);
        await new Promise((resolve) => { window.setTimeout(resolve, 0); });
        for (const type of ["ask", "related", "links"]) await workspace.closeType(`pai-daemon-${type}`);
      }
    }, times);
    await driver.open("Note.md");
    await openAll(10);
    const before = await heap();
    await openAll(OPENINGS);
    const after = await heap();
    const grown = Math.round((after.size - before.size) / 1024);
    const nodes = after.nodes - before.nodes;
    const listeners = after.jsEventListeners - before.jsEventListeners;
    console.log(`      heap after ${OPENINGS} openings: ${grown} KiB, ${nodes} nodes, ${listeners} listeners more than after 10`);
    // By class it is the browser's compiled code alone, and bounded: 58 KiB after 500, 62 after 1,000, 63 after 1,500.
    assert.ok(grown < 96, `${grown} KiB more`);
    assert.ok(nodes <= 3 && listeners <= 3, `${nodes} nodes and ${listeners} listeners more`);
  });

  await driver.claim("nothing was thrown and nothing was written to the console", () => assert.deepEqual(driver.noise, []));

  console.log(`${driver.passed} claims hold, ${driver.failed} do not`);
  process.exitCode = driver.failed > 0 ? 1 : 0;
}, process.env.PAI_E2E_SHOTS);
