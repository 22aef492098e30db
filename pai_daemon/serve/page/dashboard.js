// The dashboard: asks the API and shows what it says. Whatever comes from a note is set as text, never as markup.

import { showActing } from "./acting.js";

const at = (id) => document.getElementById(id);
const MEBIBYTE = 2 ** 20;
const LOOK_MS = 2000;
const MOST_POINTS = 150;
const MOST_TURNS = 20;
// A note's own words could name any other address here.
const LINKS = /^(obsidian|logseq):\/\//;

/** Returns an element with text or elements in it. */
function made(name, content = "", attributes = {}) {
  const element = document.createElement(name);
  element.append(...[content].flat());
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

class Refused extends Error {
  constructor(problem, status) {
    super([problem.detail, problem.hint].filter(Boolean).join(" ") || `The daemon answered with status ${status}.`);
    this.status = status;
  }
}

async function call(path, body, signal) {
  const options = body === undefined ? {} : { signal, method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused({ detail: "The daemon does not answer.", hint: "Start it with: pai start VAULT" }, 0);
  }
  if (!response.ok) throw new Refused(await response.json().catch(() => ({})), response.status);
  return response;
}

const ask = async (path, body) => (await call(path, body)).json();

/** Yields the events of a stream: [name, data]. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const frames = (waiting + value).split("\n\n");
    waiting = frames.pop();
    for (const frame of frames) {
      const fields = Object.fromEntries(frame.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      if (fields.event) yield [fields.event, JSON.parse(fields.data)];
    }
  }
}

// What is found.

/** Returns a text with its highlighted spans, which are counted in code points. */
function highlighted(text, spans) {
  const letters = Array.from(text);
  const parts = [];
  let end = 0;
  for (const [from, to] of spans) {
    if (from < end) continue;
    parts.push(letters.slice(end, from).join(""), made("mark", letters.slice(from, to).join("")));
    end = to;
  }
  return [...parts, letters.slice(end).join("")];
}

function shownPassage(passage) {
  const name = [passage.title, ...passage.heading_path.slice(-1)].filter((part, place, all) => all.indexOf(part) === place).join(" › ");
  const title = LINKS.test(passage.uri) ? made("a", name, { href: passage.uri }) : made("span", name);
  const item = made("li", [made("h3", title), made("p", highlighted(passage.text, passage.highlights))]);
  if (passage.n !== undefined) Object.assign(item, { id: `passage-${passage.n}`, value: passage.n });
  if (passage.stale) item.append(made("p", "The note has changed since it was indexed.", { class: "bad" }));
  return item;
}

function showPassages(passages) {
  at("passages").replaceChildren(...passages.map(shownPassage));
  at("passages").hidden = passages.length === 0;
}

function showAnswer(answer) {
  const parts = answer.sentences.map(({ text, citations, supported }) =>
    made("span", [text, ...citations.map((n) => made("a", ` [${n}]`, { href: `#passage-${n}` })), " "], supported ? {} : { class: "unsupported", title: "The cited passages do not say this" }));
  at("answer").replaceChildren(...(parts.length ? parts : [answer.answer]));
  at("answer").hidden = false;
  showPassages(answer.found ? answer.citations : answer.nearest);
  at("told").textContent = [...answer.warnings, `${[answer.generator.name, answer.generator.why].filter(Boolean).join(": ")}, ${Math.round(answer.took_ms)} ms`].join(" · ");
  addPoint("latency", answer.took_ms);
}

// A conversation, until it is ended or the page is closed: what was said goes along with the next question.
const talk = [];

function showTalk(turns) {
  at("talk").replaceChildren(...turns.map(({ role, content }) => made("li", content, { class: role })));
  at("talk").hidden = turns.length === 0;
  at("anew").hidden = talk.length === 0;
}

at("anew").addEventListener("click", () => {
  talk.length = 0;
  showTalk(talk);
  showOnly([], "");
  showPassages([]);
  at("answer").hidden = true;
  at("told").textContent = "";
  at("question").focus();
});

/** Shows how a question was read, and a way to ask it as it stands. */
function showOnly(narrowed, question) {
  const without = made("button", "Ask as it stands", { type: "button", class: "quiet" });
  without.addEventListener("click", () => during(() => answered(question, true)));
  at("only").replaceChildren(made("span", `Read as: ${narrowed.join(", ")}.`), without);
  at("only").hidden = narrowed.length === 0;
}

async function answered(question, asAsked = false) {
  // Asked again without its limits, a question takes the place of the one before.
  if (asAsked) talk.splice(-2);
  const before = talk.slice(-MOST_TURNS);
  at("answer").replaceChildren();
  showTalk(before);
  showOnly([], "");
  const response = await call("/api/ask", { question, history: before, as_asked: asAsked, stream: true });
  for await (const [name, data] of events(response)) {
    if (name === "sources") showPassages(data.citations);
    if (name === "notice") {
      at("told").textContent = data.text;
      if (data.preview) at("answer").replaceChildren(made("em", data.preview));
      at("answer").hidden = !data.preview;
    }
    if (name === "delta") {
      at("answer").querySelector("em")?.remove();
      at("answer").hidden = false;
      at("answer").append(data.text);
    }
    if (name === "done") {
      talk.push({ role: "user", content: question }, { role: "assistant", content: data.answer });
      at("anew").hidden = false;
      showOnly(data.narrowed, question);
      return showAnswer(data);
    }
    if (name === "error") throw new Refused(data, data.status);
  }
  throw new Refused({ detail: "The answer broke off." }, 0);
}

async function searched(question) {
  showTalk([]);
  showOnly([], "");
  at("answer").hidden = true;
  const found = await ask(`/api/search?${new URLSearchParams({ q: question })}`);
  showPassages(found.results);
  const count = `${found.results.length || "No"} passage${found.results.length === 1 ? "" : "s"}, ${Math.round(found.took_ms)} ms`;
  const read = found.understood.length ? [`Read as: ${found.understood.join(" ")}`] : [];
  at("told").textContent = [count, ...read, ...found.notices].join(" · ");
  addPoint("latency", found.took_ms);
}

/** Does what a person asked for, one thing at a time, and says what went wrong. */
async function during(work) {
  const buttons = [...document.querySelectorAll("#ask button, #only button")];
  if (buttons.some((button) => button.disabled)) return;
  for (const button of buttons) button.disabled = true;
  at("told").textContent = "Looking…";
  try {
    await work();
  } catch (error) {
    told(error);
    at("told").textContent = error.message;
  }
  for (const button of buttons) button.disabled = false;
}

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = at("question").value.trim();
  const how = event.submitter?.value === "search" ? searched : answered;
  if (question) during(() => how(question));
});

// Models.

let pulling = null;

/** Returns a button that does something with a model, and says beside the models how it went. */
function doing(label, model, work) {
  const button = made("button", label, { type: "button", class: "quiet", "aria-label": `${label}: ${model.name}` });
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      at("models-told").textContent = await work(model);
    } catch (error) {
      told(error);
      at("models-told").textContent = error.message;
    }
    button.disabled = false;
    await showModels();
  });
  return button;
}

async function use({ name }) {
  await ask("/api/model", { model: name });
  return `${name} answers once it has embedded everything; until then the one before does.`;
}

async function pull({ name, must_accept: mustAccept }) {
  if (pulling !== null) return "One model is being fetched already.";
  pulling = new AbortController();
  at("pull-label").textContent = `Fetching ${name}…`;
  at("pull").hidden = false;
  try {
    const response = await call("/api/models/pull", { model: name, accept_licence: mustAccept }, pulling.signal);
    for await (const [event, data] of events(response)) {
      if (event === "progress") showPull(name, data);
      if (event === "error") throw new Refused(data, data.status);
      if (event === "done") return `${name} is here.`;
    }
    throw new Refused({ detail: "It broke off.", hint: "Fetch it again: it goes on where it was." }, 0);
  } catch (error) {
    if (pulling.signal.aborted) return `${name} is not fetched; what is here is kept.`;
    throw error;
  } finally {
    pulling = null;
    at("pull").hidden = true;
    at("pulled").removeAttribute("value");
  }
}

function showPull(name, { file, done, total }) {
  at("pull-label").textContent = `${name}: ${file}, ${Math.round(done / MEBIBYTE)} of ${total ? Math.round(total / MEBIBYTE) : "?"} MiB`;
  if (total) Object.assign(at("pulled"), { max: total, value: done });
}

at("pull-end").addEventListener("click", () => pulling?.abort());

function modelRow(model) {
  const languages = model.languages.length > 4 ? `${model.languages.length} languages` : model.languages.join(" ");
  const about = [languages, `${model.dimensions} numbers`, model.size_mb && `${model.size_mb} MB`, model.here ? "installed" : ""].filter(Boolean).join(", ");
  const label = model.must_accept ? "Accept the licence and fetch" : "Fetch";
  const action = model.chosen ? "chosen" : model.here ? doing("Use", model, use) : doing(label, model, pull);
  return made("tr", [made("th", model.name, { scope: "row" }), made("td", about), made("td", model.licence), made("td", action)]);
}

async function showModels() {
  const { models } = await ask("/api/models");
  at("models").replaceChildren(...models.map(modelRow));
}

// What goes on.

const points = { embedding: [], latency: [] };

function addPoint(name, value) {
  const known = points[name];
  known.push(value);
  if (known.length > MOST_POINTS) known.shift();
  at(`${name}-now`).textContent = value.toFixed(value < 10 ? 1 : 0);
  const most = Math.max(...known, 1);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const places = known.map((each, place) => `${(place / Math.max(known.length - 1, 1)) * 300},${58 - (each / most) * 54}`);
  path.setAttribute("d", `M${places.join("L")}`);
  at(name).replaceChildren(path);
}

function told(error) {
  at("login").hidden = error.status !== 401;
  if (error.status === 401) at("state").textContent = "Not logged in";
}

function facts(status) {
  const { watcher, disk, memory } = status;
  return {
    Vault: status.vault.path,
    Notes: `${status.notes.toLocaleString()} in ${status.chunks.toLocaleString()} passages, ${status.pending_chunks.toLocaleString()} not yet searchable by meaning`,
    Watching: [watcher.mode, watcher.reason].filter(Boolean).join(": "),
    Memory: `${Math.round(memory.rss_bytes / MEBIBYTE)} MiB`,
    Index: `${Math.round(disk.index_bytes / MEBIBYTE)} MiB, revision ${status.revision}`,
    Version: status.version,
  };
}

function running({ model, generator }) {
  return {
    "Finds by meaning": [`${model.name} on ${model.execution_provider ?? "nothing yet"}`, model.precision, model.warning].filter(Boolean).join(", "),
    "Takes its place": model.next && `${model.next.name}: ${model.next.done.toLocaleString()} of ${model.next.total.toLocaleString()} passages`,
    "Writes answers": [`${generator.name} (${generator.location})`, generator.why].filter(Boolean).join(": "),
  };
}

function showList(name, list) {
  at(name).replaceChildren(
    ...Object.entries(list).filter(([, value]) => value).flatMap(([term, value]) => [made("dt", term), made("dd", value)]),
  );
}

// An error is named by what is missing, as the plugin's status bar names it.
const ERRORS = { vault_unavailable: "vault missing", disk_full: "disk full", model_unavailable: "no model" };

function stateOf({ state, code }) {
  if (state === "error") return ERRORS[code] ?? state;
  return state === "held" ? "waiting for you" : state;
}

function showStatus(status) {
  document.title = `${status.vault.name} – PAI daemon`;
  at("vault").textContent = status.vault.name;
  at("state").dataset.state = status.state;
  const said = [stateOf(status), status.message].filter(Boolean).join(": ");
  if (at("state").textContent !== said) at("state").textContent = said;
  showList("facts", facts(status));
  showList("running", running(status));
  showWork(status.progress);
  at("hints").replaceChildren(...status.hints.map(({ message }) => made("li", message)));
  at("hints").hidden = status.hints.length === 0;
  at("problems").replaceChildren(
    ...status.problems.map(({ path, line, reason }) => made("tr", [made("td", path), made("td", line ? String(line) : ""), made("td", reason)])),
  );
  at("problem-list").hidden = status.problems.length === 0;
  at("no-problems").hidden = status.problems.length > 0;
}

function showWork(now) {
  at("work").hidden = now === null;
  if (now === null) return;
  const left = now.eta_s === null ? "" : `, about ${now.eta_s < 90 ? `${Math.max(1, Math.round(now.eta_s))} s` : `${Math.round(now.eta_s / 60)} min`} left`;
  at("work-label").textContent = `${now.phase}: ${now.done.toLocaleString()} of ${now.total.toLocaleString()} ${now.unit}${left}`;
  Object.assign(at("progress"), { max: Math.max(now.total, 1), value: now.done });
}

let seen = null;

function measure(status) {
  const now = { ms: performance.now(), embedded: status.work.chunks_embedded };
  if (seen !== null && now.ms > seen.ms) addPoint("embedding", Math.max(0, (now.embedded - seen.embedded) / ((now.ms - seen.ms) / 1000)));
  seen = now;
}

async function look() {
  if (document.hidden) return;
  try {
    const status = await ask("/api/status");
    at("login").hidden = true;
    showStatus(status);
    measure(status);
    // While the index opens there is nothing to act on.
    await showActing({ made, ask }).catch(() => {});
    if (!at("settings").childElementCount) await Promise.all([showSettings(), showModels()]);
  } catch (error) {
    at("state").dataset.state = "error";
    at("state").textContent = error.message;
    told(error);
  }
}

async function showSettings() {
  const { settings } = await ask("/api/settings");
  at("settings").replaceChildren(
    ...settings.map(({ name, value, source }) => made("tr", [made("th", name, { scope: "row" }), made("td", String(value)), made("td", source)])),
  );
}

document.addEventListener("visibilitychange", look);
for (;;) {
  await look();
  await new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });
}
