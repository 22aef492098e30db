// The dashboard: asks the API and shows what it says. Whatever comes from a note is set as text, never as markup.

const at = (id) => document.getElementById(id);
const MEBIBYTE = 2 ** 20;
const LOOK_MS = 2000;
const MOST_POINTS = 150;
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

async function call(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
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
  showPassages(answer.citations);
  const looked = answer.narrowed.map((each) => `read as ${each}`);
  at("told").textContent = [...looked, ...answer.warnings, `${answer.generator.name}, ${Math.round(answer.took_ms)} ms`].join(" · ");
  if (looked.length) {
    const again = made("button", "Ask as it stands", { type: "button" });
    again.addEventListener("click", () => asked((question) => answered(question, true), answer.question));
    at("told").append(" ", again);
  }
  addPoint("latency", answer.took_ms);
}

async function answered(question, asItStands = false) {
  at("answer").replaceChildren();
  const response = await call("/api/ask", { question, stream: true, as_asked: asItStands });
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
    if (name === "done") return showAnswer(data);
    if (name === "error") throw new Refused(data, data.status);
  }
  throw new Refused({ detail: "The answer broke off." }, 0);
}

async function searched(question) {
  at("answer").hidden = true;
  const found = await ask(`/api/search?${new URLSearchParams({ q: question })}`);
  showPassages(found.results);
  at("told").textContent = `${found.results.length || "No"} passage${found.results.length === 1 ? "" : "s"}, ${Math.round(found.took_ms)} ms`;
  addPoint("latency", found.took_ms);
}

/** Has a question answered or searched for, once at a time. */
async function asked(way, question) {
  const buttons = [...at("ask").querySelectorAll("button")];
  if (!question || buttons.some((button) => button.disabled)) return;
  for (const button of buttons) button.disabled = true;
  at("told").textContent = "Looking…";
  try {
    await way(question);
  } catch (error) {
    told(error);
    at("told").textContent = error.message;
  }
  for (const button of buttons) button.disabled = false;
}

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  return asked(event.submitter?.value === "search" ? searched : answered, at("question").value.trim());
});

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
  const { model, generator, watcher, disk, memory } = status;
  return {
    Vault: status.vault.path,
    Notes: `${status.notes.toLocaleString()} in ${status.chunks.toLocaleString()} passages, ${status.pending_chunks.toLocaleString()} not yet searchable by meaning`,
    Model: `${model.name} on ${model.execution_provider ?? "nothing yet"}`,
    "Next model": model.next && `${model.next.name}: ${model.next.done.toLocaleString()} of ${model.next.total.toLocaleString()} passages`,
    Answers: `${generator.name} (${generator.location})`,
    Watching: [watcher.mode, watcher.reason].filter(Boolean).join(": "),
    Memory: `${Math.round(memory.rss_bytes / MEBIBYTE)} MiB`,
    Index: `${Math.round(disk.index_bytes / MEBIBYTE)} MiB, revision ${status.revision}`,
    Version: status.version,
  };
}

function showStatus(status) {
  document.title = `${status.vault.name} – PAI daemon`;
  at("vault").textContent = status.vault.name;
  at("state").dataset.state = status.state;
  const said = [status.state, status.message].filter(Boolean).join(": ");
  if (at("state").textContent !== said) at("state").textContent = said;
  at("facts").replaceChildren(
    ...Object.entries(facts(status)).filter(([, value]) => value).flatMap(([name, value]) => [made("dt", name), made("dd", value)]),
  );
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
    if (!at("settings").childElementCount) await showSettings();
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
