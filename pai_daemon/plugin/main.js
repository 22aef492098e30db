/* Built from obsidian-plugin/src of pai-daemon; change it there. */
"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// src/main.ts
var main_exports = {};
__export(main_exports, {
  default: () => PaiPlugin
});
module.exports = __toCommonJS(main_exports);
var import_obsidian10 = require("obsidian");

// src/ask-view.ts
var import_obsidian2 = require("obsidian");

// src/daemon-error.ts
var DaemonError = class _DaemonError extends Error {
  constructor(code, sentence, next = "") {
    super(sentence);
    this.code = code;
    this.next = next;
  }
  code;
  next;
  name = "DaemonError";
  /** The sentence and the next step, for places with one line. */
  get advice() {
    return this.next ? `${this.message} ${this.next}` : this.message;
  }
  static notRunning(vaultPath) {
    return new _DaemonError("not-running", "The daemon is not running.", `Start it with: scripts/start "${vaultPath}"`);
  }
  static timeout(seconds) {
    return new _DaemonError("timeout", `The daemon did not answer within ${String(seconds)} s.`, "Look at its status, then try again.");
  }
  static stopped() {
    return new _DaemonError("stopped", "Stopped.");
  }
  static unknownForm(detail) {
    return new _DaemonError(
      "contract",
      `The daemon answered in a form this plugin does not know (${detail}).`,
      "Install the same version of both."
    );
  }
  /** A person reads this, so the known refusals get our words and the rest get the daemon's. */
  static fromProblem(problem) {
    const { status, code } = problem;
    const detail = problem.detail || problem.title;
    if (status === 401) {
      return new _DaemonError(
        code,
        "The daemon refused the token.",
        "Clear the pasted token in this plugin's settings, or paste the one from the daemon's configuration folder."
      );
    }
    if (status === 403) return new _DaemonError(code, "The daemon refused this app.", problem.hint ?? detail);
    if (status === 404) return new _DaemonError(code, detail, "It may be new, excluded, or not a text note.");
    if (status === 429) return new _DaemonError(code, "The daemon is busy.", "Try again in a moment.");
    return new _DaemonError(code, detail, problem.hint ?? "");
  }
};

// src/host.ts
function asDaemonError(error) {
  return error instanceof DaemonError ? error : new DaemonError("unknown", `Something went wrong: ${String(error)}`);
}
function drawError(parent, error) {
  const { message, next } = asDaemonError(error);
  const box = parent.createDiv({ cls: "pai-error", attr: { role: "alert" } });
  box.createDiv({ cls: "pai-error-what", text: message });
  if (next) box.createDiv({ cls: "pai-error-next", text: next });
}

// src/navigate.ts
var import_obsidian = require("obsidian");

// src/results.ts
var MARKER = /[ \t]*\[(\d{1,3})\](?!\()/g;
function withAlias(link, alias) {
  const target = link.replace(/^!?\[\[/, "").replace(/\]\]$/, "").split("|")[0] ?? "";
  const words = alias.replace(/[[\]|]/g, " ").replace(/\s+/g, " ").trim();
  return words ? `[[${target}|${words}]]` : `[[${target}]]`;
}
function placeOf(passage) {
  const headings = passage.headingPath.filter((heading, index) => index > 0 || heading !== passage.title);
  return [passage.title, ...headings].join(" › ");
}
function linesOf(passage) {
  const { startLine, endLine, page } = passage;
  if (page !== null) return `Page ${String(page)}`;
  return startLine === endLine ? `Line ${String(startLine)}` : `Lines ${String(startLine)}–${String(endLine)}`;
}
function snippet(text, max) {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= max) return line;
  const cut = line.slice(0, max);
  const space = cut.lastIndexOf(" ");
  return `${(space > max / 2 ? cut.slice(0, space) : cut).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
function marked(passage, max) {
  const points = Array.from(passage.text);
  const body = bodyStart(passage.text);
  const spans = [...passage.highlights].sort((a, b) => a[0] - b[0]).filter(([start, end3]) => start >= body && start < end3 && end3 <= points.length);
  const first = spans[0]?.[0] ?? body;
  const begin2 = first - body > max / 2 ? first - Math.floor(max / 4) : body;
  const end2 = Math.min(points.length, begin2 + max);
  const parts = [];
  const add = (from, to, isMarked) => {
    const text = points.slice(from, to).join("").replace(/\s+/g, " ");
    if (text) parts.push({ text, marked: isMarked });
  };
  if (begin2 > body) parts.push({ text: "…", marked: false });
  let at = begin2;
  for (const [start, stop] of spans) {
    if (start < at || stop > end2) continue;
    add(at, start, false);
    add(start, stop, true);
    at = stop;
  }
  add(at, end2, false);
  if (end2 < points.length) parts.push({ text: "…", marked: false });
  return parts;
}
function bodyStart(text) {
  const headings = /^(?:#{1,6}[ \t][^\n]*(?:\n\s*|$))+/.exec(text)?.[0] ?? "";
  return headings.trim() === text.trim() ? 0 : Array.from(headings).length;
}
function questionOf(line) {
  return line.replace(/^\s*(?:>\s*)*(?:#{1,6}\s+|(?:[-*+]|\d+[.)])\s+(?:\[.\]\s+)?)?/, "").trim();
}
function streamPieces(text) {
  const decided = text.replace(/[ \t]*\[\d{0,3}$/, "");
  const pieces = [];
  let at = 0;
  for (const match of decided.matchAll(MARKER)) {
    if (match.index > at) pieces.push({ kind: "text", text: decided.slice(at, match.index), supported: true });
    pieces.push({ kind: "cite", n: Number(match[1]) });
    at = match.index + match[0].length;
  }
  if (at < decided.length) pieces.push({ kind: "text", text: decided.slice(at), supported: true });
  return pieces;
}
function answerPieces(answer) {
  if (answer.sentences.length === 0) return [{ kind: "text", text: withoutMarkers(answer.answer), supported: true }];
  const known = new Set(answer.citations.map((citation) => citation.n));
  const whole2 = withoutMarkers(answer.answer);
  const pieces = [];
  let at = 0;
  for (const sentence of answer.sentences) {
    const text = withoutMarkers(sentence.text).trim();
    if (!text) continue;
    const found = whole2.indexOf(text, at);
    const gap = found < 0 ? " " : whole2.slice(at, found);
    if (found >= 0) at = found + text.length;
    if (pieces.length > 0) pieces.push({ kind: "break", text: gap.includes("\n") ? gap.replace(/[^\n]/g, "") : " " });
    else if (gap.trim()) pieces.push({ kind: "text", text: gap, supported: true });
    pieces.push({ kind: "text", text, supported: sentence.supported });
    for (const n of new Set(sentence.citations)) if (known.has(n)) pieces.push({ kind: "cite", n });
  }
  return pieces;
}
function withoutMarkers(text) {
  return text.replace(MARKER, "");
}
function toMarkdown(answer) {
  const { body, sources } = write(answer);
  return sources.length > 0 ? `${body}

${sources.join("\n")}` : body;
}
function toCallout(answer, question) {
  const { body, sources } = write(answer);
  const kind = answer.found ? "quote" : "warning";
  const lines = [`[!${kind}] ${snippet(question, 200)}`, ...body.split("\n").map(withoutCheckbox)];
  if (sources.length > 0) lines.push("", ...sources);
  return `${lines.map((line) => line ? `> ${line}` : ">").join("\n")}
`;
}
function withoutCheckbox(line) {
  return line.replace(/^(\s*(?:[-*+]|\d+[.)])\s+)\[.\]\s+/, "$1");
}
function write(answer) {
  const byNumber = new Map(answer.citations.map((citation) => [citation.n, citation]));
  const used = [];
  const numberOf = (citation) => {
    if (!used.includes(citation)) used.push(citation);
    return used.indexOf(citation) + 1;
  };
  let body = "";
  for (const piece of answerPieces(answer)) {
    if (piece.kind === "cite") {
      const citation = byNumber.get(piece.n);
      if (citation) body += ` ${withAlias(citation.link, String(numberOf(citation)))}`;
    } else {
      body += piece.kind === "text" && !piece.supported ? `${piece.text} *(not in the notes)*` : piece.text;
    }
  }
  const sources = used.map((citation, index) => `${String(index + 1)}. ${withAlias(citation.link, placeOf(citation))}`);
  return { body, sources };
}
function setOff(callout, line, next) {
  return `${line.trim() ? "\n\n" : "\n"}${next?.trim() === "" ? callout.trimEnd() : callout}`;
}
function answeredBy(generator) {
  if (generator.name === "extractive") return "Sentences of your notes, without a language model";
  const place = { embedded: "inside the daemon", local: "on this machine", remote: "on another machine" }[generator.location];
  return `Answered by ${generator.name}, ${place}`;
}
function spoken(seconds) {
  if (seconds < 60) return `${String(Math.max(1, Math.round(seconds)))} s`;
  if (seconds < 3600) return `${String(Math.round(seconds / 60))} min`;
  return `${String(Math.round(seconds / 360) / 10)} h`;
}

// src/navigate.ts
async function openAt(app, { path, startLine, page }, event) {
  const file = app.vault.getFileByPath(path);
  if (!file) {
    new import_obsidian.Notice(`${path} is no longer in this vault.`);
    return;
  }
  const fresh = event ? import_obsidian.Keymap.isModEvent(event) : false;
  const leaf = fresh ? app.workspace.getLeaf(fresh) : app.workspace.getMostRecentLeaf() ?? app.workspace.getLeaf(false);
  await leaf.openFile(file, { active: true, eState: page === null ? { line: Math.max(0, startLine - 1) } : { subpath: `#page=${String(page)}` } });
}
function recentEditor(app) {
  const view = app.workspace.getMostRecentLeaf()?.view;
  return view instanceof import_obsidian.MarkdownView && view.file ? { editor: view.editor, file: view.file } : null;
}
function insertAtCursor(app, text) {
  const target = recentEditor(app);
  if (!target) {
    new import_obsidian.Notice("Open a note to insert into.");
    return;
  }
  target.editor.replaceSelection(text);
  target.editor.focus();
}
function insertBelowCursor(app, callout) {
  const target = recentEditor(app);
  if (!target) {
    new import_obsidian.Notice("Open a note to insert into.");
    return;
  }
  const { line } = target.editor.getCursor("to");
  const { editor } = target;
  const here = editor.getLine(line);
  const next = line + 1 < editor.lineCount() ? editor.getLine(line + 1) : null;
  editor.replaceRange(setOff(callout, here, next), { line, ch: here.length });
  editor.focus();
}
async function copy(text) {
  await navigator.clipboard.writeText(text);
  new import_obsidian.Notice("Copied.");
}

// src/passage-row.ts
function drawRow(parent, row) {
  const el = parent.createDiv({ cls: "pai-row", attr: { role: "link", tabindex: "0", draggable: "true" } });
  const head = el.createDiv({ cls: "pai-row-head" });
  if (row.number !== void 0) head.createSpan({ cls: "pai-number", text: String(row.number) });
  head.createSpan({ cls: "pai-row-place", text: row.place });
  if (row.badge) head.createSpan({ cls: "pai-badge", text: row.badge.text, attr: { "aria-label": row.badge.why } });
  if (row.insert) drawInsert(head, row.insert);
  drawMarked(el.createDiv({ cls: "pai-row-words" }), row.words);
  if (row.detail) el.createDiv({ cls: "pai-row-detail", text: row.detail });
  el.addEventListener("click", row.open);
  el.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === el) row.open(event);
  });
  el.addEventListener("dragstart", (event) => event.dataTransfer?.setData("text/plain", row.link));
  return el;
}
function drawMarked(parent, words) {
  for (const part of words) {
    if (part.marked) parent.createEl("mark", { text: part.text });
    else parent.appendText(part.text);
  }
}
function drawInsert(head, insert) {
  const button = head.createEl("button", { cls: "pai-row-insert", text: "Link", attr: { "aria-label": "Insert a link at the cursor" } });
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    insert();
  });
}

// src/answer-pane.ts
var WORDS = 220;
var AnswerPane = class {
  constructor(app, parent, question) {
    this.app = app;
    parent.empty();
    parent.createDiv({ cls: "pai-question", text: question });
    this.textEl = parent.createDiv({ cls: "pai-answer is-waiting", attr: { "aria-live": "polite" } });
    this.textEl.setText("Reading your notes…");
    this.noteEl = parent.createDiv({ cls: "pai-answer-note" });
    this.actionsEl = parent.createDiv({ cls: "pai-actions" });
    this.sourcesEl = parent.createDiv({ cls: "pai-sources" });
  }
  app;
  streamed = "";
  citations = [];
  textEl;
  noteEl;
  actionsEl;
  sourcesEl;
  setSources(citations) {
    this.citations = citations;
    this.drawSources();
  }
  addText(text) {
    this.streamed += text;
    this.textEl.removeClass("is-waiting");
    this.textEl.addClass("is-streaming");
    this.drawPieces(streamPieces(this.streamed));
  }
  markCited(n) {
    this.sourcesEl.querySelector(`[data-n="${String(n)}"]`)?.addClass("is-cited");
  }
  /** Draws the whole answer; `askAsItStands` asks the question again without what was read of it as a filter. */
  finish(answer, askAsItStands) {
    this.settle();
    this.citations = answer.citations;
    this.textEl.toggleClass("is-not-found", !answer.found);
    this.drawPieces(answerPieces(answer));
    this.drawSources();
    for (const n of new Set(answer.sentences.flatMap((sentence) => sentence.citations))) this.markCited(n);
    this.noteEl.empty();
    const by = this.noteEl.createSpan({
      cls: "pai-answered-by",
      text: `${answeredBy(answer.generator)} · ${spoken(answer.tookMs / 1e3)}`,
      attr: { "aria-label": `Stages: ${answer.stages.join(", ") || "none"}` }
    });
    by.toggleClass("is-remote", answer.generator.location === "remote");
    if (answer.narrowed.length > 0) {
      const read = this.noteEl.createDiv({ cls: "pai-narrowed", text: `Read as: ${answer.narrowed.join(", ")} ` });
      read.createEl("button", { text: "Ask as it stands" }).addEventListener("click", askAsItStands);
    }
    for (const warning of answer.warnings) this.noteEl.createDiv({ cls: "pai-warning", text: warning });
    return this.actionsEl;
  }
  fail(error) {
    this.settle();
    if (!this.streamed) this.textEl.empty();
    this.noteEl.empty();
    drawError(this.noteEl, error);
  }
  stop() {
    this.settle();
    if (!this.streamed) this.textEl.empty();
    this.noteEl.setText("Stopped before the end; what stands here was not checked.");
  }
  settle() {
    this.textEl.removeClasses(["is-waiting", "is-streaming"]);
  }
  drawPieces(pieces) {
    this.textEl.empty();
    for (const piece of pieces) {
      if (piece.kind === "cite") this.drawMarker(piece.n);
      else if (piece.kind === "break") this.textEl.appendText(piece.text);
      else this.drawSentence(piece.text, piece.supported);
    }
  }
  drawSentence(text, supported) {
    const el = this.textEl.createSpan({ cls: "pai-sentence", text });
    if (supported) return;
    el.addClass("is-unsupported");
    this.textEl.createSpan({
      cls: "pai-badge is-unsupported",
      text: "Not in the notes",
      attr: { "aria-label": "No passage of your notes supports this sentence" }
    });
  }
  drawMarker(n) {
    const citation = this.citations.find((one) => one.n === n);
    const button = this.textEl.createEl("button", {
      cls: "pai-cite",
      text: String(n),
      attr: { "aria-label": citation ? `${placeOf(citation)} (${linesOf(citation)})` : "Unknown source" }
    });
    button.disabled = !citation;
    if (citation) button.addEventListener("click", (event) => {
      this.open(citation, event);
    });
  }
  drawSources() {
    this.sourcesEl.empty();
    if (this.citations.length === 0) return;
    this.sourcesEl.createDiv({ cls: "pai-heading", text: "Sources" });
    for (const citation of this.citations) {
      const row = drawRow(this.sourcesEl, {
        number: citation.n,
        place: placeOf(citation),
        detail: `${citation.path} · ${linesOf(citation)}`,
        words: marked(citation, WORDS),
        link: withAlias(citation.link, ""),
        open: (event) => {
          this.open(citation, event);
        },
        ...citation.stale ? { badge: { text: "Changed since", why: "The note has changed since this was read from it" } } : {}
      });
      row.dataset.n = String(citation.n);
    }
  }
  open(citation, event) {
    void openAt(this.app, citation, event);
  }
};

// src/ask-view.ts
var ASK_VIEW = "pai-daemon-ask";
var AskView = class extends import_obsidian2.ItemView {
  constructor(leaf, host) {
    super(leaf);
    this.host = host;
  }
  host;
  navigation = false;
  current = null;
  inputEl = null;
  askEl = null;
  stopEl = null;
  outputEl = null;
  getViewType() {
    return ASK_VIEW;
  }
  getDisplayText() {
    return "Ask your vault";
  }
  getIcon() {
    return "message-circle-question";
  }
  onOpen() {
    this.contentEl.empty();
    this.contentEl.addClass("pai-view", "pai-ask");
    const form = this.contentEl.createDiv({ cls: "pai-form" });
    const input = form.createEl("textarea", {
      cls: "pai-input",
      placeholder: "What do my notes say about…",
      attr: { rows: 3, "aria-label": "Question" }
    });
    const row = form.createDiv({ cls: "pai-form-row" });
    row.createSpan({ cls: "pai-hint", text: "Enter asks, shift+enter starts a new line" });
    this.stopEl = row.createEl("button", { cls: "pai-stop", text: "Stop" });
    this.askEl = row.createEl("button", { cls: "pai-send mod-cta", text: "Ask" });
    this.outputEl = this.contentEl.createDiv({ cls: "pai-output" });
    this.outputEl.createDiv({ cls: "pai-empty", text: "Answers come from your notes and show the passages they rest on." });
    this.inputEl = input;
    this.stopEl.hide();
    this.registerDomEvent(this.askEl, "click", () => void this.ask());
    this.registerDomEvent(this.stopEl, "click", () => {
      this.stop();
    });
    this.registerDomEvent(input, "keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.ask();
    });
    return Promise.resolve();
  }
  onClose() {
    this.stop();
    return Promise.resolve();
  }
  focusInput() {
    this.inputEl?.focus();
  }
  stop() {
    this.current?.abort();
  }
  async ask(question = this.inputEl?.value.trim() ?? "", asAsked = false) {
    if (!question || !this.outputEl) return;
    this.stop();
    const mine = new AbortController();
    this.current = mine;
    this.setBusy(true);
    const pane = new AnswerPane(this.app, this.outputEl, question);
    try {
      const answer = await this.host.daemon.ask({ question, limit: this.host.settings.sources, as_asked: asAsked }, mine.signal, {
        onSources: (citations) => {
          pane.setSources(citations);
        },
        onDelta: (text) => {
          pane.addText(text);
        },
        onCited: (n) => {
          pane.markCited(n);
        }
      });
      this.drawActions(pane.finish(answer, () => void this.ask(question, true)), answer, question);
    } catch (error) {
      if (asDaemonError(error).code === "stopped") pane.stop();
      else pane.fail(error);
    }
    if (this.current === mine) {
      this.current = null;
      this.setBusy(false);
    }
  }
  drawActions(parent, answer, question) {
    const copyEl = parent.createEl("button", { cls: "pai-copy", text: "Copy" });
    copyEl.addEventListener("click", () => void copy(toMarkdown(answer)));
    const insertEl = parent.createEl("button", { cls: "pai-insert", text: "Insert into note" });
    insertEl.addEventListener("click", () => {
      insertBelowCursor(this.app, toCallout(answer, question));
    });
  }
  setBusy(busy) {
    this.stopEl?.toggle(busy);
    this.askEl?.toggle(!busy);
  }
};

// src/fields.ts
var ContractError = class extends Error {
  name = "ContractError";
};
function kindOf(value) {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
function asString(value, where) {
  if (typeof value !== "string") throw new ContractError(`${where}: expected a string, got ${kindOf(value)}`);
  return value;
}
function asNumber(value, where) {
  if (typeof value !== "number") throw new ContractError(`${where}: expected a number, got ${kindOf(value)}`);
  return value;
}
function asArray(value, where) {
  if (!Array.isArray(value)) throw new ContractError(`${where}: expected an array, got ${kindOf(value)}`);
  return value;
}
var Fields = class _Fields {
  constructor(values, where) {
    this.values = values;
    this.where = where;
  }
  values;
  where;
  static of(unread, where) {
    const value = unread;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ContractError(`${where}: expected an object, got ${kindOf(value)}`);
    }
    return new _Fields(value, where);
  }
  string(key) {
    return asString(this.values[key], this.at(key));
  }
  number(key) {
    return asNumber(this.values[key], this.at(key));
  }
  boolean(key) {
    const value = this.values[key];
    if (typeof value !== "boolean") throw new ContractError(`${this.at(key)}: expected a boolean, got ${kindOf(value)}`);
    return value;
  }
  stringOrNull(key) {
    return this.values[key] == null ? null : asString(this.values[key], this.at(key));
  }
  numberOrNull(key) {
    return this.values[key] == null ? null : asNumber(this.values[key], this.at(key));
  }
  /** allowed: each value that the daemon may send, none left out. */
  oneOf(key, allowed) {
    const value = asString(this.values[key], this.at(key));
    if (!Object.hasOwn(allowed, value)) {
      throw new ContractError(`${this.at(key)}: ${value} is not one of ${Object.keys(allowed).join(", ")}`);
    }
    return value;
  }
  object(key) {
    return _Fields.of(this.values[key], this.at(key));
  }
  nullable(key, read) {
    const value = this.values[key];
    return value == null ? null : read(_Fields.of(value, this.at(key)));
  }
  list(key, read) {
    return asArray(this.values[key], this.at(key)).map(
      (one, index) => read(one, `${this.at(key)}[${String(index)}]`)
    );
  }
  strings(key) {
    return asArray(this.values[key], this.at(key)).map((one, index) => asString(one, `${this.at(key)}[${String(index)}]`));
  }
  numbers(key) {
    return asArray(this.values[key], this.at(key)).map((one, index) => asNumber(one, `${this.at(key)}[${String(index)}]`));
  }
  at(key) {
    return `${this.where}.${key}`;
  }
};

// src/contract.ts
var LOCATIONS = { embedded: true, local: true, remote: true };
var STATES = { starting: true, indexing: true, ready: true, held: true, error: true };
function readPassage(fields) {
  return {
    path: fields.string("path"),
    title: fields.string("title"),
    headingPath: fields.strings("heading_path"),
    text: fields.string("text"),
    startLine: fields.number("start_line"),
    endLine: fields.number("end_line"),
    blockId: fields.stringOrNull("block_id"),
    stale: fields.boolean("stale"),
    score: fields.number("score"),
    highlights: fields.list("highlights", readSpan),
    link: fields.string("link"),
    page: fields.numberOrNull("page")
  };
}
function readSpan(value, where) {
  const [start, end2] = asArray(value, where);
  if (typeof start !== "number" || typeof end2 !== "number") throw new ContractError(`${where}: expected two numbers`);
  return [start, end2];
}
function readCitation(value, where) {
  return { n: Fields.of(value, where).number("n"), ...readPassage(Fields.of(value, where)) };
}
function readGenerator(fields) {
  return { name: fields.string("name"), location: fields.oneOf("location", LOCATIONS) };
}
function readRelated(value, where) {
  const fields = Fields.of(value, where);
  return {
    path: fields.string("path"),
    title: fields.string("title"),
    score: fields.number("score"),
    why: fields.string("why"),
    link: fields.string("link"),
    linked: fields.boolean("linked"),
    passage: fields.nullable("passage", readPassage)
  };
}
function readSentence(value, where) {
  const fields = Fields.of(value, where);
  return {
    text: fields.string("text"),
    citations: fields.numbers("citations"),
    supported: fields.boolean("supported")
  };
}
function readMention(value, where) {
  const fields = Fields.of(value, where);
  return {
    text: fields.string("text"),
    line: fields.number("line"),
    columnUtf16: fields.number("column_utf16"),
    target: fields.string("target"),
    title: fields.string("title"),
    link: fields.string("link")
  };
}
function readProgress(fields) {
  return {
    phase: fields.string("phase"),
    done: fields.number("done"),
    total: fields.number("total"),
    unit: fields.string("unit"),
    etaS: fields.numberOrNull("eta_s")
  };
}
function readNoteProblem(value, where) {
  const fields = Fields.of(value, where);
  return {
    path: fields.string("path"),
    reason: fields.string("reason"),
    line: fields.numberOrNull("line"),
    column: fields.numberOrNull("column")
  };
}
function parseCitations(body) {
  return Fields.of(body, "sources").list("citations", readCitation);
}
function parseAnswer(body) {
  const fields = Fields.of(body, "answer");
  return {
    question: fields.string("question"),
    answer: fields.string("answer"),
    found: fields.boolean("found"),
    sentences: fields.list("sentences", readSentence),
    citations: fields.list("citations", readCitation),
    generator: readGenerator(fields.object("generator")),
    stages: fields.strings("stages"),
    warnings: fields.strings("warnings"),
    narrowed: fields.strings("narrowed"),
    revision: fields.number("revision"),
    tookMs: fields.number("took_ms")
  };
}
function parseSearch(body) {
  const fields = Fields.of(body, "search");
  return {
    results: fields.list("results", (value, where) => readPassage(Fields.of(value, where))),
    stages: fields.strings("stages"),
    pendingChunks: fields.number("pending_chunks"),
    revision: fields.number("revision")
  };
}
function parseRelated(body) {
  return Fields.of(body, "related").list("results", readRelated);
}
function parseLinks(body) {
  const fields = Fields.of(body, "links");
  return {
    path: fields.string("path"),
    mentions: fields.list("mentions", readMention),
    suggestions: fields.list("suggestions", readRelated)
  };
}
function parseStatus(body) {
  const fields = Fields.of(body, "status");
  const vault = fields.object("vault");
  const watcher = fields.object("watcher");
  return {
    version: fields.string("version"),
    vaultName: vault.string("name"),
    vaultPath: vault.string("path"),
    state: fields.oneOf("state", STATES),
    message: fields.stringOrNull("message"),
    revision: fields.number("revision"),
    notes: fields.number("notes"),
    chunks: fields.number("chunks"),
    pendingChunks: fields.number("pending_chunks"),
    progress: fields.nullable("progress", readProgress),
    problems: fields.list("problems", readNoteProblem),
    model: fields.nullable("model", (model) => ({
      name: model.string("name"),
      executionProvider: model.stringOrNull("execution_provider")
    })),
    generator: readGenerator(fields.object("generator")),
    watcher: { mode: watcher.string("mode"), reason: watcher.stringOrNull("reason") },
    rssBytes: fields.object("memory").number("rss_bytes"),
    indexBytes: fields.object("disk").number("index_bytes")
  };
}
function parseDelta(body) {
  return Fields.of(body, "delta").string("text");
}
function parseCited(body) {
  return Fields.of(body, "citation").number("n");
}
function parseProblem(body, status) {
  const raw = typeof body === "object" && body !== null ? body : {};
  const text = (key) => typeof raw[key] === "string" ? asString(raw[key], key) : "";
  return {
    status: typeof raw.status === "number" ? raw.status : status,
    code: text("code") || `http-${String(status)}`,
    title: text("title") || `Status ${String(status)}`,
    detail: text("detail"),
    hint: text("hint") || null
  };
}

// src/sse.ts
async function* readEvents(chunks) {
  let rest = "";
  let event = "";
  let data = [];
  for await (const chunk of chunks) {
    rest += chunk;
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
        event = "";
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") event = value;
      else if (field === "data") data.push(value);
    }
  }
}

// src/daemon.ts
var REPLY_S = 20;
var ANSWER_S = 300;
var SILENCE_S = 120;
var Daemon = class {
  constructor(parts) {
    this.parts = parts;
  }
  parts;
  async status() {
    return this.read(parseStatus, await this.exchange("GET", "/api/status"));
  }
  async search(q, mode, limit) {
    return this.read(parseSearch, await this.exchange("GET", "/api/search", { q, mode, limit }));
  }
  async related(path, limit) {
    return this.read(parseRelated, await this.exchange("GET", "/api/related", { path, limit }));
  }
  async links(path) {
    return this.read(parseLinks, await this.exchange("GET", "/api/links", { path }));
  }
  async reindex(force) {
    await this.exchange("POST", "/api/index", {}, { force });
  }
  /**
   * Returns the whole answer, telling of its parts as they arrive. Where streaming is
   * not possible (an older setting of allowed origins, a proxy) it asks once more
   * without it. Throws DaemonError; code "stopped" when the signal fired.
   */
  async ask(question, signal, events = {}) {
    const opened = await this.open("POST", "/api/ask", signal, { ...question, stream: true });
    if (opened) return this.readAnswer(opened, signal, events);
    const text = await untilAborted(this.exchange("POST", "/api/ask", {}, { ...question, stream: false }, ANSWER_S), signal);
    return this.read(parseAnswer, text);
  }
  /** Resolves when the stream of events ends; false where it could not be opened. */
  async listen(signal, onEvent) {
    const chunks = await this.open("GET", "/api/events", signal);
    if (!chunks) return false;
    try {
      for await (const event of readEvents(chunks)) onEvent(event);
    } catch (error) {
      if (!signal.aborted && error instanceof ContractError) throw error;
    }
    return true;
  }
  async readAnswer(chunks, signal, events) {
    try {
      for await (const { event, data } of readEvents(this.unlessSilent(chunks))) {
        const body = JSON.parse(data);
        if (event === "sources") events.onSources?.(parseCitations(body));
        else if (event === "delta") events.onDelta?.(parseDelta(body));
        else if (event === "citation") events.onCited?.(parseCited(body));
        else if (event === "done") return parseAnswer(body);
        else if (event === "error") throw DaemonError.fromProblem(parseProblem(body, 500));
      }
    } catch (error) {
      throw this.explain(error, signal);
    }
    throw signal.aborted ? DaemonError.stopped() : new DaemonError("cut-short", "The answer broke off before its end.", "Ask again.");
  }
  explain(error, signal) {
    if (signal.aborted) return DaemonError.stopped();
    if (error instanceof DaemonError) return error;
    if (error instanceof ContractError || error instanceof SyntaxError) return DaemonError.unknownForm(error.message);
    return new DaemonError("cut-short", "The connection to the daemon was lost.", "Ask again.");
  }
  async *unlessSilent(chunks) {
    const source = chunks[Symbol.asyncIterator]();
    try {
      for (; ; ) {
        const step = await this.within(SILENCE_S, source.next());
        if (step.done) return;
        yield step.value;
      }
    } finally {
      void source.return?.();
    }
  }
  /** Opens a stream, or returns null where only a plain request can tell what is wrong. */
  async open(method, path, signal, body) {
    const request = await this.request(method, path, {}, body);
    request.headers.Accept = "text/event-stream";
    let reply;
    try {
      reply = await this.within(ANSWER_S, this.parts.stream(request, signal));
    } catch (error) {
      if (signal.aborted) throw DaemonError.stopped();
      if (error instanceof DaemonError) throw error;
      return null;
    }
    if (reply.status < 400) return reply.chunks;
    let text = "";
    for await (const chunk of reply.chunks) text += chunk;
    throw DaemonError.fromProblem(parseProblem(parseJson(text), reply.status));
  }
  async exchange(method, path, query = {}, body, seconds = REPLY_S) {
    const request = await this.request(method, path, query, body);
    let reply;
    try {
      reply = await this.within(seconds, this.parts.send(request));
    } catch (error) {
      throw error instanceof DaemonError ? error : DaemonError.notRunning(this.parts.vaultPath);
    }
    if (reply.status < 400) return reply.text;
    throw DaemonError.fromProblem(parseProblem(parseJson(reply.text), reply.status));
  }
  async request(method, path, query, body) {
    const { url, token } = await this.parts.connect();
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) if (value !== void 0) search.set(key, String(value));
    const headers = { Authorization: `Bearer ${token}` };
    const target = `${url}${path}${search.size > 0 ? `?${search.toString()}` : ""}`;
    if (body === void 0) return { url: target, method, headers };
    headers["Content-Type"] = "application/json";
    return { url: target, method, headers, body: JSON.stringify(body) };
  }
  read(parse, text) {
    try {
      return parse(JSON.parse(text));
    } catch (error) {
      if (error instanceof ContractError || error instanceof SyntaxError) throw DaemonError.unknownForm(error.message);
      throw error;
    }
  }
  within(seconds, work) {
    return new Promise((resolve, reject) => {
      const cancel = this.parts.after(seconds * 1e3, () => {
        reject(DaemonError.timeout(seconds));
      });
      work.then(resolve, reject).finally(cancel);
    });
  }
};
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
function untilAborted(work, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      reject(DaemonError.stopped());
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", stop);
    });
  });
}

// src/discovery.ts
function configFolder(machine2) {
  const chosen = machine2.env("PAI_CONFIG_DIR");
  if (chosen) return chosen;
  if (machine2.platform === "win32") {
    const roaming = machine2.env("APPDATA") ?? machine2.join(machine2.home(), "AppData", "Roaming");
    return machine2.join(roaming, "pai-daemon");
  }
  if (machine2.platform === "darwin") return machine2.join(machine2.home(), "Library", "Application Support", "pai-daemon");
  const xdg = machine2.env("XDG_CONFIG_HOME");
  return xdg ? machine2.join(xdg, "pai-daemon") : machine2.join(machine2.home(), ".config", "pai-daemon");
}
function isLoopback(url) {
  try {
    const { protocol, hostname, username } = new URL(url);
    if (protocol !== "http:" && protocol !== "https:") return false;
    return username === "" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  } catch {
    return false;
  }
}
function parseRecord(text) {
  if (text === null) return null;
  try {
    const fields = Fields.of(JSON.parse(text), "daemon file");
    return { url: fields.string("url"), vault: fields.string("vault") };
  } catch (error) {
    if (error instanceof ContractError || error instanceof SyntaxError) return null;
    throw error;
  }
}
function findUrl(machine2, vaultPath) {
  const folder = machine2.join(configFolder(machine2), "daemons");
  const real = machine2.realPath(vaultPath);
  const byHash = parseRecord(machine2.readText(machine2.join(folder, `${machine2.sha256Hex(real).slice(0, 16)}.json`)));
  if (byHash) return byHash.url;
  const same = (path) => machine2.realPath(path).normalize("NFC") === real.normalize("NFC");
  for (const name of machine2.list(folder)) {
    const record = name.endsWith(".json") ? parseRecord(machine2.readText(machine2.join(folder, name))) : null;
    if (record && same(record.vault)) return record.url;
  }
  return null;
}
function discover(machine2, vaultPath, overrides) {
  const found = overrides.url.trim() === "" ? findUrl(machine2, vaultPath) : overrides.url.trim();
  if (found === null) throw DaemonError.notRunning(vaultPath);
  const url = found.replace(/\/+$/, "");
  if (!isLoopback(url)) {
    throw new DaemonError("not-local", `${url} is not an address of this machine.`, "Clear the address in this plugin's settings.");
  }
  const tokenFile = machine2.join(configFolder(machine2), "token");
  const token = overrides.token.trim() || (machine2.readText(tokenFile) ?? "").trim();
  if (!token) {
    throw new DaemonError("no-token", "There is no token to open the daemon with.", `Start the daemon once; it writes ${tokenFile}.`);
  }
  return { url, token };
}

// src/inline.ts
var import_obsidian3 = require("obsidian");

// src/pending-answer.ts
var import_commands = require("@codemirror/commands");
var import_state = require("@codemirror/state");
var import_view = require("@codemirror/view");
var ROOM_PX = 220;
var begin = import_state.StateEffect.define();
var write2 = import_state.StateEffect.define();
var end = import_state.StateEffect.define();
var PendingWidget = class extends import_view.WidgetType {
  constructor(pending) {
    super();
    this.pending = pending;
  }
  pending;
  eq(other) {
    return other.pending.id === this.pending.id && other.pending.text === this.pending.text;
  }
  toDOM() {
    const el = createDiv({ cls: "pai-pending" });
    el.createDiv({ cls: "pai-pending-text" });
    const button = el.createEl("button", { text: "Stop (esc)" });
    button.addEventListener("click", () => {
      this.pending.stop();
    });
    this.updateDOM(el);
    return el;
  }
  updateDOM(el) {
    el.querySelector(".pai-pending-text")?.setText(this.pending.text || "Reading your notes…");
    return true;
  }
  ignoreEvent() {
    return true;
  }
};
var pendings = import_state.StateField.define({
  create: () => [],
  update(list, transaction) {
    let next = list;
    if (transaction.docChanged) next = next.map((one) => ({ ...one, pos: transaction.changes.mapPos(one.pos, -1) }));
    for (const effect of transaction.effects) {
      if (effect.is(begin)) next = [...next, effect.value];
      else if (effect.is(end)) next = next.filter((one) => one.id !== effect.value);
      else if (effect.is(write2)) {
        const { id, text } = effect.value;
        next = next.map((one) => one.id === id ? { ...one, text } : one);
      }
    }
    return next;
  },
  provide: (field) => import_view.EditorView.decorations.compute(
    [field],
    (state) => import_view.Decoration.set(
      state.field(field).map((one) => {
        const widget = new PendingWidget(one);
        return import_view.Decoration.widget({ widget, block: true, side: 1 }).range(state.doc.lineAt(one.pos).to);
      }),
      true
    )
  )
});
function stopAll(view) {
  const list = view.state.field(pendings, false) ?? [];
  for (const pending of list) pending.stop();
  return list.length > 0;
}
var pendingAnswers = [pendings, import_state.Prec.highest(import_view.keymap.of([{ key: "Escape", run: stopAll }]))];
function find(view, id) {
  return view.state.field(pendings, false)?.find((one) => one.id === id);
}
function isLow(view, pos) {
  const at = view.coordsAtPos(pos);
  return at !== null && at.bottom > view.scrollDOM.getBoundingClientRect().bottom - ROOM_PX;
}
var PendingAnswer = class _PendingAnswer {
  constructor(view, pos, stop) {
    this.view = view;
    const started = begin.of({ id: this.id, pos, text: "", stop });
    view.dispatch({ effects: isLow(view, pos) ? [started, import_view.EditorView.scrollIntoView(pos, { y: "center" })] : started });
  }
  view;
  static count = 0;
  id = ++_PendingAnswer.count;
  write(text) {
    if (!find(this.view, this.id)) return false;
    this.view.dispatch({ effects: write2.of({ id: this.id, text }) });
    return true;
  }
  /** Puts a callout below the question's line, as one step of undo, and takes the widget away. */
  finish(callout) {
    const pending = find(this.view, this.id);
    if (!pending) return false;
    const { doc } = this.view.state;
    const line = doc.lineAt(pending.pos);
    const next = line.number < doc.lines ? doc.line(line.number + 1).text : null;
    this.view.dispatch({
      changes: { from: line.to, insert: setOff(callout, line.text, next) },
      effects: end.of(this.id),
      annotations: [import_commands.isolateHistory.of("full"), import_state.Transaction.userEvent.of("input.complete")]
    });
    return true;
  }
  cancel() {
    if (find(this.view, this.id)) this.view.dispatch({ effects: end.of(this.id) });
  }
};

// src/inline.ts
var InlineAnswers = class {
  constructor(host) {
    this.host = host;
  }
  host;
  running = /* @__PURE__ */ new Set();
  dispose() {
    for (const controller of this.running) controller.abort();
  }
  async answer(editor, info) {
    const selected = editor.getSelection().trim();
    const last = editor.getCursor("to");
    const question = selected || questionOf(editor.getLine(last.line));
    if (!question) {
      new import_obsidian3.Notice("Put the cursor on a question, or select one.");
      return;
    }
    const view = codeMirror(editor);
    if (!view) {
      new import_obsidian3.Notice("Answers need the editing view.");
      return;
    }
    await this.run(view, editor.posToOffset(last), question, info.file?.path);
  }
  async run(view, pos, question, note) {
    const controller = new AbortController();
    this.running.add(controller);
    const pending = new PendingAnswer(view, pos, () => {
      controller.abort();
    });
    let text = "";
    try {
      const asked = { question, limit: this.host.settings.sources, ...note === void 0 ? {} : { note } };
      const answer = await this.host.daemon.ask(asked, controller.signal, {
        onDelta: (delta) => {
          text += delta;
          if (!pending.write(text)) controller.abort();
        }
      });
      if (!pending.finish(toCallout(answer, question))) new import_obsidian3.Notice("The note was closed before its answer was ready.");
    } catch (error) {
      pending.cancel();
      const { code, advice } = asDaemonError(error);
      if (code !== "stopped") new import_obsidian3.Notice(advice, 1e4);
    } finally {
      this.running.delete(controller);
    }
  }
};
function codeMirror(editor) {
  return editor.cm;
}

// src/links-modal.ts
var import_obsidian4 = require("obsidian");

// src/mentions.ts
function editFor(mention, readLine) {
  const line = mention.line - 1;
  const from = mention.columnUtf16;
  const to = from + mention.text.length;
  if (readLine(line)?.slice(from, to) !== mention.text) return null;
  return { line, from, to, text: mention.link };
}
function editsFor(mentions, readLine) {
  const edits = [];
  for (const mention of mentions) {
    const edit = editFor(mention, readLine);
    if (edit && !edits.some((other) => overlaps(other, edit))) edits.push(edit);
  }
  return { edits, missed: mentions.length - edits.length };
}
function afterEdit(mentions, edit) {
  const grown = edit.text.length - (edit.to - edit.from);
  return mentions.flatMap((mention) => {
    if (mention.line - 1 !== edit.line) return [mention];
    const from = mention.columnUtf16;
    if (overlaps(edit, { line: edit.line, from, to: from + mention.text.length })) return [];
    return [from >= edit.to ? { ...mention, columnUtf16: from + grown } : mention];
  });
}
function overlaps(a, b) {
  return a.line === b.line && a.from < b.to && b.from < a.to;
}

// src/links-modal.ts
var AROUND = 48;
var LinksModal = class extends import_obsidian4.Modal {
  constructor(app, host, editor, file) {
    super(app);
    this.host = host;
    this.editor = editor;
    this.file = file;
    this.cursor = editor.getCursor("to");
  }
  host;
  editor;
  file;
  mentions = [];
  suggestions = [];
  cursor;
  onOpen() {
    this.modalEl.addClass("pai-modal");
    this.setTitle(`Suggested links for ${this.file.basename}`);
    this.contentEl.createDiv({ cls: "pai-empty", text: "Looking for notes this one could link to…" });
    void this.load();
  }
  onClose() {
    this.contentEl.empty();
  }
  async load() {
    try {
      this.take(await this.host.daemon.links(this.file.path));
      this.draw();
    } catch (error) {
      this.contentEl.empty();
      drawError(this.contentEl, error);
    }
  }
  take(links) {
    this.mentions = links.mentions;
    this.suggestions = links.suggestions.filter((note) => !note.linked);
  }
  readLine = (line) => line < this.editor.lineCount() ? this.editor.getLine(line) : null;
  draw() {
    this.contentEl.empty();
    if (this.mentions.length === 0 && this.suggestions.length === 0) {
      this.contentEl.createDiv({ cls: "pai-empty", text: "No further links to suggest." });
      return;
    }
    if (this.mentions.length > 0) this.drawMentions();
    if (this.suggestions.length > 0) this.drawSuggestions();
  }
  drawMentions() {
    const head = this.contentEl.createDiv({ cls: "pai-modal-head" });
    head.createDiv({ cls: "pai-heading", text: "Mentioned but not linked" });
    const all = head.createEl("button", { cls: "pai-accept-all mod-cta", text: "Link all" });
    all.addEventListener("click", () => {
      this.acceptAll();
    });
    for (const mention of this.mentions) {
      const row = this.contentEl.createDiv({ cls: "pai-link-row" });
      const words = row.createDiv({ cls: "pai-link-words" });
      this.drawContext(words.createDiv(), mention);
      words.createDiv({ cls: "pai-row-detail", text: `Line ${String(mention.line)} → ${mention.title}` });
      const accept = row.createEl("button", { cls: "pai-accept", text: "Link" });
      accept.addEventListener("click", () => {
        this.accept(mention);
      });
    }
  }
  drawContext(parent, mention) {
    const line = this.readLine(mention.line - 1) ?? "";
    const from = mention.columnUtf16;
    const to = from + mention.text.length;
    const begin2 = Math.max(0, from - AROUND);
    parent.appendText(`${begin2 > 0 ? "…" : ""}${line.slice(begin2, from)}`);
    parent.createEl("mark", { text: mention.text });
    parent.appendText(`${line.slice(to, to + AROUND)}${line.length > to + AROUND ? "…" : ""}`);
  }
  drawSuggestions() {
    this.contentEl.createDiv({ cls: "pai-modal-head" }).createDiv({ cls: "pai-heading", text: "Close in meaning" });
    for (const note of this.suggestions) {
      const row = this.contentEl.createDiv({ cls: "pai-link-row" });
      const words = row.createDiv({ cls: "pai-link-words" });
      words.createDiv({ cls: "pai-row-place", text: note.title });
      words.createDiv({ cls: "pai-row-detail", text: note.why });
      const insert = row.createEl("button", { cls: "pai-suggest-insert", text: "Insert at cursor" });
      insert.addEventListener("click", () => {
        this.editor.setCursor(this.cursor);
        this.editor.replaceSelection(note.link);
        this.close();
      });
    }
  }
  accept(mention) {
    const edit = editFor(mention, this.readLine);
    if (!edit) {
      this.tellMissed(1);
      return;
    }
    this.apply([edit]);
    this.mentions = afterEdit(this.mentions, edit);
    this.draw();
  }
  acceptAll() {
    const { edits, missed } = editsFor(this.mentions, this.readLine);
    this.apply(edits);
    if (missed > 0) this.tellMissed(missed);
    else new import_obsidian4.Notice(`${String(edits.length)} links added.`);
    this.close();
  }
  /** One transaction, so that one undo takes all of it back. */
  apply(edits) {
    this.editor.transaction({
      changes: edits.map(({ line, from, to, text }) => ({ from: { line, ch: from }, to: { line, ch: to }, text }))
    });
  }
  tellMissed(count2) {
    const what = count2 === 1 ? "A mention no longer stands" : `${String(count2)} mentions no longer stand`;
    new import_obsidian4.Notice(`${what} where it was read. Open the suggestions again.`);
  }
};

// src/machine.ts
var import_crypto = require("crypto");
var import_fs = require("fs");
var import_os = require("os");
var import_path = require("path");
function or(fallback, read) {
  try {
    return read();
  } catch {
    return fallback;
  }
}
var machine = {
  platform: (0, import_os.platform)(),
  env: (name) => process.env[name],
  home: import_os.homedir,
  join: import_path.join,
  readText: (path) => or(null, () => (0, import_fs.readFileSync)(path, "utf8")),
  list: (path) => or([], () => (0, import_fs.readdirSync)(path)),
  // On Windows only the native call gives the letter case the daemon sees.
  realPath: (path) => or(path, () => (0, import_os.platform)() === "win32" ? import_fs.realpathSync.native(path) : (0, import_fs.realpathSync)(path)),
  sha256Hex: (text) => (0, import_crypto.createHash)("sha256").update(text, "utf8").digest("hex")
};

// src/patience.ts
var WAITS_MS = [1e3, 2e3, 4e3];
function patiently(send2, after2, dice = Math.random) {
  return async (request) => {
    for (const wait of WAITS_MS) {
      const reply = await send2(request);
      if (reply.status !== 429) return reply;
      await new Promise((resolve) => {
        after2(wait * (1 + dice() / 2), resolve);
      });
    }
    return send2(request);
  };
}

// src/related-view.ts
var import_obsidian6 = require("obsidian");

// src/transport.ts
var import_obsidian5 = require("obsidian");
var send = async ({ url, method, headers, body }) => {
  const reply = await (0, import_obsidian5.requestUrl)({ url, method, headers, throw: false, ...body === void 0 ? {} : { body } });
  return { status: reply.status, text: reply.text };
};
var stream = async ({ url, method, headers, body }, signal) => {
  const reply = await window.fetch(url, { method, headers, signal, cache: "no-store", ...body === void 0 ? {} : { body } });
  return { status: reply.status, chunks: textOf(reply) };
};
async function* textOf(reply) {
  if (!reply.body) return;
  const reader = reply.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel().catch(() => void 0);
  }
}
var after = (ms, then) => {
  const timer = window.setTimeout(then, ms);
  return () => {
    window.clearTimeout(timer);
  };
};

// src/related-view.ts
var RELATED_VIEW = "pai-daemon-related";
var SETTLE_MS = 250;
var REVISION_MS = 1500;
var WORDS2 = 160;
var RelatedView = class extends import_obsidian6.ItemView {
  constructor(leaf, host) {
    super(leaf);
    this.host = host;
  }
  host;
  navigation = false;
  cancelPlan = () => void 0;
  shownPath = null;
  revision = -1;
  asked = 0;
  getViewType() {
    return RELATED_VIEW;
  }
  getDisplayText() {
    return "Related notes";
  }
  getIcon() {
    return "waypoints";
  }
  onOpen() {
    this.contentEl.addClass("pai-view", "pai-related");
    this.registerEvent(this.app.workspace.on("file-open", () => {
      this.plan(SETTLE_MS);
    }));
    this.register(
      this.host.feed.subscribe(({ status }) => {
        const revision = status?.revision ?? -1;
        if (revision === this.revision) return;
        this.revision = revision;
        if (status) this.plan(REVISION_MS);
      })
    );
    this.register(() => {
      this.cancelPlan();
    });
    this.plan(0);
    return Promise.resolve();
  }
  plan(ms) {
    this.cancelPlan();
    this.cancelPlan = after(ms, () => void this.show());
  }
  async show() {
    const path = this.app.workspace.getActiveFile()?.path ?? null;
    const mine = ++this.asked;
    if (!path) {
      this.draw(null, []);
      return;
    }
    try {
      const notes = await this.host.daemon.related(path, this.host.settings.related);
      if (mine === this.asked) this.draw(path, notes);
    } catch (error) {
      if (mine === this.asked) this.drawFailure(asDaemonError(error));
    }
  }
  drawFailure(error) {
    this.shownPath = null;
    this.contentEl.empty();
    if (error.code === "not_found") this.contentEl.createDiv({ cls: "pai-empty", text: error.advice });
    else drawError(this.contentEl, error);
  }
  draw(path, notes) {
    const scroll = path === this.shownPath ? this.contentEl.scrollTop : 0;
    this.contentEl.empty();
    this.shownPath = path;
    if (path === null) {
      this.contentEl.createDiv({ cls: "pai-empty", text: "Open a note to see what is related to it." });
      return;
    }
    const name = path.split("/").pop()?.replace(/\.md$/, "") ?? path;
    this.contentEl.createDiv({ cls: "pai-heading", text: `Related to ${name}` });
    if (notes.length === 0) this.contentEl.createDiv({ cls: "pai-empty", text: "Nothing close to this note was found." });
    for (const note of notes) this.drawNote(note);
    this.contentEl.scrollTop = scroll;
  }
  drawNote(note) {
    const words = note.passage ? marked({ text: note.passage.text, highlights: [] }, WORDS2) : [];
    drawRow(this.contentEl, {
      place: note.title,
      detail: note.why,
      words,
      link: note.link,
      open: (event) => void openAt(this.app, note.passage ?? { path: note.path, startLine: 1, page: null }, event),
      insert: () => {
        insertAtCursor(this.app, note.link);
      },
      ...note.linked ? { badge: { text: "Linked", why: "These notes already link to each other" } } : {}
    });
  }
};

// src/search-modal.ts
var import_obsidian7 = require("obsidian");
var LIMIT = 12;
var TYPING_MS = 180;
var WORDS3 = 180;
var SearchModal = class extends import_obsidian7.SuggestModal {
  constructor(app, host) {
    super(app);
    this.host = host;
    this.modalEl.addClass("pai-search");
    this.setPlaceholder("Describe what you are looking for…");
    this.setInstructions([
      { command: "↵", purpose: "to open" },
      { command: "esc", purpose: "to close" }
    ]);
  }
  host;
  asked = 0;
  latest = [];
  async getSuggestions(query) {
    const mine = ++this.asked;
    if (!query.trim()) return [];
    await sleep(TYPING_MS);
    if (mine !== this.asked) return this.latest;
    try {
      const { results } = await this.host.daemon.search(query, this.host.settings.mode, LIMIT);
      this.emptyStateText = "Nothing close to this was found.";
      if (mine === this.asked) this.latest = results;
    } catch (error) {
      this.emptyStateText = asDaemonError(error).advice;
      if (mine === this.asked) this.latest = [];
    }
    return this.latest;
  }
  renderSuggestion(passage, el) {
    el.addClass("pai-suggestion");
    el.createDiv({ cls: "pai-row-place", text: placeOf(passage) });
    drawMarked(el.createDiv({ cls: "pai-row-words" }), marked(passage, WORDS3));
    el.createDiv({ cls: "pai-row-detail", text: `${passage.path} · ${linesOf(passage)}` });
  }
  onChooseSuggestion(passage, event) {
    void openAt(this.app, passage, event);
  }
};

// src/settings.ts
var import_obsidian8 = require("obsidian");
var DEFAULTS = { url: "", sources: 6, related: 10, mode: "hybrid" };
var SECRET = "pai-daemon-token";
var MODES = { hybrid: "Meaning and words", semantic: "Meaning only", text: "Words only" };
function whole(value, fallback, max) {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max ? value : fallback;
}
function readSettings(data) {
  const raw = typeof data === "object" && data !== null ? data : {};
  return {
    url: typeof raw.url === "string" ? raw.url : DEFAULTS.url,
    sources: whole(raw.sources, DEFAULTS.sources, 20),
    related: whole(raw.related, DEFAULTS.related, 50),
    mode: raw.mode === "semantic" || raw.mode === "text" ? raw.mode : DEFAULTS.mode
  };
}
function readToken(app) {
  return app.secretStorage.getSecret(SECRET) ?? "";
}
var SettingsTab = class extends import_obsidian8.PluginSettingTab {
  constructor(app, owner) {
    super(app, owner);
    this.owner = owner;
  }
  owner;
  display() {
    const { containerEl } = this;
    containerEl.empty();
    this.drawConnection();
    this.drawAnswers();
  }
  drawConnection() {
    new import_obsidian8.Setting(this.containerEl).setName("Connection").setHeading();
    new import_obsidian8.Setting(this.containerEl).setName("Address").setDesc("Leave empty to find the daemon that serves this vault. Only addresses of this machine are accepted.").addText(
      (text) => text.setPlaceholder("http://127.0.0.1:8377").setValue(this.owner.settings.url).onChange((value) => this.change({ url: value.trim() }))
    );
    new import_obsidian8.Setting(this.containerEl).setName("Token").setDesc(
      "Leave empty to read it from your configuration folder. A pasted token is kept in this app's secret storage, never in the vault."
    ).addText((text) => {
      text.inputEl.type = "password";
      text.setPlaceholder("Found automatically").setValue(readToken(this.app)).onChange((value) => {
        this.app.secretStorage.setSecret(SECRET, value.trim());
        this.owner.settingsChanged();
      });
    });
  }
  drawAnswers() {
    new import_obsidian8.Setting(this.containerEl).setName("Answers and links").setHeading();
    this.addNumber("Sources for an answer", "How many passages an answer may rest on.", "sources", 20);
    this.addNumber("Related notes", "How many notes the side panel lists.", "related", 50);
    new import_obsidian8.Setting(this.containerEl).setName("Search mode").setDesc("What the search command looks at.").addDropdown(
      (dropdown) => dropdown.addOptions(MODES).setValue(this.owner.settings.mode).onChange((value) => this.change({ mode: readSettings({ mode: value }).mode }))
    );
  }
  addNumber(name, description, key, max) {
    new import_obsidian8.Setting(this.containerEl).setName(name).setDesc(description).addSlider(
      (slider) => slider.setLimits(1, max, 1).setValue(this.owner.settings[key]).onChange((value) => this.change({ [key]: value }))
    );
  }
  async change(part) {
    this.owner.settings = { ...this.owner.settings, ...part };
    await this.owner.saveSettings();
    this.owner.settingsChanged();
  }
};

// src/status-bar.ts
function barText(pulse) {
  if (!pulse) return "pai: connecting…";
  if (!pulse.status) {
    const words = { "not-running": "not running", "no-token": "no token", unauthorized: "token refused" };
    return `pai: ${words[pulse.error.code] ?? "not available"}`;
  }
  const { state, progress, pendingChunks } = pulse.status;
  if (state === "error") return "pai: needs attention";
  if (state === "held") return "pai: waiting for you";
  if (progress && progress.total > 0) return `pai: ${percent(progress)}`;
  if (state === "ready") return pendingChunks > 0 ? "pai: updating…" : "pai: ready";
  return state === "starting" ? "pai: starting…" : "pai: indexing…";
}
function percent(progress) {
  const share = `${String(Math.floor(100 * progress.done / progress.total))} %`;
  return progress.etaS === null ? share : `${share} · ${spoken(progress.etaS)} left`;
}
var StatusBar = class {
  constructor(el, onClick) {
    this.el = el;
    el.addClass("pai-status", "mod-clickable");
    el.setAttr("aria-label", "Show the state of your vault's daemon");
    el.setAttr("data-tooltip-position", "top");
    el.addEventListener("click", onClick);
    this.show(null);
  }
  el;
  show(pulse) {
    this.el.setText(barText(pulse));
    this.el.toggleClass("is-down", pulse !== null && pulse.status === null);
    this.el.toggleClass("is-trouble", pulse?.status?.state === "error" || pulse?.status?.state === "held");
  }
};

// src/status-feed.ts
var BUSY_MS = 2e3;
var QUIET_MS = 3e4;
var DOWN_MS = 5e3;
var EVENT_MS = 400;
var StatusFeed = class {
  constructor(daemon, after2) {
    this.daemon = daemon;
    this.after = after2;
  }
  daemon;
  after;
  latest = null;
  listeners = /* @__PURE__ */ new Set();
  ending = new AbortController();
  cancelNext = () => void 0;
  polling = false;
  listening = false;
  /** Calls `listener` with each new status; returns how to stop that. */
  subscribe(listener) {
    this.listeners.add(listener);
    if (this.latest) listener(this.latest);
    return () => this.listeners.delete(listener);
  }
  async refresh() {
    if (this.polling || this.ending.signal.aborted) return;
    this.polling = true;
    this.cancelNext();
    const pulse = await this.ask();
    this.polling = false;
    if (this.isOver()) return;
    this.latest = pulse;
    for (const listener of this.listeners) listener(pulse);
    this.plan(this.pause(pulse));
    if (pulse.status) void this.listen();
  }
  dispose() {
    this.ending.abort();
    this.cancelNext();
    this.listeners.clear();
  }
  isOver() {
    return this.ending.signal.aborted;
  }
  async ask() {
    try {
      return { status: await this.daemon.status(), error: null };
    } catch (error) {
      if (error instanceof DaemonError) return { status: null, error };
      return { status: null, error: new DaemonError("unknown", String(error)) };
    }
  }
  pause({ status }) {
    if (!status) return DOWN_MS;
    return status.state === "indexing" || status.state === "starting" ? BUSY_MS : QUIET_MS;
  }
  plan(ms) {
    this.cancelNext();
    this.cancelNext = this.after(ms, () => void this.refresh());
  }
  async listen() {
    if (this.listening) return;
    this.listening = true;
    let opened = false;
    try {
      opened = await this.daemon.listen(this.ending.signal, () => {
        this.plan(EVENT_MS);
      });
    } catch {
    }
    this.listening = false;
    if (opened && !this.isOver()) this.plan(EVENT_MS);
  }
};

// src/status-modal.ts
var import_obsidian9 = require("obsidian");
var STATES2 = {
  starting: "Starting",
  indexing: "Reading your notes",
  ready: "Ready",
  held: "Waiting for you",
  error: "Stopped by an error"
};
var PLACES = { embedded: "inside the daemon", local: "on this machine", remote: "on another machine" };
function count(number) {
  return number.toLocaleString();
}
function megabytes(bytes) {
  return `${(bytes / 1e6).toLocaleString(void 0, { maximumFractionDigits: 0 })} MB`;
}
var StatusModal = class extends import_obsidian9.Modal {
  constructor(app, host) {
    super(app);
    this.host = host;
  }
  host;
  unsubscribe = () => void 0;
  onOpen() {
    this.modalEl.addClass("pai-modal");
    this.setTitle("Your vault's daemon");
    this.unsubscribe = this.host.feed.subscribe((pulse) => {
      this.draw(pulse);
    });
    void this.host.feed.refresh();
  }
  onClose() {
    this.unsubscribe();
    this.contentEl.empty();
  }
  draw(pulse) {
    this.contentEl.empty();
    if (!pulse.status) {
      drawError(this.contentEl, pulse.error);
      return;
    }
    const { status } = pulse;
    if (status.message) this.contentEl.createDiv({ cls: "pai-warning", text: status.message });
    const table = this.contentEl.createEl("dl", { cls: "pai-facts" });
    for (const [name, value] of this.facts(pulse, status)) {
      table.createEl("dt", { text: name });
      table.createEl("dd", { text: value });
    }
    if (status.problems.length > 0) this.drawProblems(status.problems);
    const row = this.contentEl.createDiv({ cls: "pai-actions" });
    const again = row.createEl("button", { cls: "pai-reindex", text: "Re-index this vault" });
    again.addEventListener("click", () => void reindex(this.host));
  }
  facts(pulse, status) {
    const { model, watcher, generator } = status;
    const watching = { native: "as you save", polling: "every few seconds", off: "not watched" }[watcher.mode] ?? watcher.mode;
    return [
      ["State", status.progress ? `${STATES2[status.state]} (${barText(pulse).replace("pai: ", "")})` : STATES2[status.state]],
      ["Vault", status.vaultPath],
      ["Notes", `${count(status.notes)} notes, ${count(status.chunks)} passages, ${count(status.pendingChunks)} waiting`],
      ["Changes", watcher.reason ? `${watching} (${watcher.reason})` : watching],
      ["Model", model ? `${model.name} (${model.executionProvider ?? "loading"})` : "not loaded"],
      ["Answers", `${generator.name}, ${PLACES[generator.location]}`],
      ["Memory and disk", `${megabytes(status.rssBytes)} in memory, ${megabytes(status.indexBytes)} of index`],
      ["Version", `${status.version}, revision ${String(status.revision)}`]
    ];
  }
  drawProblems(problems) {
    this.contentEl.createDiv({ cls: "pai-heading", text: "Notes that could not be read in full" });
    for (const problem of problems) {
      const row = this.contentEl.createDiv({ cls: "pai-row", attr: { role: "link", tabindex: "0" } });
      row.createDiv({ cls: "pai-row-place", text: problem.path });
      const where = problem.line === null ? "" : `Line ${String(problem.line)}: `;
      row.createDiv({ cls: "pai-row-detail", text: `${where}${problem.reason}` });
      row.addEventListener("click", (event) => {
        this.close();
        void openAt(this.app, { path: problem.path, startLine: problem.line ?? 1, page: null }, event);
      });
    }
  }
};
async function reindex(host) {
  try {
    await host.daemon.reindex(false);
    new import_obsidian9.Notice("The daemon is looking at your notes again.");
    void host.feed.refresh();
  } catch (error) {
    new import_obsidian9.Notice(asDaemonError(error).advice, 1e4);
  }
}

// src/main.ts
var PaiPlugin = class extends import_obsidian10.Plugin {
  settings = readSettings(null);
  daemon = new Daemon({ send: patiently(send, after), stream, after, connect: () => this.connect(), vaultPath: this.vaultPath() });
  feed = new StatusFeed(this.daemon, after);
  inline = new InlineAnswers(this);
  async onload() {
    this.settings = readSettings(await this.loadData());
    this.registerView(ASK_VIEW, (leaf) => new AskView(leaf, this));
    this.registerView(RELATED_VIEW, (leaf) => new RelatedView(leaf, this));
    this.registerEditorExtension(pendingAnswers);
    this.addSettingTab(new SettingsTab(this.app, this));
    this.addRibbonIcon("message-circle-question", "Ask your vault", () => void this.openAsk());
    const bar = new StatusBar(this.addStatusBarItem(), () => {
      this.showStatus();
    });
    this.register(this.feed.subscribe((pulse) => {
      bar.show(pulse);
    }));
    this.addCommands();
    this.app.workspace.onLayoutReady(() => void this.feed.refresh());
  }
  onunload() {
    this.inline.dispose();
    this.feed.dispose();
  }
  async saveSettings() {
    await this.saveData(this.settings);
  }
  settingsChanged() {
    void this.feed.refresh();
  }
  addCommands() {
    this.addCommand({ id: "ask", name: "Ask your vault", callback: () => void this.openAsk() });
    this.addCommand({
      id: "answer-here",
      name: "Answer here",
      editorCallback: (editor, info) => void this.inline.answer(editor, info)
    });
    this.addCommand({
      id: "suggest-links",
      name: "Suggest links for this note",
      editorCallback: (editor, { file }) => {
        if (file) new LinksModal(this.app, this, editor, file).open();
      }
    });
    this.addCommand({ id: "related", name: "Show related notes", callback: () => void this.openRelated() });
    this.addCommand({ id: "search", name: "Search by meaning", callback: () => {
      new SearchModal(this.app, this).open();
    } });
    this.addCommand({ id: "reindex", name: "Re-index this vault", callback: () => void reindex(this) });
    this.addCommand({ id: "status", name: "Show status", callback: () => {
      this.showStatus();
    } });
  }
  async openAsk() {
    const leaf = await this.app.workspace.ensureSideLeaf(ASK_VIEW, "right", { active: true, reveal: true });
    if (leaf.view instanceof AskView) leaf.view.focusInput();
  }
  async openRelated() {
    await this.app.workspace.ensureSideLeaf(RELATED_VIEW, "right", { active: false, reveal: true });
  }
  showStatus() {
    new StatusModal(this.app, this).open();
  }
  vaultPath() {
    const { adapter } = this.app.vault;
    return adapter instanceof import_obsidian10.FileSystemAdapter ? adapter.getBasePath() : "";
  }
  connect() {
    const overrides = { url: this.settings.url, token: readToken(this.app) };
    return new Promise((resolve) => {
      resolve(discover(machine, this.vaultPath(), overrides));
    });
  }
};
