// What the scenario does to the page: opening, typing, reading; and how a claim is told.

import { strict as assert } from "node:assert";
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { tool } from "./harness.mjs";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function findChromium() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const named = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = [process.env.CHROMIUM, ...named].find((path) => path && isProgram(path));
  assert.ok(found, "no Chromium found; install one or name it in CHROMIUM");
  return found;
}

export class Driver {
  passed = 0;
  failed = 0;
  /** Whatever the page said on its console or threw: a plugin is to be silent. */
  noise = [];

  constructor(harness, shots) {
    Object.assign(this, { harness, shots });
    if (shots) mkdirSync(shots, { recursive: true });
  }

  async start() {
    this.browser = await tool("playwright-core").chromium.launch({ executablePath: findChromium(), args: FLAGS });
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 860 }, locale: "en-GB" });
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: this.harness.origin });
    context.setDefaultTimeout(20_000);
    this.page = await context.newPage();
    this.page.on("pageerror", (error) => this.noise.push(String(error)));
    this.page.on("console", (message) => {
      // The browser itself reports refused connections and its opinion of forms; the plugin cannot keep it from that.
      if (!/^Failed to load resource|net::ERR_|^\[DOM\]/.test(message.text())) this.noise.push(message.text());
    });
  }

  async stop() {
    await this.browser?.close();
  }

  async claim(name, prove) {
    const started = performance.now();
    try {
      await prove();
      this.passed += 1;
      console.log(`ok    ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAIL  ${name}\n      ${String(error.message).split("\n").slice(0, 12).join("\n      ")}`);
      // What the plugin told the person is mostly why.
      for (const notice of await this.notices().catch(() => [])) console.log(`      notice: ${notice}`);
      await this.shot(`failure-${this.failed}`).catch(() => undefined);
    }
  }

  async shot(name) {
    if (this.shots) await this.page.screenshot({ path: join(this.shots, `${name}.png`) });
  }

  /** The same in the light, in the dark, and narrow, as on a tablet held upright. */
  async looks(name) {
    if (!this.shots) return;
    const size = this.page.viewportSize();
    await this.shot(name);
    await this.page.evaluate(() => document.body.classList.add("theme-dark"));
    await this.shot(`${name}-dark`);
    await this.page.evaluate(() => document.body.classList.replace("theme-dark", "is-narrow"));
    await this.page.setViewportSize({ width: 640, height: size.height });
    await this.shot(`${name}-narrow`);
    await this.page.evaluate(() => document.body.classList.remove("is-narrow"));
    await this.page.setViewportSize(size);
  }

  /** Starts the app afresh, as a restart would. */
  async restart() {
    await this.page.goto(this.harness.origin);
    await this.page.waitForFunction(() => window.booted === true);
  }

  async bar(text, timeout = 20_000) {
    await this.page.waitForFunction(
      (wanted) => document.querySelector(".pai-status")?.textContent === wanted, text, { timeout, polling: 50 },
    );
  }

  run(command) {
    return this.page.evaluate((id) => window.app.run(`pai-daemon:${id}`), command);
  }

  open(path) {
    return this.page.evaluate((at) => window.app.workspace.getLeaf().openFile(window.app.vault.getFileByPath(at)), path);
  }

  /** The note in the editor: its path, its text, and the 1-based line of the cursor. */
  note() {
    return this.page.evaluate(() => {
      const { view } = window.app.workspace.getLeaf();
      if (!view?.editor) return null;
      return { path: view.file.path, text: view.editor.getValue(), line: view.editor.getCursor().line + 1 };
    });
  }

  /** Puts the cursor at the end of the note and types, as a person would. */
  async typeAtEnd(text) {
    await this.page.evaluate(() => {
      const { editor } = window.app.workspace.getLeaf().view;
      editor.setCursor(editor.offsetToPos(editor.getValue().length));
      editor.focus();
    });
    // The panel may take the focus once more when it opens; what is typed then goes there.
    await this.page.waitForFunction(() => {
      window.app.workspace.getLeaf().view.editor.focus();
      return Boolean(document.activeElement?.closest(".cm-content"));
    });
    await this.page.keyboard.insertText(text);
    await this.page.waitForFunction(
      (typed) => window.app.workspace.getLeaf().view.editor.getValue().endsWith(typed), text, { timeout: 5_000 },
    );
    // On a busy machine the browser tells of the cursor later than of the text, and a command asked for meanwhile
    // would take another line for the question.
    await this.page.evaluate(() => {
      const { editor } = window.app.workspace.getLeaf().view;
      editor.setCursor(editor.offsetToPos(editor.getValue().length));
    });
  }

  /** Holds the answers back for a while, so that stopping one can be seen. */
  async delayAnswers(ms) {
    await this.page.route("**/api/ask", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      await route.continue().catch(() => undefined);
    });
  }

  /** Asks in the side panel; in a conversation of its own, unless it goes on. */
  async ask(question, { goesOn = false } = {}) {
    await this.run("ask");
    const anew = this.page.locator(".pai-new");
    if (!goesOn && (await anew.isVisible())) await anew.click();
    await this.page.fill(".pai-input", question);
    await this.page.press(".pai-input", "Enter");
  }

  /** Opens the view of links and waits until it has looked at the open note. */
  async suggestLinks() {
    await this.page.evaluate(() => document.querySelector(".pai-links-of")?.remove());
    await this.run("suggest-links");
    await this.page.waitForSelector(".pai-links-of");
  }

  /** Comes back to the app, as from a terminal: a daemon that was down is looked for at once. */
  comeBack() {
    return this.page.evaluate(() => window.dispatchEvent(new Event("focus")));
  }

  /** Between two looks at a condition that is not the page's. */
  pause() {
    return new Promise((resolve) => setTimeout(resolve, 30));
  }

  notices() {
    return this.page.locator(".notice").allTextContents();
  }
}
