/* Built from obsidian-plugin/src of pai-daemon; change it there. */
"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: !0 });
}, __copyProps = (to, from, except, desc) => {
  if (from && typeof from == "object" || typeof from == "function")
    for (let key of __getOwnPropNames(from))
      !__hasOwnProp.call(to, key) && key !== except && __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: !0 }), mod);

// src/main.ts
var main_exports = {};
__export(main_exports, {
  default: () => PaiPlugin
});
module.exports = __toCommonJS(main_exports);
var import_obsidian20 = require("obsidian");

// src/ask-view.ts
var import_obsidian4 = require("obsidian");

// src/fields.ts
var ContractError = class extends Error {
  name = "ContractError";
};
function kindOf(value) {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}
function asString(value, where) {
  if (typeof value != "string") throw new ContractError(`${where}: expected a string, got ${kindOf(value)}`);
  return value;
}
function asNumber(value, where) {
  if (typeof value != "number") throw new ContractError(`${where}: expected a number, got ${kindOf(value)}`);
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
    let value = unread;
    if (typeof value != "object" || value === null || Array.isArray(value))
      throw new ContractError(`${where}: expected an object, got ${kindOf(value)}`);
    return new _Fields(value, where);
  }
  string(key) {
    return asString(this.values[key], this.at(key));
  }
  number(key) {
    return asNumber(this.values[key], this.at(key));
  }
  boolean(key) {
    let value = this.values[key];
    if (typeof value != "boolean") throw new ContractError(`${this.at(key)}: expected a boolean, got ${kindOf(value)}`);
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
    let value = asString(this.values[key], this.at(key));
    if (!Object.hasOwn(allowed, value))
      throw new ContractError(`${this.at(key)}: ${value} is not one of ${Object.keys(allowed).join(", ")}`);
    return value;
  }
  object(key) {
    return _Fields.of(this.values[key], this.at(key));
  }
  nullable(key, read) {
    let value = this.values[key];
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
  /** Whether the field was sent at all: an older daemon does not know the newer ones. */
  has(key) {
    return this.values[key] !== void 0;
  }
  at(key) {
    return `${this.where}.${key}`;
  }
};

// src/contract.ts
var LOCATIONS = { embedded: !0, local: !0, remote: !0 }, OUTCOMES = { changed: !0, forgotten: !0, known: !0, remembered: !0, superseded: !0, undone: !0 }, STATES = { starting: !0, indexing: !0, ready: !0, paused: !0, held: !0, error: !0 };
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
  let [start, end2] = asArray(value, where);
  if (typeof start != "number" || typeof end2 != "number") throw new ContractError(`${where}: expected two numbers`);
  return [start, end2];
}
function readCitation(value, where) {
  return { n: Fields.of(value, where).number("n"), ...readPassage(Fields.of(value, where)) };
}
function readGenerator(fields) {
  return {
    name: fields.string("name"),
    location: fields.oneOf("location", LOCATIONS),
    why: fields.has("why") ? fields.string("why") : ""
  };
}
function readHint(value, where) {
  let fields = Fields.of(value, where);
  return { code: fields.string("code"), message: fields.string("message"), command: fields.stringOrNull("command") };
}
function readNext(fields) {
  return { name: fields.string("name"), done: fields.number("done"), total: fields.number("total") };
}
function readWrittenLink(value, where) {
  let fields = Fields.of(value, where);
  return {
    kind: fields.string("kind"),
    target: fields.string("target"),
    line: fields.number("line"),
    path: fields.stringOrNull("path")
  };
}
function readRelated(value, where) {
  let fields = Fields.of(value, where);
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
  let fields = Fields.of(value, where);
  return {
    text: fields.string("text"),
    citations: fields.numbers("citations"),
    supported: fields.boolean("supported")
  };
}
function readMention(value, where) {
  let fields = Fields.of(value, where);
  return {
    text: fields.string("text"),
    line: fields.number("line"),
    columnUtf16: fields.number("column_utf16"),
    target: fields.string("target"),
    title: fields.string("title"),
    link: fields.string("link"),
    sure: fields.boolean("sure"),
    why: fields.string("why")
  };
}
function readSuggestion(value, where) {
  let fields = Fields.of(value, where);
  return {
    path: fields.string("path"),
    title: fields.string("title"),
    confidence: fields.number("confidence"),
    why: fields.string("why"),
    link: fields.string("link"),
    passage: fields.nullable("passage", readPassage)
  };
}
function readRefusedPair(value, where) {
  let fields = Fields.of(value, where);
  return { path: fields.string("path"), other: fields.string("other") };
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
  let fields = Fields.of(value, where);
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
  let fields = Fields.of(body, "answer");
  return {
    question: fields.string("question"),
    answer: fields.string("answer"),
    found: fields.boolean("found"),
    sentences: fields.list("sentences", readSentence),
    citations: fields.list("citations", readCitation),
    nearest: fields.has("nearest") ? fields.list("nearest", readCitation) : [],
    generator: readGenerator(fields.object("generator")),
    stages: fields.strings("stages"),
    warnings: fields.strings("warnings"),
    revision: fields.number("revision"),
    tookMs: fields.number("took_ms"),
    narrowed: fields.has("narrowed") ? fields.strings("narrowed") : [],
    asked: fields.has("asked") ? fields.string("asked") : ""
  };
}
function parseSummary(body) {
  let fields = Fields.of(body, "summary"), text = fields.string("summary");
  return writtenAs(fields.string("about"), text, Fields.of(body, "summary"));
}
function parseComparison(body) {
  let text = Fields.of(body, "comparison").string("text");
  return writtenAs("", text, Fields.of(body, "comparison"));
}
function writtenAs(question, answer, fields) {
  let sentences = fields.list("sentences", readSentence);
  return {
    question,
    answer,
    sentences,
    found: sentences.length > 0,
    citations: fields.list("citations", readCitation),
    nearest: [],
    generator: readGenerator(fields.object("generator")),
    stages: fields.strings("stages"),
    warnings: fields.strings("warnings"),
    revision: fields.number("revision"),
    tookMs: fields.number("took_ms"),
    narrowed: [],
    asked: ""
  };
}
function parseEstimate(body) {
  let fields = Fields.of(body, "estimate");
  return {
    notes: fields.number("notes"),
    calls: fields.number("calls"),
    seconds: fields.numberOrNull("seconds"),
    keptBack: fields.number("kept_back"),
    generator: readGenerator(fields.object("generator"))
  };
}
function parseStep(body) {
  let fields = Fields.of(body, "progress");
  return { done: fields.number("done"), total: fields.number("total"), note: fields.string("note"), leftS: fields.numberOrNull("left_s") };
}
function parseSearch(body) {
  let fields = Fields.of(body, "search");
  return {
    results: fields.list("results", (value, where) => readPassage(Fields.of(value, where))),
    notices: fields.has("notices") ? fields.strings("notices") : [],
    stages: fields.strings("stages"),
    pendingChunks: fields.number("pending_chunks"),
    revision: fields.number("revision")
  };
}
function parseRelated(body) {
  return Fields.of(body, "related").list("results", readRelated);
}
function parseLinks(body) {
  let fields = Fields.of(body, "links");
  return {
    path: fields.string("path"),
    mentions: fields.list("mentions", readMention),
    suggestions: fields.list("suggestions", readSuggestion)
  };
}
function parseRefused(body) {
  return Fields.of(body, "refused").list("pairs", readRefusedPair);
}
function parseStatus(body) {
  let fields = Fields.of(body, "status"), vault = fields.object("vault"), watcher = fields.object("watcher");
  return {
    version: fields.string("version"),
    vaultName: vault.string("name"),
    vaultPath: vault.string("path"),
    state: fields.oneOf("state", STATES),
    message: fields.stringOrNull("message"),
    code: fields.has("code") ? fields.stringOrNull("code") : null,
    revision: fields.number("revision"),
    notes: fields.number("notes"),
    chunks: fields.number("chunks"),
    pendingChunks: fields.number("pending_chunks"),
    progress: fields.nullable("progress", readProgress),
    problems: fields.list("problems", readNoteProblem),
    model: fields.nullable("model", (model) => ({
      name: model.string("name"),
      executionProvider: model.stringOrNull("execution_provider"),
      next: model.nullable("next", readNext)
    })),
    hints: fields.has("hints") ? fields.list("hints", readHint) : [],
    generator: readGenerator(fields.object("generator")),
    watcher: { mode: watcher.string("mode"), reason: watcher.stringOrNull("reason") },
    rssBytes: fields.object("memory").number("rss_bytes"),
    indexBytes: fields.object("disk").number("index_bytes")
  };
}
function parseNoteLinks(body) {
  return Fields.of(body, "note").list("links", readWrittenLink);
}
function parseReceipt(body) {
  let fields = Fields.of(body, "receipt"), fact = fields.object("fact");
  return {
    outcome: fields.oneOf("outcome", OUTCOMES),
    fact: { text: fact.string("text"), path: fact.string("path"), line: fact.number("line") },
    undo: fields.stringOrNull("undo")
  };
}
function parseWaiting(body) {
  let fields = Fields.of(body, "notice");
  return { text: fields.string("text"), preview: fields.string("preview") };
}
function parseDelta(body) {
  return Fields.of(body, "delta").string("text");
}
function parseCited(body) {
  return Fields.of(body, "citation").number("n");
}
function parseProblem(body, status) {
  let raw = typeof body == "object" && body !== null ? body : {}, text = (key) => typeof raw[key] == "string" ? asString(raw[key], key) : "";
  return {
    status: typeof raw.status == "number" ? raw.status : status,
    code: text("code") || `http-${String(status)}`,
    title: text("title") || `Status ${String(status)}`,
    detail: text("detail"),
    hint: text("hint") || null
  };
}

// src/words-de.ts
var de = {
  daemon: "Der Dienst dieses Vaults",
  unknownError: (what) => `Etwas ging schief: ${what}`,
  ask: "Den Vault fragen",
  answerHere: "Hier antworten",
  suggestLinks: "Links für diese Notiz vorschlagen",
  linkMention: "Erwähnung am Cursor verlinken",
  showRelated: "Verwandte Notizen zeigen",
  openRelated: "Verwandte Notiz öffnen",
  search: "Nach Bedeutung suchen",
  remember: "Das merken",
  summarizeNote: "Diese Notiz zusammenfassen",
  summarizeFolder: "Diesen Ordner zusammenfassen",
  summarizeTag: "Notizen mit einem Tag zusammenfassen",
  runRoutine: "Routine ausführen",
  proposals: "Vorgeschlagene Änderungen prüfen",
  compare: "Diese Notiz vergleichen mit…",
  reindexNote: "Diese Notiz neu einlesen",
  reindex: "Diesen Vault neu einlesen",
  showStatus: "Zustand zeigen",
  question: "Frage",
  questionHint: "Was sagen meine Notizen über…",
  enterAsks: "Enter fragt, Umschalt+Enter beginnt eine Zeile",
  askEmpty: "Antworten kommen aus deinen Notizen und zeigen die Stellen, auf denen sie beruhen.",
  askNow: "Fragen",
  stop: "Anhalten",
  stopEsc: "Anhalten (Esc)",
  newConversation: "Neues Gespräch",
  saveConversation: "Als Notiz speichern",
  retry: "Noch einmal fragen",
  copy: "Kopieren",
  insert: "In die Notiz einfügen",
  reading: "Liest deine Notizen…",
  meanwhile: "Bis dahin, aus deinen Notizen:",
  stopped: "Vor dem Ende angehalten; was hier steht, wurde nicht geprüft.",
  unsupported: "Nicht in den Notizen",
  unsupportedWhy: "Keine Stelle deiner Notizen stützt diesen Satz",
  unsupportedMark: "*(nicht in den Notizen)*",
  unknownSource: "Unbekannte Quelle",
  sources: (count2) => count2 === 1 ? "1 Quelle" : `${String(count2)} Quellen`,
  nearest: "Die nächsten Notizen",
  changedSince: "Seither geändert",
  changedSinceWhy: "Die Notiz wurde geändert, seit dies aus ihr gelesen wurde",
  narrowed: (how) => `Gelesen als: ${how}.`,
  asAsked: "Wörtlich fragen",
  asked: (question) => `Verstanden als: ${question}`,
  stages: (names) => `Schritte: ${names}`,
  quoted: "Sätze aus deinen Notizen, ohne Sprachmodell",
  answeredBy: (name, place) => `Beantwortet von ${name}, ${place}`,
  places: { embedded: "im Dienst selbst", local: "auf diesem Rechner", remote: "auf einem anderen Rechner" },
  savedName: "Gespräch",
  saved: (name) => `Gespeichert als ${name}.`,
  noQuestion: "Setze den Cursor auf eine Frage, oder markiere eine.",
  noEditor: "Antworten brauchen die Bearbeitungsansicht.",
  noteClosed: "Die Notiz wurde geschlossen, bevor die Antwort fertig war.",
  begin: "Beginnen",
  summaryOf: (name) => `Zusammenfassung von ${name}`,
  summaryOfVault: "Zusammenfassung aller Notizen",
  comparisonOf: (first, second) => `${first} und ${second} im Vergleich`,
  comparePick: (name) => `${name} vergleichen mit…`,
  tagPick: "Einen Tag eingeben…",
  estimated: (notes, time, by) => `${notes === 1 ? "1 Notiz" : `${String(notes)} Notizen`}${time === null ? "" : `, etwa ${time}`}. ${by}.`,
  keptBack: (count2) => count2 === 1 ? "1 Stelle bleibt auf diesem Rechner." : `${String(count2)} Stellen bleiben auf diesem Rechner.`,
  progressOf: (done, total, note, time) => `${String(done)} von ${String(total)}${note ? `: ${note}` : ""}${time === null ? "" : `, noch ${time}`}`,
  routinePick: "Eine Routine ausführen…",
  routineNone: "In diesem Vault gibt es keine Routine.",
  routineRuns: (name) => `${name} läuft…`,
  routineRan: (name, state, why) => `${name}: ${state}.${why ? ` ${why}` : ""}`,
  runStates: { done: "fertig", failed: "fehlgeschlagen", skipped: "ausgelassen", cancelled: "abgebrochen" },
  proposalsNone: "Nichts wartet auf dich.",
  proposedBy: (by) => `Vorgeschlagen von ${by}`,
  proposedFor: (by, why) => `Vorgeschlagen von ${by}: ${why}`,
  decisions: { approve: "Annehmen", reject: "Ablehnen", undo: "Rückgängig" },
  proposalStates: { applied: "Erledigt", rejected: "Abgelehnt", undone: "Zurückgenommen", failed: "War nicht möglich" },
  nothingToRemember: "Setze den Cursor auf eine Zeile mit Wörtern, oder markiere welche.",
  remembered: (text) => `Gemerkt: ${text}`,
  knownAlready: (text) => `Schon bekannt: ${text}`,
  showFact: "Zeigen",
  undo: "Rückgängig",
  forgotten: "Zurückgenommen; es ist nicht gemerkt.",
  page: (page) => `Seite ${String(page)}`,
  line: (line) => `Zeile ${String(line)}`,
  lines: (from, to) => `Zeilen ${String(from)}–${String(to)}`,
  gone: (path) => `${path} ist nicht mehr in diesem Vault.`,
  openNoteFirst: "Öffne eine Notiz, um dort einzufügen.",
  copied: "Kopiert.",
  related: "Verwandte Notizen",
  relatedTo: (name) => `Verwandt mit ${name}`,
  relatedToParagraph: "Verwandt mit diesem Absatz",
  followParagraph: "Dem Absatz folgen",
  followNote: "Der Notiz folgen",
  relatedNone: "Nichts Verwandtes gefunden.",
  relatedOpen: "Öffne eine Notiz, um zu sehen, was mit ihr verwandt ist.",
  linked: "Verlinkt",
  linkedWhy: "Diese Notizen sind schon verlinkt",
  link: "Verlinken",
  linkWhy: "Verlinken, am Cursor",
  relatedPick: "Eine verwandte Notiz öffnen…",
  links: "Vorgeschlagene Links",
  linksOf: (name) => `Links für ${name}`,
  linksOpen: "Öffne eine Notiz, um zu sehen, welche Links sie haben könnte.",
  linksLoading: "Sucht Notizen, auf die diese verweisen könnte…",
  linksNone: "Keine weiteren Links vorzuschlagen.",
  mentions: "Erwähnt, aber nicht verlinkt",
  more: (count2) => `… und ${String(count2)} weitere`,
  linkAll: "Alle verlinken",
  never: "Nie",
  neverWhy: "Diesen Link zwischen diesen beiden Notizen nie wieder vorschlagen",
  near: "Nah in der Bedeutung",
  linkHere: "Hier verlinken",
  linkHereWhy: "Hier verlinken, am Cursor",
  broken: "Links, die nirgends hinführen",
  repair: (title) => `Auf ${title} verweisen`,
  linksAdded: (count2) => count2 === 1 ? "1 Link eingefügt." : `${String(count2)} Links eingefügt.`,
  mentionMissed: (count2) => `${count2 === 1 ? "Eine Erwähnung steht" : `${String(count2)} Erwähnungen stehen`} nicht mehr, wo gelesen wurde. Speichere die Notiz und sieh noch einmal nach.`,
  brokenMissed: "Dieser Link steht nicht mehr in seiner Zeile. Speichere die Notiz und sieh noch einmal nach.",
  noMention: "Am Cursor wird keine andere Notiz erwähnt.",
  linkTo: (title) => `Nennt die Notiz ${title}, ohne Link`,
  openAgain: "Öffne die Notiz noch einmal in der Bearbeitungsansicht.",
  searchHint: "Beschreibe, was du suchst… path: tag: since:",
  searchNone: "Nichts Ähnliches gefunden.",
  toOpen: "öffnen",
  toOpenTab: "in neuem Tab öffnen",
  toInsert: "Link einfügen",
  toClose: "schließen",
  recent: "Schon gesucht",
  stateWords: { starting: "Startet", indexing: "Liest deine Notizen", ready: "Bereit", paused: "Angehalten", held: "Wartet auf dich", error: "Von einem Fehler angehalten" },
  bar: {
    connecting: "verbindet…",
    ready: "bereit",
    updating: "aktualisiert…",
    starting: "startet…",
    indexing: "liest ein…",
    held: "wartet auf dich",
    error: "braucht dich",
    notRunning: "läuft nicht",
    noToken: "kein Token",
    refused: "Token abgelehnt",
    mismatch: "Versionen passen nicht",
    unavailable: "nicht erreichbar",
    paused: "angehalten",
    errors: { vault_unavailable: "Vault fehlt", disk_full: "Platte voll", model_unavailable: "kein Modell" }
  },
  barWhy: "Den Zustand des Dienstes zeigen",
  left: (time) => `noch ${time}`,
  state: "Zustand",
  vault: "Vault",
  notes: "Notizen",
  noteCounts: (notes, passages, waiting) => `${notes} Notizen, ${passages} Stellen, ${waiting} warten`,
  changes: "Änderungen",
  watching: { native: "beim Speichern", polling: "alle paar Sekunden", off: "nicht beobachtet" },
  model: "Modell",
  modelLoading: "lädt",
  modelNone: "nicht geladen",
  modelNext: (name, done, total) => `danach: ${name}, ${done} von ${total}`,
  answers: "Antworten",
  room: "Speicher und Platte",
  roomOf: (memory, disk) => `${memory} im Speicher, ${disk} Index`,
  version: "Version",
  versionOf: (plugin, daemon, revision) => `Plugin ${plugin}, Dienst ${daemon}, Revision ${String(revision)}`,
  badNotes: "Notizen, die nicht ganz gelesen werden konnten",
  lookAgain: "Noch einmal nachsehen",
  looking: "Der Dienst sieht deine Notizen noch einmal durch.",
  lookingAtNote: "Der Dienst sieht diese Notiz noch einmal durch.",
  believe: "Ja, diese Notizen sind weg",
  pause: "Einlesen anhalten",
  resume: "Weiter einlesen",
  startNow: "Dienst starten",
  startingNow: "Der Dienst startet…",
  notStarted: "Der Dienst endete gleich nach dem Start.",
  copyCommand: "Befehl kopieren",
  forgetToken: "Eingefügten Token löschen",
  forgetAddress: "Adresse löschen",
  otherVersion: (plugin, daemon) => `Dieses Plugin hat Version ${plugin}, der Dienst ${daemon}. Dieser Befehl installiert das passende Plugin; starte danach die App neu.`,
  problems: {
    not_found: { what: "Das kennt der Index nicht.", next: "" },
    too_large: { what: "Die Anfrage ist zu lang.", next: "Schicke weniger als ein Mebibyte." },
    vault_unavailable: { what: "Der Ordner dieses Vaults fehlt oder ist nicht lesbar. Es geht nichts verloren.", next: "Binde ihn ein, oder warte das Ende seiner Synchronisation ab." },
    notes_vanished: { what: "Viele Notizen sind auf einmal verschwunden. Sie bleiben im Index, falls der Ordner nur gerade fehlt.", next: "" },
    paused: { what: "Das Einlesen ist angehalten. Was du speicherst, wird weiter aufgenommen.", next: "" },
    note_changed: { what: "Die Notiz hat sich inzwischen geändert.", next: "Lies sie noch einmal und wiederhole die Änderung." },
    model_unavailable: { what: "Das Modell fehlt, ist beschädigt oder passt nicht zu diesem Rechner.", next: "„pai models list“ zeigt, was da ist." },
    index_unavailable: { what: "Der Index ist nicht lesbar oder nicht beschreibbar.", next: "„pai doctor“ zeigt, woran es liegt." },
    disk_full: { what: "Auf der Platte ist kein Platz mehr.", next: "Schaffe Platz; es geht dann von selbst weiter." },
    generator_unavailable: { what: "Was die Antworten schreibt, antwortet nicht.", next: "Starte seinen Server, oder wähle „extractive“." },
    internal: { what: "Im Dienst ging etwas schief.", next: "Sieh in sein Protokoll." }
  },
  notRunning: "Der Dienst läuft nicht.",
  startWith: (command) => `Starte ihn mit: ${command}`,
  timeout: (seconds) => `Der Dienst hat in ${String(seconds)} s nicht geantwortet.`,
  timeoutNext: "Sieh nach seinem Zustand und versuche es noch einmal.",
  wasStopped: "Angehalten.",
  unknownForm: (detail) => `Der Dienst antwortet in einer Form, die dieses Plugin nicht kennt (${detail}).`,
  unknownFormNext: "Installiere von beiden dieselbe Version.",
  unauthorized: "Der Dienst hat den Token abgelehnt.",
  unauthorizedNext: "Lösche den eingefügten Token in den Einstellungen dieses Plugins, oder füge den aus dem Konfigurationsordner des Dienstes ein.",
  forbidden: "Der Dienst hat diese App abgelehnt.",
  notFoundNext: "Vielleicht ist sie neu, ausgeschlossen oder keine Textnotiz.",
  busy: "Der Dienst ist beschäftigt.",
  busyNext: "Versuche es gleich noch einmal.",
  cutShort: "Die Antwort brach vor dem Ende ab.",
  lost: "Die Verbindung zum Dienst ging verloren.",
  askAgain: "Frage noch einmal.",
  notLocal: (url) => `${url} ist keine Adresse dieses Rechners.`,
  notLocalNext: "Lösche die Adresse in den Einstellungen dieses Plugins.",
  noToken: "Es gibt keinen Token, der den Dienst öffnet.",
  noTokenNext: (file) => `Starte den Dienst einmal; er schreibt ${file}.`,
  connection: "Verbindung",
  test: "Verbindung prüfen",
  testNow: "Prüfen",
  testGood: (vault, notes) => `Verbunden: ${vault}, ${notes} Notizen.`,
  address: "Adresse",
  addressWhy: "Leer lassen, um den Dienst dieses Vaults zu finden. Nur Adressen dieses Rechners werden angenommen.",
  token: "Token",
  tokenWhy: "Leer lassen, um ihn aus deinem Konfigurationsordner zu lesen. Ein eingefügter Token liegt im Geheimnisspeicher der App, nie im Vault.",
  tokenHint: "Wird gefunden",
  answersAndLinks: "Antworten und Links",
  sourcesSetting: "Quellen einer Antwort",
  sourcesWhy: "Auf wie vielen Stellen eine Antwort beruhen darf.",
  relatedSetting: "Verwandte Notizen",
  relatedWhy: "Wie viele Notizen die Seitenleiste zeigt.",
  mode: "Art der Suche",
  modeWhy: "Worauf der Suchbefehl achtet.",
  modes: { hybrid: "Bedeutung und Wörter", semantic: "Nur Bedeutung", text: "Nur Wörter" },
  inThisVault: "In diesem Vault",
  inThisVaultWhy: "Jeder andere Vault hat eigene Schalter.",
  statusBar: "Statusleiste",
  relatedAtStart: "Verwandte Notizen beim Start",
  relatedAtStartWhy: "Öffnet sie mit dem Vault.",
  underline: "Erwähnungen unterstreichen",
  underlineWhy: "Markiert Namen anderer Notizen, die noch nicht verlinkt sind.",
  trigger: "Zeichen, die Links vorschlagen",
  triggerWhy: "Wer sie und dann Wörter tippt, bekommt Notizen nach Bedeutung zum Verlinken. Leer: nie.",
  refused: "Nie vorzuschlagende Links",
  refusedWhy: (count2) => count2 === 1 ? "1 Paar von Notizen." : `${String(count2)} Paare von Notizen.`,
  forget: "Wieder vorschlagen"
};

// src/words-en.ts
var en = {
  daemon: "Your vault's daemon",
  unknownError: (what) => `Something went wrong: ${what}`,
  // Commands.
  ask: "Ask your vault",
  answerHere: "Answer here",
  suggestLinks: "Suggest links for this note",
  linkMention: "Link mention under cursor",
  showRelated: "Show related notes",
  openRelated: "Open related note",
  search: "Search by meaning",
  remember: "Remember this",
  summarizeNote: "Summarize this note",
  summarizeFolder: "Summarize this folder",
  summarizeTag: "Summarize notes with a tag",
  runRoutine: "Run routine",
  proposals: "Review proposed changes",
  compare: "Compare this note with…",
  reindexNote: "Re-index this note",
  reindex: "Re-index this vault",
  showStatus: "Show status",
  // Asking.
  question: "Question",
  questionHint: "What do my notes say about…",
  enterAsks: "Enter asks, shift+enter starts a new line",
  askEmpty: "Answers come from your notes and show the passages they rest on.",
  askNow: "Ask",
  stop: "Stop",
  stopEsc: "Stop (esc)",
  newConversation: "New conversation",
  saveConversation: "Save as note",
  retry: "Ask again",
  copy: "Copy",
  insert: "Insert into note",
  reading: "Reading your notes…",
  meanwhile: "Until then, from your notes:",
  stopped: "Stopped before the end; what stands here was not checked.",
  unsupported: "Not in the notes",
  unsupportedWhy: "No passage of your notes supports this sentence",
  unsupportedMark: "*(not in the notes)*",
  unknownSource: "Unknown source",
  sources: (count2) => count2 === 1 ? "1 source" : `${String(count2)} sources`,
  nearest: "The nearest notes",
  changedSince: "Changed since",
  changedSinceWhy: "The note has changed since this was read from it",
  narrowed: (how) => `Read as: ${how}.`,
  asAsked: "Ask as it stands",
  asked: (question) => `Understood as: ${question}`,
  stages: (names) => `Stages: ${names}`,
  quoted: "Sentences of your notes, without a language model",
  answeredBy: (name, place) => `Answered by ${name}, ${place}`,
  places: { embedded: "inside the daemon", local: "on this machine", remote: "on another machine" },
  savedName: "Conversation",
  saved: (name) => `Saved as ${name}.`,
  noQuestion: "Put the cursor on a question, or select one.",
  noEditor: "Answers need the editing view.",
  noteClosed: "The note was closed before its answer was ready.",
  // Summaries and comparisons.
  begin: "Start",
  summaryOf: (name) => `Summary of ${name}`,
  summaryOfVault: "Summary of all notes",
  comparisonOf: (first, second) => `${first} and ${second}, compared`,
  comparePick: (name) => `Compare ${name} with…`,
  tagPick: "Type a tag…",
  estimated: (notes, time, by) => `${notes === 1 ? "1 note" : `${String(notes)} notes`}${time === null ? "" : `, about ${time}`}. ${by}.`,
  keptBack: (count2) => `${count2 === 1 ? "1 passage stays" : `${String(count2)} passages stay`} on this machine.`,
  progressOf: (done, total, note, time) => `${String(done)} of ${String(total)}${note ? `: ${note}` : ""}${time === null ? "" : `, ${time} left`}`,
  // Routines and what they propose.
  routinePick: "Run a routine…",
  routineNone: "There is no routine in this vault.",
  routineRuns: (name) => `${name} is running…`,
  routineRan: (name, state, why) => `${name}: ${state}.${why ? ` ${why}` : ""}`,
  runStates: { done: "done", failed: "failed", skipped: "skipped", cancelled: "cancelled" },
  proposalsNone: "Nothing waits for you.",
  proposedBy: (by) => `Proposed by ${by}`,
  proposedFor: (by, why) => `Proposed by ${by}: ${why}`,
  decisions: { approve: "Approve", reject: "Reject", undo: "Undo" },
  proposalStates: { applied: "Done", rejected: "Rejected", undone: "Taken back", failed: "Could not be done" },
  // Memory.
  nothingToRemember: "Put the cursor on a line with words, or select some.",
  remembered: (text) => `Remembered: ${text}`,
  knownAlready: (text) => `Known already: ${text}`,
  showFact: "Show",
  undo: "Undo",
  forgotten: "Taken back; it is not remembered.",
  // Places in notes.
  page: (page) => `Page ${String(page)}`,
  line: (line) => `Line ${String(line)}`,
  lines: (from, to) => `Lines ${String(from)}–${String(to)}`,
  gone: (path) => `${path} is no longer in this vault.`,
  openNoteFirst: "Open a note to insert into.",
  copied: "Copied.",
  // Related notes.
  related: "Related notes",
  relatedTo: (name) => `Related to ${name}`,
  relatedToParagraph: "Related to this paragraph",
  followParagraph: "Follow the paragraph",
  followNote: "Follow the note",
  relatedNone: "Nothing close to this was found.",
  relatedOpen: "Open a note to see what is related to it.",
  linked: "Linked",
  linkedWhy: "These notes already link to each other",
  link: "Link",
  linkWhy: "Link to this note at the cursor",
  relatedPick: "Open a note related to this one…",
  // Links.
  links: "Suggested links",
  linksOf: (name) => `Links for ${name}`,
  linksOpen: "Open a note to see the links it could have.",
  linksLoading: "Looking for notes this one could link to…",
  linksNone: "No further links to suggest.",
  mentions: "Mentioned but not linked",
  more: (count2) => `… and ${String(count2)} more`,
  linkAll: "Link all",
  never: "Never",
  neverWhy: "Never suggest this link between these two notes again",
  near: "Close in meaning",
  linkHere: "Link here",
  linkHereWhy: "Link here, at the cursor",
  broken: "Links that lead nowhere",
  repair: (title) => `Link to ${title}`,
  linksAdded: (count2) => count2 === 1 ? "1 link added." : `${String(count2)} links added.`,
  mentionMissed: (count2) => `${count2 === 1 ? "A mention no longer stands" : `${String(count2)} mentions no longer stand`} where it was read. Save the note, and look again.`,
  brokenMissed: "That link is no longer on its line. Save the note, and look again.",
  noMention: "No other note is mentioned at the cursor.",
  linkTo: (title) => `Names the note ${title}, without a link`,
  openAgain: "Open the note again in the editing view.",
  // Searching.
  searchHint: "Describe what you are looking for… path: tag: since:",
  searchNone: "Nothing close to this was found.",
  toOpen: "to open",
  toOpenTab: "to open in a new tab",
  toInsert: "to insert a link",
  toClose: "to close",
  recent: "Searched before",
  // Status.
  stateWords: { starting: "Starting", indexing: "Reading your notes", ready: "Ready", paused: "Paused", held: "Waiting for you", error: "Stopped by an error" },
  bar: {
    connecting: "connecting…",
    ready: "ready",
    updating: "updating…",
    starting: "starting…",
    indexing: "indexing…",
    held: "waiting for you",
    error: "needs attention",
    notRunning: "not running",
    noToken: "no token",
    refused: "token refused",
    mismatch: "version mismatch",
    unavailable: "not available",
    paused: "paused",
    errors: { vault_unavailable: "vault missing", disk_full: "disk full", model_unavailable: "no model" }
  },
  barWhy: "Show the state of your vault's daemon",
  left: (time) => `${time} left`,
  state: "State",
  vault: "Vault",
  notes: "Notes",
  noteCounts: (notes, passages, waiting) => `${notes} notes, ${passages} passages, ${waiting} waiting`,
  changes: "Changes",
  watching: { native: "as you save", polling: "every few seconds", off: "not watched" },
  model: "Model",
  modelLoading: "loading",
  modelNone: "not loaded",
  modelNext: (name, done, total) => `next: ${name}, ${done} of ${total}`,
  answers: "Answers",
  room: "Memory and disk",
  roomOf: (memory, disk) => `${memory} in memory, ${disk} of index`,
  version: "Version",
  versionOf: (plugin, daemon, revision) => `plugin ${plugin}, daemon ${daemon}, revision ${String(revision)}`,
  badNotes: "Notes that could not be read in full",
  lookAgain: "Look again",
  looking: "The daemon is looking at your notes again.",
  lookingAtNote: "The daemon is looking at this note again.",
  believe: "Yes, these notes are gone",
  pause: "Pause indexing",
  resume: "Go on indexing",
  startNow: "Start the daemon",
  startingNow: "Starting the daemon…",
  notStarted: "The daemon ended right after its start.",
  copyCommand: "Copy command",
  forgetToken: "Clear the pasted token",
  forgetAddress: "Clear the address",
  otherVersion: (plugin, daemon) => `This plugin is version ${plugin}, the daemon ${daemon}. This command installs the plugin that fits; then restart the app.`,
  // Errors.
  /** By the daemon's code, or its state; what is missing here is said in its own words, which are English. */
  problems: {},
  notRunning: "The daemon is not running.",
  startWith: (command) => `Start it with: ${command}`,
  timeout: (seconds) => `The daemon did not answer within ${String(seconds)} s.`,
  timeoutNext: "Look at its status, then try again.",
  wasStopped: "Stopped.",
  unknownForm: (detail) => `The daemon answered in a form this plugin does not know (${detail}).`,
  unknownFormNext: "Install the same version of both.",
  unauthorized: "The daemon refused the token.",
  unauthorizedNext: "Clear the pasted token in this plugin's settings, or paste the one from the daemon's configuration folder.",
  forbidden: "The daemon refused this app.",
  notFoundNext: "It may be new, excluded, or not a text note.",
  busy: "The daemon is busy.",
  busyNext: "Try again in a moment.",
  cutShort: "The answer broke off before its end.",
  lost: "The connection to the daemon was lost.",
  askAgain: "Ask again.",
  notLocal: (url) => `${url} is not an address of this machine.`,
  notLocalNext: "Clear the address in this plugin's settings.",
  noToken: "There is no token to open the daemon with.",
  noTokenNext: (file) => `Start the daemon once; it writes ${file}.`,
  // Settings.
  connection: "Connection",
  test: "Test the connection",
  testNow: "Test",
  testGood: (vault, notes) => `Connected: ${vault}, ${notes} notes.`,
  address: "Address",
  addressWhy: "Leave empty to find the daemon that serves this vault. Only addresses of this machine are accepted.",
  token: "Token",
  tokenWhy: "Leave empty to read it from your configuration folder. A pasted token is kept in this app's secret storage, never in the vault.",
  tokenHint: "Found automatically",
  answersAndLinks: "Answers and links",
  sourcesSetting: "Sources for an answer",
  sourcesWhy: "How many passages an answer may rest on.",
  relatedSetting: "Related notes",
  relatedWhy: "How many notes the side panel lists.",
  mode: "Search mode",
  modeWhy: "What the search command looks at.",
  modes: { hybrid: "Meaning and words", semantic: "Meaning only", text: "Words only" },
  inThisVault: "In this vault",
  inThisVaultWhy: "Another vault has switches of its own.",
  statusBar: "Status bar",
  relatedAtStart: "Related notes at start",
  relatedAtStartWhy: "Opens them with the vault.",
  underline: "Underline mentions",
  underlineWhy: "Marks names of other notes that are not linked yet.",
  trigger: "Characters that suggest links",
  triggerWhy: "Typing them, and then words, lists notes by meaning to link to. Empty: never.",
  refused: "Links never to suggest",
  refusedWhy: (count2) => count2 === 1 ? "1 pair of notes." : `${String(count2)} pairs of notes.`,
  forget: "Suggest them again"
};

// src/words.ts
var say = en;
function speak(language) {
  say = /^de\b/i.test(language) ? de : en;
}

// src/remedies.ts
function fits(plugin, daemon) {
  let [major, minor] = plugin.split("."), [otherMajor, otherMinor] = daemon.split(".");
  return major === otherMajor && (major !== "0" || minor === otherMinor);
}
function quoted(path) {
  return `"${path.replace(/["\\$`]/g, "\\$&")}"`;
}
function startCommand(vaultPath) {
  return `scripts/start ${quoted(vaultPath)}`;
}
var CURES = {
  held: [{ kind: "look" }, { kind: "believe" }],
  error: [{ kind: "look" }],
  paused: [{ kind: "resume" }]
};
function troubles(pulse, chosen) {
  if (!pulse.status) return [{ message: pulse.error.message, remedies: remediesFor(pulse.error.code, chosen) }];
  let { status } = pulse, found = [];
  if (status.message) {
    let message = say.problems[status.code ?? status.state]?.what ?? status.message;
    found.push({ message, remedies: CURES[status.state] ?? [] });
  }
  fits(chosen.version, status.version) || found.push({ message: say.otherVersion(chosen.version, status.version), remedies: [install(chosen)] });
  for (let { message, command } of status.hints)
    found.push({ message, remedies: command ? [{ kind: "copy", command }] : [] });
  return found;
}
function install({ vaultPath }) {
  return { kind: "copy", command: `pai plugin install ${quoted(vaultPath)}` };
}
function remediesFor(code, chosen) {
  if (code === "not-running" || code === "no-token") {
    let start = { kind: "copy", command: startCommand(chosen.vaultPath) }, first = chosen.canStart ? [{ kind: "start" }, start] : [start];
    return chosen.hasAddress ? [...first, { kind: "forgetAddress" }] : first;
  }
  return code === "contract" ? [install(chosen)] : code === "unauthorized" && chosen.hasToken ? [{ kind: "forgetToken" }] : code === "not-local" && chosen.hasAddress ? [{ kind: "forgetAddress" }] : [];
}

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
    return new _DaemonError("not-running", say.notRunning, say.startWith(startCommand(vaultPath)));
  }
  static timeout(seconds) {
    return new _DaemonError("timeout", say.timeout(seconds), say.timeoutNext);
  }
  static stopped() {
    return new _DaemonError("stopped", say.wasStopped);
  }
  static unknownForm(detail) {
    return new _DaemonError("contract", say.unknownForm(detail), say.unknownFormNext);
  }
  static cutShort() {
    return new _DaemonError("cut-short", say.cutShort, say.askAgain);
  }
  static lost() {
    return new _DaemonError("cut-short", say.lost, say.askAgain);
  }
  /** A person reads this, so the known refusals get our words and the rest get the daemon's. */
  static fromProblem(problem) {
    let { status, code } = problem, known = say.problems[code], detail = known?.what ?? (problem.detail || problem.title);
    return status === 401 ? new _DaemonError(code, say.unauthorized, say.unauthorizedNext) : status === 403 ? new _DaemonError(code, say.forbidden, problem.hint ?? detail) : status === 404 ? new _DaemonError(code, detail, say.notFoundNext) : status === 429 ? new _DaemonError(code, say.busy, say.busyNext) : new _DaemonError(code, detail, known?.next ?? problem.hint ?? "");
  }
};

// src/routines.ts
function parseRoutines(body) {
  let fields = Fields.of(body, "routines");
  return { routines: fields.list("routines", readRoutine), wrong: fields.list("wrong", readWrong) };
}
function parseRun(body) {
  let fields = Fields.of(body, "run");
  return { state: fields.string("state"), why: fields.string("why"), actions: fields.strings("actions") };
}
function parseProposals(body) {
  return Fields.of(body, "actions").list("actions", parseProposal);
}
function parseProposal(body, where = "action") {
  let fields = Fields.of(body, where);
  return {
    id: fields.string("id"),
    state: fields.string("state"),
    path: fields.string("path"),
    by: fields.string("by"),
    why: fields.string("why"),
    diff: fields.string("diff")
  };
}
function readRoutine(value, where) {
  let fields = Fields.of(value, where);
  return { name: fields.string("name"), title: fields.string("title"), schedule: fields.string("schedule") };
}
function readWrong(value, where) {
  let fields = Fields.of(value, where);
  return { path: fields.string("path"), line: fields.number("line"), message: fields.string("message"), hint: fields.string("hint") };
}

// src/sse.ts
async function* readEvents(chunks) {
  let rest = "", event = "", data = [];
  for await (let chunk of chunks) {
    rest += chunk;
    let lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (let line of lines) {
      if (line === "") {
        data.length > 0 && (yield { event: event || "message", data: data.join(`
`) }), event = "", data = [];
        continue;
      }
      let colon = line.indexOf(":");
      if (colon === 0) continue;
      let field = colon < 0 ? line : line.slice(0, colon), value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      field === "event" ? event = value : field === "data" && data.push(value);
    }
  }
}

// src/daemon.ts
var CLIENT = "plugin", REPLY_S = 20, ANSWER_S = 300, SILENCE_S = 120, Daemon = class {
  constructor(parts) {
    this.parts = parts;
  }
  parts;
  async status() {
    return this.read(parseStatus, await this.exchange("GET", "/api/status"));
  }
  async search(q, { mode, limit, typing }) {
    return this.read(parseSearch, await this.exchange("GET", "/api/search", { q, mode, limit, typing }));
  }
  async related(near, limit) {
    return this.read(parseRelated, await this.exchange("GET", "/api/related", { ...near, limit }));
  }
  async links(path) {
    return this.read(parseLinks, await this.exchange("GET", "/api/links", { path }));
  }
  /** Returns the pairs of notes that are never suggested to each other. */
  async refused() {
    return this.read(parseRefused, await this.exchange("GET", "/api/links/refused"));
  }
  /** Never suggests these notes to each other again, or, with `undo`, does; returns all pairs that are refused. */
  async refuse(pairs, { undo = !1 } = {}) {
    return this.read(parseRefused, await this.exchange("POST", "/api/links/refuse", {}, { pairs, undo }));
  }
  /** Returns the links that are written in a note, and where each leads. */
  async written(path) {
    return this.read(parseNoteLinks, await this.exchange("GET", `/api/notes/${path.split("/").map(encodeURIComponent).join("/")}`));
  }
  /** Keeps a fact word by word, local-only where one of the notes that it is from is; the receipt says where. */
  async remember(text, notes) {
    let asked = { text, source: "obsidian", notes };
    return this.read(parseReceipt, await this.exchange("POST", "/api/memory", {}, asked));
  }
  /** Takes back one change of memory; refused where its line is another by now. */
  async undoMemory(change) {
    let asked = { change };
    return this.read(parseReceipt, await this.exchange("POST", "/api/memory/undo", {}, asked));
  }
  async routines() {
    return this.read(parseRoutines, await this.exchange("GET", "/api/routines"));
  }
  /** Runs a routine and returns when it is over. */
  async runRoutine(name) {
    let path = `/api/routines/${name.split("/").map(encodeURIComponent).join("/")}/run`;
    return this.read(parseRun, await this.exchange("POST", path, {}, {}, ANSWER_S));
  }
  /** Returns the changes of notes that wait for the person. */
  async proposals() {
    return this.read(parseProposals, await this.exchange("GET", "/api/actions", { state: "proposed" }));
  }
  async decide(id, decision) {
    return this.read(parseProposal, await this.exchange("POST", `/api/actions/${encodeURIComponent(id)}`, {}, { decision }));
  }
  /** Lets the daemon look at notes again, or at all; `believe` that many of them really are gone. */
  async reindex({ paths, believe } = {}) {
    await this.exchange("POST", "/api/index", {}, { paths, confirm_removals: believe });
  }
  /** Lets what waits for its embedding go on waiting, or goes on with it. */
  async pause(pause2) {
    await this.exchange("POST", "/api/index", {}, { pause: pause2 });
  }
  /**
   * Returns the whole answer, telling of its parts as they arrive. Where streaming is
   * not possible (an older setting of allowed origins, a proxy) it asks once more
   * without it. Throws DaemonError; code "stopped" when the signal fired.
   */
  async ask(question, signal, events = {}) {
    let { asAsked, ...rest } = question, asked = asAsked ? { ...rest, client: CLIENT, as_asked: !0 } : { ...rest, client: CLIENT };
    return this.write("/api/ask", asked, parseAnswer, signal, events);
  }
  /** Returns what a summary would take; no generator is told of it. Throws as ask does. */
  async estimate(of, signal) {
    let asked = { ...of, estimate: !0 };
    return this.read(parseEstimate, await untilAborted(this.exchange("POST", "/api/summarize", {}, asked), signal));
  }
  /** Returns a summary as an answer; its estimate comes first, then how far it is. Throws as ask does. */
  async summarize(of, signal, events = {}) {
    return this.write("/api/summarize", of, parseSummary, signal, events);
  }
  /** Returns what two notes share and where they differ, as an answer. Throws as ask does. */
  async compare(of, signal, events = {}) {
    return this.write("/api/compare", of, parseComparison, signal, events);
  }
  async write(path, asked, parse, signal, events) {
    let opened = await this.open("POST", path, signal, { ...asked, stream: !0 });
    if (opened) return this.readAnswer(opened, parse, signal, events);
    let text = await untilAborted(this.exchange("POST", path, {}, { ...asked, stream: !1 }, ANSWER_S), signal);
    return this.read(parse, text);
  }
  /** Resolves when the stream of events ends; false where it could not be opened. */
  async listen(signal, onEvent) {
    let chunks = await this.open("GET", "/api/events", signal);
    if (!chunks) return !1;
    try {
      for await (let event of readEvents(chunks)) onEvent(event);
    } catch (error) {
      if (!signal.aborted && error instanceof ContractError) throw error;
    }
    return !0;
  }
  async readAnswer(chunks, parse, signal, events) {
    try {
      for await (let { event, data } of readEvents(this.unlessSilent(chunks))) {
        let body = JSON.parse(data);
        if (event === "done") return parse(body);
        if (event === "error") throw DaemonError.fromProblem(parseProblem(body, 500));
        event === "estimate" ? events.onEstimate?.(parseEstimate(body)) : event === "progress" ? events.onStep?.(parseStep(body)) : event === "notice" ? events.onWaiting?.(parseWaiting(body)) : event === "sources" ? events.onSources?.(parseCitations(body)) : event === "delta" ? events.onDelta?.(parseDelta(body)) : event === "citation" && events.onCited?.(parseCited(body));
      }
    } catch (error) {
      throw this.explain(error, signal);
    }
    throw signal.aborted ? DaemonError.stopped() : DaemonError.cutShort();
  }
  explain(error, signal) {
    return signal.aborted ? DaemonError.stopped() : error instanceof DaemonError ? error : error instanceof ContractError || error instanceof SyntaxError ? DaemonError.unknownForm(error.message) : DaemonError.lost();
  }
  async *unlessSilent(chunks) {
    let source = chunks[Symbol.asyncIterator]();
    try {
      for (; ; ) {
        let step = await this.within(SILENCE_S, source.next());
        if (step.done) return;
        yield step.value;
      }
    } finally {
      source.return?.();
    }
  }
  /** Opens a stream, or returns null where only a plain request can tell what is wrong. */
  async open(method, path, signal, body) {
    let request = await this.request(method, path, {}, body);
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
    for await (let chunk of reply.chunks) text += chunk;
    throw DaemonError.fromProblem(parseProblem(parseJson(text), reply.status));
  }
  async exchange(method, path, query = {}, body, seconds = REPLY_S) {
    let request = await this.request(method, path, query, body), reply;
    try {
      reply = await this.within(seconds, this.parts.send(request));
    } catch (error) {
      throw error instanceof DaemonError ? error : DaemonError.notRunning(this.parts.vaultPath);
    }
    if (reply.status < 400) return reply.text;
    throw DaemonError.fromProblem(parseProblem(parseJson(reply.text), reply.status));
  }
  async request(method, path, query, body) {
    let { url, token } = await this.parts.connect(), search = new URLSearchParams();
    for (let [key, value] of Object.entries(query))
      for (let one of Array.isArray(value) ? value : [value]) one !== void 0 && search.append(key, String(one));
    let headers = { Authorization: `Bearer ${token}` }, target = `${url}${path}${search.size > 0 ? `?${search.toString()}` : ""}`;
    return body === void 0 ? { url: target, method, headers } : (headers["Content-Type"] = "application/json", { url: target, method, headers, body: JSON.stringify(body) });
  }
  read(parse, text) {
    try {
      return parse(JSON.parse(text));
    } catch (error) {
      throw error instanceof ContractError || error instanceof SyntaxError ? DaemonError.unknownForm(error.message) : error;
    }
  }
  within(seconds, work) {
    return new Promise((resolve, reject) => {
      let cancel = this.parts.after(seconds * 1e3, () => {
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
    let stop = () => {
      reject(DaemonError.stopped());
    };
    signal.aborted && stop(), signal.addEventListener("abort", stop, { once: !0 }), work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", stop);
    });
  });
}

// src/host.ts
function asDaemonError(error) {
  return error instanceof DaemonError ? error : new DaemonError("unknown", say.unknownError(String(error)));
}
function drawError(parent, error) {
  let { code, message, next } = asDaemonError(error), box = parent.createDiv({ cls: "pai-error", attr: { role: "status" } });
  box.toggleClass("is-calm", code === "not-running" || code === "timeout" || code === "overloaded"), box.createDiv({ cls: "pai-error-what", text: message }), next && box.createDiv({ cls: "pai-error-next", text: next });
}

// src/navigate.ts
var import_obsidian = require("obsidian");

// src/results.ts
var MARKER = /[ \t]*\[(\d{1,3})\](?!\()/g;
function withAlias(link, alias) {
  let target = link.replace(/^!?\[\[/, "").replace(/\]\]$/, "").split("|")[0] ?? "", words2 = alias.replace(/[[\]|]/g, " ").replace(/\s+/g, " ").trim();
  return words2 ? `[[${target}|${words2}]]` : `[[${target}]]`;
}
function placeOf(passage) {
  let headings = passage.headingPath.filter((heading, index) => index > 0 || heading !== passage.title);
  return [passage.title, ...headings].join(" › ");
}
function linesOf(passage) {
  let { startLine, endLine, page } = passage;
  return page !== null ? say.page(page) : startLine === endLine ? say.line(startLine) : say.lines(startLine, endLine);
}
function snippet(text, max) {
  let line = text.replace(/\s+/g, " ").trim();
  if (line.length <= max) return line;
  let cut = line.slice(0, max), space = cut.lastIndexOf(" ");
  return `${(space > max / 2 ? cut.slice(0, space) : cut).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
function marked(passage, max) {
  let points = Array.from(passage.text), body = bodyStart(passage.text), spans = [...passage.highlights].sort((a, b) => a[0] - b[0]).filter(([start, end3]) => start >= body && start < end3 && end3 <= points.length), first = spans[0]?.[0] ?? body, begin2 = first - body > max / 2 ? first - Math.floor(max / 4) : body, end2 = Math.min(points.length, begin2 + max), parts = [], add = (from, to, isMarked) => {
    let text = points.slice(from, to).join("").replace(/\s+/g, " ");
    text && parts.push({ text, marked: isMarked });
  };
  begin2 > body && parts.push({ text: "…", marked: !1 });
  let at = begin2;
  for (let [start, stop] of spans)
    start < at || stop > end2 || (add(at, start, !1), add(start, stop, !0), at = stop);
  return add(at, end2, !1), end2 < points.length && parts.push({ text: "…", marked: !1 }), parts;
}
function bodyStart(text) {
  let headings = /^(?:#{1,6}[ \t][^\n]*(?:\n\s*|$))+/.exec(text)?.[0] ?? "";
  return headings.trim() === text.trim() ? 0 : Array.from(headings).length;
}
function questionOf(line) {
  return line.replace(/^\s*(?:>\s*)*(?:#{1,6}\s+|(?:[-*+]|\d+[.)])\s+(?:\[.\]\s+)?)?/, "").trim();
}
function supportedText({ sentences }) {
  return sentences.filter(({ supported }) => supported).map(({ text }) => withoutMarkers(text).trim()).join(" ");
}
function streamPieces(text) {
  let decided = text.replace(/[ \t]*\[\d{0,3}$/, ""), pieces = [], at = 0;
  for (let match of decided.matchAll(MARKER))
    match.index > at && pieces.push({ kind: "text", text: decided.slice(at, match.index), supported: !0 }), pieces.push({ kind: "cite", n: Number(match[1]) }), at = match.index + match[0].length;
  return at < decided.length && pieces.push({ kind: "text", text: decided.slice(at), supported: !0 }), pieces;
}
function answerPieces(answer) {
  if (answer.sentences.length === 0) return [{ kind: "text", text: withoutMarkers(answer.answer), supported: !0 }];
  let known = new Set(answer.citations.map((citation) => citation.n)), whole3 = withoutMarkers(answer.answer), pieces = [], at = 0;
  for (let sentence of answer.sentences) {
    let text = withoutMarkers(sentence.text).trim();
    if (!text) continue;
    let found = whole3.indexOf(text, at), gap = found < 0 ? " " : whole3.slice(at, found);
    found >= 0 && (at = found + text.length), pieces.length > 0 ? pieces.push({ kind: "break", text: gap.includes(`
`) ? gap.replace(/[^\n]/g, "") : " " }) : gap.trim() && pieces.push({ kind: "text", text: gap, supported: !0 }), pieces.push({ kind: "text", text, supported: sentence.supported });
    for (let n of new Set(sentence.citations)) known.has(n) && pieces.push({ kind: "cite", n });
  }
  return pieces;
}
function withoutMarkers(text) {
  return text.replace(MARKER, "");
}
function toMarkdown(answer) {
  let { body, sources } = write(answer);
  return sources.length > 0 ? `${body}

${sources.join(`
`)}` : body;
}
function toCallout(answer, question) {
  let { body, sources } = write(answer), lines = [`[!${answer.found ? "quote" : "warning"}] ${snippet(question, 200)}`, ...body.split(`
`).map(withoutCheckbox)];
  return sources.length > 0 && lines.push("", ...sources), `${lines.map((line) => line ? `> ${line}` : ">").join(`
`)}
`;
}
function withoutCheckbox(line) {
  return line.replace(/^(\s*(?:[-*+]|\d+[.)])\s+)\[.\]\s+/, "$1");
}
function write(answer) {
  let byNumber = new Map(answer.citations.map((citation) => [citation.n, citation])), used = [], numberOf = (citation) => (used.includes(citation) || used.push(citation), used.indexOf(citation) + 1), body = "";
  for (let piece of answerPieces(answer))
    if (piece.kind === "cite") {
      let citation = byNumber.get(piece.n);
      citation && (body += ` ${withAlias(citation.link, String(numberOf(citation)))}`);
    } else
      body += piece.kind === "text" && !piece.supported ? `${piece.text} ${say.unsupportedMark}` : piece.text;
  let sources = used.map((citation, index) => `${String(index + 1)}. ${withAlias(citation.link, placeOf(citation))}`);
  return { body, sources };
}
function setOff(callout, line, next) {
  return `${line.trim() ? `

` : `
`}${next?.trim() === "" ? callout.trimEnd() : callout}`;
}
function answeredBy({ name, location }) {
  return name === "extractive" ? say.quoted : say.answeredBy(name, say.places[location]);
}
function spoken(seconds) {
  return seconds < 60 ? `${String(Math.max(1, Math.round(seconds)))} s` : seconds < 3600 ? `${String(Math.round(seconds / 60))} min` : `${String(Math.round(seconds / 360) / 10)} h`;
}

// src/navigate.ts
async function openAt(app, { path, startLine, page }, event) {
  let file = app.vault.getFileByPath(path);
  if (!file) {
    new import_obsidian.Notice(say.gone(path));
    return;
  }
  let fresh = event ? import_obsidian.Keymap.isModEvent(event) : !1;
  await (fresh ? app.workspace.getLeaf(fresh) : app.workspace.getMostRecentLeaf() ?? app.workspace.getLeaf(!1)).openFile(file, { active: !0, eState: page === null ? { line: Math.max(0, startLine - 1) } : { subpath: `#page=${String(page)}` } });
}
function recentEditor(app) {
  let view = app.workspace.getMostRecentLeaf()?.view;
  return view instanceof import_obsidian.MarkdownView && view.file ? { editor: view.editor, file: view.file } : null;
}
function insertAtCursor(app, text) {
  let target = recentEditor(app);
  if (!target) {
    new import_obsidian.Notice(say.openNoteFirst);
    return;
  }
  let { editor } = target, at = editor.getCursor("to");
  editor.replaceRange(text, at), editor.setCursor({ line: at.line, ch: at.ch + text.length }), editor.focus();
}
function insertBelowCursor(app, callout) {
  let target = recentEditor(app);
  if (!target) {
    new import_obsidian.Notice(say.openNoteFirst);
    return;
  }
  let { editor } = target, line = Math.max(editor.getCursor("to").line, lastOfProperties(editor)), here = editor.getLine(line), next = line + 1 < editor.lineCount() ? editor.getLine(line + 1) : null;
  editor.replaceRange(setOff(callout, here, next), { line, ch: here.length }), editor.focus();
}
function lastOfProperties(editor) {
  if (editor.getLine(0).trimEnd() !== "---") return -1;
  for (let line = 1; line < editor.lineCount(); line++) if (editor.getLine(line).trimEnd() === "---") return line;
  return -1;
}
function openOrLink(app, place, link, event) {
  event.altKey ? insertAtCursor(app, link) : openAt(app, place, event);
}
function chooseWithModifiers(modal) {
  for (let modifier of ["Mod", "Alt"])
    modal.scope.register([modifier], "Enter", (event) => (modal.selectActiveSuggestion(event), !1));
}
async function copy(text) {
  await navigator.clipboard.writeText(text), new import_obsidian.Notice(say.copied);
}
function codeMirror(editor) {
  return editor.cm;
}
function readLineOf(editor) {
  return (line) => line >= 0 && line < editor.lineCount() ? editor.getLine(line) : null;
}
function applyEdits(editor, edits) {
  editor.transaction({
    changes: edits.map(({ line, from, to, text }) => ({ from: { line, ch: from }, to: { line, ch: to }, text }))
  });
}

// src/passage-row.ts
function drawRow(parent, row) {
  let el = parent.createDiv({ cls: "pai-row", attr: { role: "link", tabindex: "0", draggable: "true" } }), head = el.createDiv({ cls: "pai-row-head" });
  return row.number !== void 0 && head.createSpan({ cls: "pai-number", text: String(row.number) }), head.createSpan({ cls: "pai-row-place", text: row.place }), row.badge && head.createSpan({ cls: "pai-badge", text: row.badge.text, attr: { "aria-label": row.badge.why } }), row.insert && drawInsert(head, row.insert), drawMarked(el.createDiv({ cls: "pai-row-words" }), row.words), row.detail && el.createDiv({ cls: "pai-row-detail", text: row.detail }), el.addEventListener("click", row.open), el.addEventListener("keydown", (event) => {
    event.key === "Enter" && event.target === el && row.open(event);
  }), el.addEventListener("dragstart", (event) => event.dataTransfer?.setData("text/plain", row.link)), el;
}
function drawMarked(parent, words2) {
  for (let part of words2)
    part.marked ? parent.createEl("mark", { text: part.text }) : parent.appendText(part.text);
}
function drawInsert(head, insert) {
  head.createEl("button", { cls: "pai-row-insert", text: say.link, attr: { "aria-label": say.linkWhy } }).addEventListener("click", (event) => {
    event.stopPropagation(), insert();
  });
}

// src/answer-pane.ts
var WORDS = 220, AnswerPane = class {
  constructor(app, parent, question) {
    this.app = app;
    this.el = parent.createDiv({ cls: "pai-turn" }), this.el.createDiv({ cls: "pai-question", text: question }), this.textEl = this.el.createDiv({ cls: "pai-answer is-waiting", text: say.reading, attr: { "aria-live": "polite" } }), this.previewEl = this.el.createDiv({ cls: "pai-preview" }), this.noteEl = this.el.createDiv({ cls: "pai-answer-note" }), this.actionsEl = this.el.createDiv({ cls: "pai-actions" }), this.sourcesEl = this.el.createEl("details", { cls: "pai-sources" }), this.sourcesEl.open = !0;
  }
  app;
  streamed = "";
  citations = [];
  el;
  textEl;
  previewEl;
  noteEl;
  /** For what can be done with the answer; whoever asks fills it. */
  actionsEl;
  sourcesEl;
  /** Makes room for the answers that follow: its sources stay one click away. */
  fold() {
    this.sourcesEl.open = !1;
  }
  remove() {
    this.el.detach();
  }
  wait({ text, preview }) {
    this.streamed || (this.textEl.setText(text), this.previewEl.empty(), preview && (this.previewEl.createDiv({ cls: "pai-heading", text: say.meanwhile }), this.drawPieces(this.previewEl.createDiv({ cls: "pai-preview-text" }), streamPieces(preview))));
  }
  /** Says what is about to be done, and resolves once the person starts it. */
  async agree(text, signal) {
    this.textEl.setText(text);
    let button = this.actionsEl.createEl("button", { cls: "pai-begin mod-cta", text: say.begin });
    try {
      await untilAborted(new Promise((resolve) => {
        button.addEventListener("click", () => {
          resolve();
        });
      }), signal);
    } finally {
      button.detach();
    }
  }
  setSources(citations) {
    this.citations = citations, this.drawSources();
  }
  addText(text) {
    this.streamed += text, this.previewEl.empty(), this.textEl.removeClass("is-waiting"), this.textEl.addClass("is-streaming"), this.drawPieces(this.textEl, streamPieces(this.streamed));
  }
  markCited(n) {
    this.sourcesEl.querySelector(`[data-n="${String(n)}"]`)?.addClass("is-cited");
  }
  /** onAsAsked: what asks again in all notes, where the question was read as a filter. */
  finish(answer, onAsAsked) {
    this.settle(), this.citations = answer.found ? answer.citations : answer.nearest, this.textEl.toggleClass("is-not-found", !answer.found), this.drawPieces(this.textEl, answerPieces(answer)), this.drawSources(answer.found ? say.sources(this.citations.length) : say.nearest);
    for (let n of new Set(answer.sentences.flatMap((sentence) => sentence.citations))) this.markCited(n);
    this.noteEl.empty(), answer.narrowed.length > 0 && this.drawNarrowed(answer.narrowed, onAsAsked), answer.asked && answer.asked !== answer.question && answer.narrowed.length === 0 && this.noteEl.createDiv({ cls: "pai-asked", text: say.asked(answer.asked) }), this.drawAuthor(answer);
    for (let warning of answer.warnings) this.noteEl.createDiv({ cls: "pai-warning", text: warning });
  }
  fail(error) {
    this.settle(), this.streamed || this.textEl.empty(), this.noteEl.empty(), drawError(this.noteEl, error);
  }
  stop() {
    this.settle(), this.streamed || this.textEl.empty(), this.noteEl.setText(say.stopped);
  }
  settle() {
    this.previewEl.empty(), this.textEl.removeClasses(["is-waiting", "is-streaming"]);
  }
  drawNarrowed(narrowed, onAsAsked) {
    this.noteEl.createDiv({ cls: "pai-narrowed", text: say.narrowed(narrowed.join(", ")) }).createEl("button", { cls: "pai-as-asked", text: say.asAsked }).addEventListener("click", onAsAsked);
  }
  drawAuthor({ generator, tookMs, stages }) {
    this.noteEl.createSpan({
      cls: "pai-answered-by",
      text: `${answeredBy(generator)} · ${spoken(tookMs / 1e3)}`,
      attr: { "aria-label": say.stages(stages.join(", ") || "–") }
    }).toggleClass("is-remote", generator.location === "remote"), generator.why && this.noteEl.createDiv({ cls: "pai-why", text: generator.why });
  }
  drawPieces(parent, pieces) {
    parent.empty();
    for (let piece of pieces)
      piece.kind === "cite" ? this.drawMarker(parent, piece.n) : piece.kind === "break" ? parent.appendText(piece.text) : drawSentence(parent, piece.text, piece.supported);
  }
  drawMarker(parent, n) {
    let citation = this.citations.find((one) => one.n === n), button = parent.createEl("button", {
      cls: "pai-cite",
      text: String(n),
      attr: { "aria-label": `${String(n)}: ${citation ? `${placeOf(citation)} (${linesOf(citation)})` : say.unknownSource}` }
    });
    button.disabled = !citation, citation && button.addEventListener("click", (event) => {
      this.open(citation, event);
    });
  }
  drawSources(heading = say.sources(this.citations.length)) {
    if (this.sourcesEl.empty(), this.citations.length !== 0) {
      this.sourcesEl.createEl("summary", { cls: "pai-heading", text: heading });
      for (let citation of this.citations) {
        let row = drawRow(this.sourcesEl, {
          number: citation.n,
          place: placeOf(citation),
          detail: `${citation.path} · ${linesOf(citation)}`,
          words: marked(citation, WORDS),
          link: withAlias(citation.link, ""),
          open: (event) => {
            this.open(citation, event);
          },
          ...citation.stale ? { badge: { text: say.changedSince, why: say.changedSinceWhy } } : {}
        });
        row.dataset.n = String(citation.n);
      }
    }
  }
  open(citation, event) {
    openAt(this.app, citation, event);
  }
};
function drawSentence(parent, text, supported) {
  let el = parent.createSpan({ cls: "pai-sentence", text: text.replace(/\[\[(?:[^[\]|]*\|)?([^[\]|]+)\]\]/g, "$1") });
  supported || (el.addClass("is-unsupported"), parent.createSpan({ cls: "pai-badge is-unsupported", text: say.unsupported, attr: { "aria-label": say.unsupportedWhy } }));
}

// src/remember.ts
var import_obsidian2 = require("obsidian");
var SHOWN_MS = 15e3, WORDS2 = 160;
async function rememberHere(host, selected, line, notes) {
  await remember(host, selected.trim() || questionOf(line), notes);
}
async function remember(host, words2, notes) {
  let text = words2.replace(/\s+/g, " ").trim();
  if (!text) {
    new import_obsidian2.Notice(say.nothingToRemember);
    return;
  }
  try {
    showReceipt(host, await host.daemon.remember(text, notes));
  } catch (error) {
    new import_obsidian2.Notice(asDaemonError(error).advice, 1e4);
  }
}
function showReceipt(host, { outcome, fact, undo }) {
  let short = fact.text.length > WORDS2 ? `${fact.text.slice(0, WORDS2)}…` : fact.text, notice = new import_obsidian2.Notice(outcome === "known" ? say.knownAlready(short) : say.remembered(short), SHOWN_MS), row = notice.messageEl.createDiv({ cls: "pai-actions pai-remembered" });
  if (row.createEl("button", { cls: "pai-show-fact", text: say.showFact }).addEventListener("click", (event) => {
    notice.hide(), openAt(host.app, { path: fact.path, startLine: fact.line, page: null }, event);
  }), undo === null) return;
  row.createEl("button", { cls: "pai-undo-fact", text: say.undo }).addEventListener("click", () => {
    notice.hide(), takeBack(host, undo);
  });
}
async function takeBack(host, change) {
  try {
    await host.daemon.undoMemory(change), new import_obsidian2.Notice(say.forgotten);
  } catch (error) {
    new import_obsidian2.Notice(asDaemonError(error).advice, 1e4);
  }
}

// src/save-note.ts
var import_obsidian3 = require("obsidian");

// src/conversation.ts
var EXCHANGES = 8, CHARACTERS = 4e3, Conversation = class {
  list = [];
  /** By this the daemon knows what belongs together, where conversations are kept. */
  id = crypto.randomUUID();
  get exchanges() {
    return this.list;
  }
  add(exchange) {
    this.list.push(exchange);
  }
  drop(exchange) {
    this.list = this.list.filter((one) => one !== exchange);
  }
  clear() {
    this.list = [], this.id = crypto.randomUUID();
  }
  /** Returns the latest turns; an answer without its markers, whose numbers belong to passages of that time. */
  history() {
    return this.list.slice(-EXCHANGES).flatMap(({ question, answer }) => [
      { role: "user", content: question.slice(0, CHARACTERS) },
      { role: "assistant", content: withoutMarkers(answer.answer).slice(0, CHARACTERS) }
    ]);
  }
  /** Returns the conversation as a note: a heading for each question, its answer and its sources below. */
  toNote() {
    return this.list.map(({ question, answer }) => `## ${snippet(question, 200)}

${toMarkdown(answer)}
`).join(`
`);
  }
};
function noteName(question, fallback) {
  let plain = question.replace(/[\\/:*?"<>|#^[\]%]/g, " ").replace(/\p{Cc}/gu, " ");
  return snippet(plain, 80).replace(/^[.\s]+|[.…\s]+$/g, "") || fallback;
}

// src/save-note.ts
async function saveNote(app, question, text) {
  let near = app.workspace.getActiveFile()?.path ?? "", name = noteName(question, say.savedName), folder = app.fileManager.getNewFileParent(near, `${name}.md`).path, path = freePath(app, folder, name);
  try {
    await app.vault.create(path, text);
  } catch (error) {
    new import_obsidian3.Notice(asDaemonError(error).advice, 1e4);
    return;
  }
  new import_obsidian3.Notice(say.saved(path)), await openAt(app, { path, startLine: 1, page: null });
}
function freePath(app, folder, name) {
  for (let count2 = 0; ; count2++) {
    let path = (0, import_obsidian3.normalizePath)(`${folder}/${count2 === 0 ? name : `${name} ${String(count2)}`}.md`);
    if (!app.vault.getFileByPath(path)) return path;
  }
}

// src/repairs.ts
var OTHER_FILE = /\.(?!md$)[A-Za-z0-9]{1,5}$/;
function pairsOf(text) {
  let plain = text.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]/gu, ""), pairs = /* @__PURE__ */ new Set();
  for (let at = 0; at + 1 < plain.length; at++) pairs.add(plain.slice(at, at + 2));
  return pairs;
}
function likeness(a, b) {
  let [left, right] = [pairsOf(a), pairsOf(b)];
  if (left.size + right.size === 0) return 0;
  let shared = 0;
  for (let pair of left) right.has(pair) && shared++;
  return 2 * shared / (left.size + right.size);
}
function candidatesFor(target, found) {
  let wanted = nameOf(target), best = /* @__PURE__ */ new Map();
  for (let note of found) {
    let score = Math.max(likeness(wanted, nameOf(note.path)), likeness(wanted, note.title));
    score >= 0.45 && !best.has(note.path) && best.set(note.path, { note, score });
  }
  return [...best.values()].sort((a, b) => b.score - a.score).slice(0, 2).map(({ note }) => note);
}
function nameOf(path) {
  return (path.split("/").pop() ?? path).replace(/\.md$/, "");
}
function isRepairable({ kind, target }) {
  return target !== "" && (kind === "wikilink" || kind === "markdown" && !OTHER_FILE.test(target));
}
function repairEdit(broken, note, text, from) {
  let line = text ?? "";
  return broken.kind === "markdown" ? markdownEdit(broken, note, line, from) : wikilinkEdit(broken, note, line);
}
function wikilinkEdit(broken, note, text) {
  let target = /^!?\[\[([^\]|#^]+)/.exec(note.link)?.[1], escaped = broken.target.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), found = new RegExp(`\\[\\[(\\s*${escaped}\\s*)(?=[#|\\]])`).exec(text);
  if (!target || !found?.[1]) return null;
  let from = found.index + 2;
  return { line: broken.line - 1, from, to: from + found[1].length, text: target };
}
function markdownEdit(broken, note, text, from) {
  for (let match of text.matchAll(/\]\(\s*(?:<([^<>#]+)|([^()<>\s#]+))/g)) {
    let written = match[1] ?? match[2] ?? "";
    if (decoded(written).trim() !== broken.target) continue;
    let end2 = match.index + match[0].length;
    return { line: broken.line - 1, from: end2 - written.length, to: end2, text: encoded(relative(from, note.path)) };
  }
  return null;
}
function decoded(address) {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}
function encoded(path) {
  return encodeURI(path).replace(/[()#?]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}
function relative(from, to) {
  let [here, there] = [from.split("/").slice(0, -1), to.split("/")], shared = 0;
  for (; shared < here.length && shared < there.length - 1 && here[shared] === there[shared]; ) shared++;
  return [...here.slice(shared).map(() => ".."), ...there.slice(shared)].join("/");
}

// src/task.ts
var LONG_S = 60, CALL_S = 10;
function titleOf(task) {
  return task.kind === "ask" ? task.question : task.title;
}
function summaryOfNote(path) {
  return { kind: "summarize", title: say.summaryOf(nameOf(path)), of: { note: path } };
}
function summaryOfFolder(path) {
  let folder = path.split("/").slice(0, -1).join("/");
  return { kind: "summarize", title: folder ? say.summaryOf(folder) : say.summaryOfVault, of: folder ? { path: folder } : {} };
}
function summaryOfTag(written) {
  let tag = written.trim().replace(/^#+/, "");
  return tag ? { kind: "summarize", title: say.summaryOf(`#${tag}`), of: { tag } } : null;
}
function comparison(first, second) {
  return { kind: "compare", title: say.comparisonOf(nameOf(first), nameOf(second)), of: { first, second } };
}
function isWeighty({ seconds, calls, generator }) {
  return generator.location === "remote" || (seconds ?? calls * CALL_S) > LONG_S;
}

// src/ask-view.ts
var ASK_VIEW = "pai-daemon-ask", AskView = class extends import_obsidian4.ItemView {
  constructor(leaf, host) {
    super(leaf);
    this.host = host;
  }
  host;
  navigation = !1;
  current = null;
  newest = null;
  outputEl;
  inputEl;
  askEl;
  stopEl;
  headEl;
  getViewType() {
    return ASK_VIEW;
  }
  getDisplayText() {
    return say.ask;
  }
  getIcon() {
    return "message-circle-question";
  }
  onOpen() {
    return this.contentEl.empty(), this.contentEl.addClass("pai-view", "pai-ask"), this.headEl = this.contentEl.createDiv({ cls: "pai-actions pai-ask-head" }), this.addButton(this.headEl, "pai-new", say.newConversation, () => {
      this.startAnew();
    }), this.addButton(this.headEl, "pai-save", say.saveConversation, () => {
      this.save();
    }), this.outputEl = this.contentEl.createDiv({ cls: "pai-output" }), this.drawForm(this.contentEl.createDiv({ cls: "pai-form" })), this.drawConversation(), Promise.resolve();
  }
  onClose() {
    return this.stop(), Promise.resolve();
  }
  focusInput() {
    this.inputEl.focus();
  }
  drawForm(form) {
    let attr = { rows: 3, "aria-label": say.question };
    this.inputEl = form.createEl("textarea", { cls: "pai-input", placeholder: say.questionHint, attr });
    let row = form.createDiv({ cls: "pai-form-row" });
    row.createSpan({ cls: "pai-hint", text: say.enterAsks }), this.stopEl = this.addButton(row, "pai-stop", say.stop, () => {
      this.stop();
    }), this.askEl = this.addButton(row, "pai-send mod-cta", say.askNow, () => {
      this.send();
    }), this.stopEl.hide(), this.registerDomEvent(this.inputEl, "keydown", (event) => {
      event.key !== "Enter" || event.shiftKey || event.isComposing || (event.preventDefault(), this.send());
    });
  }
  addButton(parent, cls, text, act) {
    let button = parent.createEl("button", { cls, text });
    return this.registerDomEvent(button, "click", act), button;
  }
  /** Draws what was said before the panel was closed. */
  drawConversation() {
    this.outputEl.empty(), this.newest = null;
    let { exchanges } = this.host.conversation;
    exchanges.length === 0 && this.outputEl.createDiv({ cls: "pai-empty", text: say.askEmpty });
    for (let exchange of exchanges) this.conclude(this.addPane(exchange.question), exchange);
    this.headEl.toggle(exchanges.length > 0);
  }
  startAnew() {
    this.stop(), this.host.conversation.clear(), this.drawConversation(), this.focusInput();
  }
  async save() {
    let first = this.host.conversation.exchanges[0];
    first && await saveNote(this.app, first.question, this.host.conversation.toNote());
  }
  stop() {
    this.current?.abort();
  }
  send() {
    let question = this.inputEl.value.trim();
    question && (this.inputEl.value = "", this.perform({ kind: "ask", question }));
  }
  addPane(question) {
    return this.newest ? (this.newest.fold(), this.newest.actionsEl.querySelector(".pai-retry")?.detach()) : this.outputEl.empty(), this.newest = new AnswerPane(this.app, this.outputEl, question), this.newest;
  }
  /** Does what is asked and draws it as it comes; what was under way is stopped. */
  async perform(task) {
    this.stop();
    let mine = new AbortController();
    this.current = mine, this.setBusy(!0);
    let question = titleOf(task), history = this.host.conversation.history(), pane = this.addPane(question);
    this.outputEl.scrollTop = this.outputEl.scrollHeight;
    try {
      let exchange = { question, task, answer: await this.carryOut(task, history, mine.signal, pane) };
      mine.signal.aborted || this.host.conversation.add(exchange), this.conclude(pane, exchange);
    } catch (error) {
      asDaemonError(error).code === "stopped" ? pane.stop() : pane.fail(error), this.addRetry(pane, task, null);
    }
    this.current === mine && (this.current = null, this.setBusy(!1));
  }
  async carryOut(task, history, signal, pane) {
    let { daemon, settings, conversation } = this.host, events = eventsOf(pane);
    if (task.kind === "summarize") {
      let estimate = await daemon.estimate(task.of, signal);
      return isWeighty(estimate) && await pane.agree(estimated(estimate), signal), daemon.summarize(task.of, signal, events);
    }
    if (task.kind === "compare") return daemon.compare(task.of, signal, events);
    let asked = { question: task.question, limit: settings.sources, history, conversation: conversation.id };
    return daemon.ask({ ...asked, asAsked: task.asAsked === !0 }, signal, events);
  }
  conclude(pane, exchange) {
    let { question, answer, task } = exchange;
    pane.finish(answer, () => {
      this.repeat(pane, exchange, { kind: "ask", question, asAsked: !0 });
    }), this.drawActions(pane, answer, question), this.addRetry(pane, task.kind === "ask" ? { kind: "ask", question } : task, exchange);
  }
  drawActions(pane, answer, question) {
    pane.actionsEl.createEl("button", { cls: "pai-copy", text: say.copy }).addEventListener("click", () => {
      copy(toMarkdown(answer));
    }), pane.actionsEl.createEl("button", { cls: "pai-insert", text: say.insert }).addEventListener("click", () => {
      insertBelowCursor(this.app, toCallout(answer, question));
    });
    let words2 = answer.found ? supportedText(answer) : "";
    if (!words2) return;
    pane.actionsEl.createEl("button", { cls: "pai-remember", text: say.remember }).addEventListener("click", () => {
      remember(this.host, words2, answer.citations.map(({ path }) => path));
    });
  }
  addRetry(pane, task, exchange) {
    if (pane !== this.newest) return;
    pane.actionsEl.createEl("button", { cls: "pai-retry", text: say.retry }).addEventListener("click", () => {
      this.repeat(pane, exchange, task);
    });
  }
  /** Asks once more in the place of an answer; a later one stays what it is. */
  repeat(pane, exchange, task) {
    pane === this.newest && (exchange && this.host.conversation.drop(exchange), pane.remove()), this.perform(task);
  }
  setBusy(busy) {
    this.stopEl.toggle(busy), this.askEl.toggle(!busy), this.headEl.show();
  }
};
function eventsOf(pane) {
  return {
    onEstimate: (estimate) => {
      pane.wait({ text: estimated(estimate), preview: "" });
    },
    onStep: (step) => {
      pane.wait({ text: progress(step), preview: "" });
    },
    onWaiting: (waiting) => {
      pane.wait(waiting);
    },
    onSources: (citations) => {
      pane.setSources(citations);
    },
    onDelta: (text) => {
      pane.addText(text);
    },
    onCited: (n) => {
      pane.markCited(n);
    }
  };
}
function estimated({ notes, seconds, keptBack, generator }) {
  let cost = say.estimated(notes, seconds === null ? null : spoken(seconds), answeredBy(generator));
  return keptBack > 0 ? `${cost} ${say.keptBack(keptBack)}` : cost;
}
function progress({ done, total, note, leftS }) {
  return say.progressOf(done, total, note, leftS === null ? null : spoken(leftS));
}

// src/cursor.ts
var import_view = require("@codemirror/view"), CursorMoves = class {
  listeners = /* @__PURE__ */ new Set();
  /** To be registered once, for all editors. */
  extension = import_view.EditorView.updateListener.of(({ selectionSet, docChanged }) => {
    if (selectionSet || docChanged) for (let listener of this.listeners) listener();
  });
  /** Calls `listener` with each move; returns how to stop that. */
  subscribe(listener) {
    return this.listeners.add(listener), () => this.listeners.delete(listener);
  }
};

// src/discovery.ts
function configFolder(machine2) {
  let chosen = machine2.env("PAI_CONFIG_DIR");
  if (chosen) return chosen;
  if (machine2.platform === "win32") {
    let roaming = machine2.env("APPDATA") ?? machine2.join(machine2.home(), "AppData", "Roaming");
    return machine2.join(roaming, "pai-daemon");
  }
  if (machine2.platform === "darwin") return machine2.join(machine2.home(), "Library", "Application Support", "pai-daemon");
  let xdg = machine2.env("XDG_CONFIG_HOME");
  return xdg ? machine2.join(xdg, "pai-daemon") : machine2.join(machine2.home(), ".config", "pai-daemon");
}
function startProgram(machine2) {
  let text = machine2.readText(machine2.join(configFolder(machine2), "command.json"));
  if (text === null) return null;
  try {
    let { command } = JSON.parse(text);
    return !Array.isArray(command) || command.length === 0 || !command.every((word) => typeof word == "string") ? null : /^(?:\/|[A-Za-z]:[\\/])/.test(command[0] ?? "") ? command : null;
  } catch {
    return null;
  }
}
async function startDaemon(machine2, vaultPath) {
  let [program, ...args] = startProgram(machine2) ?? [];
  if (program === void 0) throw DaemonError.notRunning(vaultPath);
  try {
    await machine2.launch(program, [...args, vaultPath], configFolder(machine2));
  } catch {
    throw new DaemonError("not-started", say.notStarted, say.startWith(startCommand(vaultPath)));
  }
}
function isLoopback(url) {
  try {
    let { protocol, hostname, username } = new URL(url);
    return protocol !== "http:" && protocol !== "https:" ? !1 : username === "" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  } catch {
    return !1;
  }
}
function parseRecord(text) {
  if (text === null) return null;
  try {
    let fields = Fields.of(JSON.parse(text), "daemon file");
    return { url: fields.string("url"), vault: fields.string("vault") };
  } catch (error) {
    if (error instanceof ContractError || error instanceof SyntaxError) return null;
    throw error;
  }
}
function findUrl(machine2, vaultPath) {
  let folder = machine2.join(configFolder(machine2), "daemons"), real = machine2.realPath(vaultPath), byHash = parseRecord(machine2.readText(machine2.join(folder, `${machine2.sha256Hex(real).slice(0, 16)}.json`)));
  if (byHash) return byHash.url;
  let same = (path) => machine2.realPath(path).normalize("NFC") === real.normalize("NFC");
  for (let name of machine2.list(folder)) {
    let record = name.endsWith(".json") ? parseRecord(machine2.readText(machine2.join(folder, name))) : null;
    if (record && same(record.vault)) return record.url;
  }
  return null;
}
function discover(machine2, vaultPath, overrides) {
  let found = overrides.url.trim() === "" ? findUrl(machine2, vaultPath) : overrides.url.trim();
  if (found === null) throw DaemonError.notRunning(vaultPath);
  let url = found.replace(/\/+$/, "");
  if (!isLoopback(url))
    throw new DaemonError("not-local", say.notLocal(url), say.notLocalNext);
  let tokenFile = machine2.join(configFolder(machine2), "token"), token = overrides.token.trim() || (machine2.readText(tokenFile) ?? "").trim();
  if (!token)
    throw new DaemonError("no-token", say.noToken, say.noTokenNext(tokenFile));
  return { url, token };
}

// src/inline.ts
var import_obsidian5 = require("obsidian");

// src/pending-answer.ts
var import_commands = require("@codemirror/commands"), import_state = require("@codemirror/state"), import_view2 = require("@codemirror/view");
var ROOM_PX = 220, begin = import_state.StateEffect.define(), write2 = import_state.StateEffect.define(), end = import_state.StateEffect.define(), PendingWidget = class extends import_view2.WidgetType {
  constructor(pending) {
    super();
    this.pending = pending;
  }
  pending;
  eq(other) {
    return other.pending.id === this.pending.id && other.pending.text === this.pending.text;
  }
  toDOM() {
    let el = createDiv({ cls: "pai-pending" });
    return el.createDiv({ cls: "pai-pending-text" }), el.createEl("button", { text: say.stopEsc }).addEventListener("click", () => {
      this.pending.stop();
    }), this.updateDOM(el), el;
  }
  updateDOM(el) {
    return el.querySelector(".pai-pending-text")?.setText(this.pending.text || say.reading), !0;
  }
  ignoreEvent() {
    return !0;
  }
}, pendings = import_state.StateField.define({
  create: () => [],
  update(list, transaction) {
    let next = list;
    transaction.docChanged && (next = next.map((one) => ({ ...one, pos: transaction.changes.mapPos(one.pos, -1) })));
    for (let effect of transaction.effects)
      if (effect.is(begin)) next = [...next, effect.value];
      else if (effect.is(end)) next = next.filter((one) => one.id !== effect.value);
      else if (effect.is(write2)) {
        let { id, text } = effect.value;
        next = next.map((one) => one.id === id ? { ...one, text } : one);
      }
    return next;
  },
  provide: (field) => import_view2.EditorView.decorations.compute(
    [field],
    (state) => import_view2.Decoration.set(
      state.field(field).map((one) => {
        let widget = new PendingWidget(one);
        return import_view2.Decoration.widget({ widget, block: !0, side: 1 }).range(state.doc.lineAt(one.pos).to);
      }),
      !0
    )
  )
});
function stopAll(view, notice) {
  let list = view.state.field(pendings, !1) ?? [];
  for (let pending of list) pending.stop(notice);
  return list.length > 0;
}
var leaving = import_view2.ViewPlugin.define((view) => ({ destroy: () => {
  stopAll(view, say.noteClosed);
} })), pendingAnswers = [pendings, leaving, import_state.Prec.highest(import_view2.keymap.of([{ key: "Escape", run: (view) => stopAll(view) }]))];
function find(view, id) {
  return view.state.field(pendings, !1)?.find((one) => one.id === id);
}
function isLow(view, pos) {
  let at = view.coordsAtPos(pos);
  return at !== null && at.bottom > view.scrollDOM.getBoundingClientRect().bottom - ROOM_PX;
}
var PendingAnswer = class _PendingAnswer {
  constructor(view, pos, stop) {
    this.view = view;
    let started = begin.of({ id: this.id, pos, text: "", stop });
    view.dispatch({ effects: isLow(view, pos) ? [started, import_view2.EditorView.scrollIntoView(pos, { y: "center" })] : started });
  }
  view;
  static count = 0;
  id = ++_PendingAnswer.count;
  write(text) {
    find(this.view, this.id) && this.view.dispatch({ effects: write2.of({ id: this.id, text }) });
  }
  /** Puts a callout below the question's line, as one step of undo, and takes the widget away. */
  finish(callout) {
    let pending = find(this.view, this.id);
    if (!pending) return;
    let { doc } = this.view.state, line = doc.lineAt(pending.pos), next = line.number < doc.lines ? doc.line(line.number + 1).text : null;
    this.view.dispatch({
      changes: { from: line.to, insert: setOff(callout, line.text, next) },
      effects: end.of(this.id),
      annotations: [import_commands.isolateHistory.of("full"), import_state.Transaction.userEvent.of("input.complete")]
    });
  }
  cancel() {
    find(this.view, this.id) && this.view.dispatch({ effects: end.of(this.id) });
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
    for (let controller of this.running) controller.abort();
  }
  async answer(editor, info) {
    let selected = editor.getSelection().trim(), last = editor.getCursor("to"), question = selected || questionOf(editor.getLine(last.line));
    if (!question) {
      new import_obsidian5.Notice(say.noQuestion);
      return;
    }
    let view = codeMirror(editor);
    if (!view) {
      new import_obsidian5.Notice(say.noEditor);
      return;
    }
    await this.run(view, editor.posToOffset(last), question, info.file?.path);
  }
  async run(view, pos, question, note) {
    let controller = new AbortController();
    this.running.add(controller);
    let text = "", pending = new PendingAnswer(view, pos, (notice) => {
      controller.abort(notice);
    });
    try {
      let asked = { question, limit: this.host.settings.sources, ...note === void 0 ? {} : { note } }, answer = await this.host.daemon.ask(asked, controller.signal, {
        onWaiting: (waiting) => {
          pending.write([waiting.text, waiting.preview].filter(Boolean).join(`

`));
        },
        onDelta: (delta) => {
          text += delta, pending.write(text);
        }
      });
      pending.finish(toCallout(answer, question));
    } catch (error) {
      pending.cancel();
      let { code, advice } = asDaemonError(error), reason = controller.signal.reason;
      typeof reason == "string" ? new import_obsidian5.Notice(reason) : code !== "stopped" && new import_obsidian5.Notice(advice, 1e4);
    } finally {
      this.running.delete(controller);
    }
  }
};

// src/link-mention.ts
var import_obsidian6 = require("obsidian");

// src/mentions.ts
function editFor(mention, readLine) {
  let line = mention.line - 1, from = mention.columnUtf16, to = from + mention.text.length;
  return readLine(line)?.slice(from, to) !== mention.text ? null : { line, from, to, text: mention.link };
}
function editsFor(mentions, readLine) {
  let edits = [], taken = /* @__PURE__ */ new Map();
  for (let mention of mentions) {
    let edit = editFor(mention, readLine), here = taken.get(mention.line) ?? [];
    !edit || here.some((other) => overlaps(other, edit)) || (taken.set(mention.line, [...here, edit]), edits.push(edit));
  }
  return { edits, missed: mentions.length - edits.length };
}
function afterEdit(mentions, edit) {
  let grown = edit.text.length - (edit.to - edit.from);
  return mentions.flatMap((mention) => {
    if (mention.line - 1 !== edit.line) return [mention];
    let from = mention.columnUtf16;
    return overlaps(edit, { line: edit.line, from, to: from + mention.text.length }) ? [] : [from >= edit.to ? { ...mention, columnUtf16: from + grown } : mention];
  });
}
function linkAt(mentions, line, ch, text) {
  let here = mentions.filter((mention) => mention.line - 1 === line).map((mention) => ({ line, from: mention.columnUtf16, to: mention.columnUtf16 + mention.text.length, text: mention.link })).find(({ from, to }) => from <= ch && ch <= to);
  if (here) return here;
  for (let mention of [...mentions].sort((a, b) => b.text.length - a.text.length)) {
    let from = placeOfWord(text, mention.text, ch);
    if (from !== null) return { line, from, to: from + mention.text.length, text: mention.link };
  }
  return null;
}
function placeOfWord(text, word, ch) {
  for (let from = text.indexOf(word); from >= 0 && from <= ch; from = text.indexOf(word, from + 1)) {
    let to = from + word.length, isWhole = !/[\p{L}\p{N}]/u.test(`${text[from - 1] ?? " "}${text[to] ?? " "}`);
    if (ch <= to && isWhole && !isInLink(text, from)) return from;
  }
  return null;
}
function isInLink(text, at) {
  return text.lastIndexOf("[[", at) > text.lastIndexOf("]]", at);
}
function overlaps(a, b) {
  return a.line === b.line && a.from < b.to && b.from < a.to;
}

// src/link-mention.ts
async function linkMention(host, editor, info) {
  let { file } = info;
  if (!file) return;
  let { line, ch } = editor.getCursor(), text = editor.getLine(line);
  try {
    let { mentions } = await host.daemon.links(file.path), edit = info.file === file && line < editor.lineCount() && editor.getLine(line) === text ? linkAt(mentions, line, ch, text) : null;
    edit ? applyEdits(editor, [edit]) : new import_obsidian6.Notice(say.noMention);
  } catch (error) {
    new import_obsidian6.Notice(asDaemonError(error).advice, 1e4);
  }
}

// src/link-suggest.ts
var import_obsidian7 = require("obsidian");

// src/trigger.ts
function triggered(line, ch, trigger) {
  if (!trigger) return null;
  let from = line.lastIndexOf(trigger, ch - trigger.length);
  if (from < 0 || from + trigger.length > ch) return null;
  let query = line.slice(from + trigger.length, ch);
  return query.length < 2 || query.length > 80 || /^\s|[[\]]/.test(query) ? null : { from, query };
}

// src/link-suggest.ts
var LIMIT = 8, TYPING_MS = 150, LinkSuggest = class extends import_obsidian7.EditorSuggest {
  constructor(app, host) {
    super(app);
    this.host = host;
    this.setInstructions([{ command: "↵", purpose: say.toInsert }]);
  }
  host;
  asked = 0;
  onTrigger({ line, ch }, editor) {
    let found = triggered(editor.getLine(line), ch, this.host.settings.trigger);
    return found && { start: { line, ch: found.from }, end: { line, ch }, query: found.query };
  }
  async getSuggestions({ query, file }) {
    let mine = ++this.asked;
    if (await sleep(TYPING_MS), mine !== this.asked) return [];
    try {
      let { results } = await this.host.daemon.search(query, { mode: this.host.settings.mode, limit: LIMIT, typing: !0 });
      return results.filter(({ path }) => path !== file.path);
    } catch {
      return [];
    }
  }
  renderSuggestion(passage, el) {
    el.createDiv({ cls: "pai-row-place", text: placeOf(passage) }), el.createDiv({ cls: "pai-row-detail", text: passage.path });
  }
  selectSuggestion({ link }) {
    if (!this.context) return;
    let { editor, start, end: end2 } = this.context;
    editor.replaceRange(link, start, end2), editor.setCursor({ line: start.line, ch: start.ch + link.length }), this.close();
  }
};

// src/links-view.ts
var import_obsidian11 = require("obsidian");

// src/broken-links.ts
var import_obsidian8 = require("obsidian");
var SHOWN = 12, FOUND = 8, BrokenLinks = class {
  constructor(host, path, written, editor) {
    this.host = host;
    this.path = path;
    this.editor = editor;
    this.links = written.filter((link) => link.path === null && isRepairable(link)).slice(0, SHOWN);
  }
  host;
  path;
  editor;
  links;
  get any() {
    return this.links.length > 0;
  }
  draw(parent) {
    if (!this.any) return;
    let section = parent.createDiv({ cls: "pai-broken-links" });
    section.createDiv({ cls: "pai-modal-head" }).createDiv({ cls: "pai-heading", text: say.broken });
    let rows = this.links.map((link) => ({ link, row: this.drawRow(section, link) }));
    this.drawCandidates(rows);
  }
  drawRow(parent, link) {
    let row = parent.createDiv({ cls: "pai-link-row pai-broken" }), words2 = row.createDiv({ cls: "pai-link-words" });
    return words2.createDiv({ cls: "pai-row-place", text: link.kind === "markdown" ? `(${link.target})` : `[[${link.target}]]` }), words2.createDiv({ cls: "pai-row-detail", text: say.line(link.line) }), words2.addEventListener("click", (event) => {
      let path = this.host.app.workspace.getActiveFile()?.path;
      path !== void 0 && openAt(this.host.app, { path, startLine: link.line, page: null }, event);
    }), row;
  }
  /** One after the other, so that a note full of broken links keeps nobody waiting. */
  async drawCandidates(rows) {
    for (let { link, row } of rows) {
      if (!row.isConnected) return;
      try {
        let words2 = link.target.replace(/\.md$/, "").replace(/[/"]/g, " ").replace(/(^|\s)-+/g, "$1").trim();
        if (!words2) continue;
        let { results } = await this.host.daemon.search(words2, { mode: "hybrid", limit: FOUND });
        for (let note of candidatesFor(link.target, results)) this.drawRepair(row, link, note);
      } catch (error) {
        if (asDaemonError(error).code === "not-running") return;
      }
    }
  }
  drawRepair(row, link, note) {
    row.createEl("button", { cls: "pai-repair", text: say.repair(note.title) }).addEventListener("click", () => {
      let editor = this.editor();
      if (!editor) return;
      let edit = repairEdit(link, note, readLineOf(editor)(link.line - 1), this.path);
      if (!edit) {
        new import_obsidian8.Notice(say.brokenMissed);
        return;
      }
      applyEdits(editor, [edit]), this.links = this.links.filter((one) => one !== link), (this.any ? row : row.parentElement)?.remove();
    });
  }
};

// src/following-view.ts
var import_obsidian10 = require("obsidian");

// src/transport.ts
var import_obsidian9 = require("obsidian"), send = async ({ url, method, headers, body }) => {
  let reply = await (0, import_obsidian9.requestUrl)({ url, method, headers, throw: !1, ...body === void 0 ? {} : { body } });
  return { status: reply.status, text: reply.text };
}, stream = async ({ url, method, headers, body }, signal) => {
  let reply = await window.fetch(url, { method, headers, signal, cache: "no-store", ...body === void 0 ? {} : { body } });
  return { status: reply.status, chunks: textOf(reply) };
};
async function* textOf(reply) {
  if (!reply.body) return;
  let reader = reply.body.getReader(), decoder = new TextDecoder();
  try {
    for (; ; ) {
      let { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: !0 });
    }
  } finally {
    await reader.cancel().catch(() => {
    });
  }
}
var after = (ms, then) => {
  let timer = window.setTimeout(then, ms);
  return () => {
    window.clearTimeout(timer);
  };
};

// src/following-view.ts
var SETTLE_MS = 250, REVISION_MS = 1500, FollowingView = class extends import_obsidian10.ItemView {
  constructor(leaf, host) {
    super(leaf);
    this.host = host;
  }
  host;
  navigation = !1;
  cancelPlan = () => {
  };
  revision = -1;
  onOpen() {
    return this.registerEvent(this.app.workspace.on("file-open", () => {
      this.plan(SETTLE_MS);
    })), this.register(
      this.host.feed.subscribe(({ status }) => {
        let revision = status?.revision ?? -1;
        revision !== this.revision && (this.revision = revision, this.outdate?.(), status && this.plan(REVISION_MS));
      })
    ), this.register(() => {
      this.cancelPlan();
    }), this.plan(0), Promise.resolve();
  }
  /** Looks after so long, and no more at what was planned before. */
  plan(ms) {
    this.cancelPlan(), this.cancelPlan = after(ms, () => {
      this.show();
    });
  }
};

// src/links-view.ts
var LINKS_VIEW = "pai-daemon-links", AROUND = 48, ROWS = 30, LinksView = class extends FollowingView {
  path = null;
  shownPath = null;
  mentions = [];
  suggestions = [];
  broken = null;
  asked = 0;
  getViewType() {
    return LINKS_VIEW;
  }
  getDisplayText() {
    return say.links;
  }
  getIcon() {
    return "link";
  }
  onOpen() {
    return this.contentEl.addClass("pai-view", "pai-links"), this.contentEl.createDiv({ cls: "pai-empty", text: say.linksLoading }), super.onOpen();
  }
  /** Looks at the active note now. */
  look() {
    this.plan(0);
  }
  async show() {
    let path = this.app.workspace.getActiveFile()?.path ?? null, mine = ++this.asked;
    if (path === null) {
      this.contentEl.empty(), this.contentEl.createDiv({ cls: "pai-empty", text: say.linksOpen });
      return;
    }
    try {
      let [links, written] = await Promise.all([this.host.daemon.links(path), this.host.daemon.written(path)]);
      if (mine !== this.asked) return;
      this.path = path, this.mentions = links.mentions, this.suggestions = links.suggestions, this.broken = new BrokenLinks(this.host, path, written, () => this.editor()), this.draw();
    } catch (error) {
      if (mine !== this.asked) return;
      this.contentEl.empty();
      let told = asDaemonError(error);
      told.code === "not_found" ? this.contentEl.createDiv({ cls: "pai-empty", text: told.advice }) : drawError(this.contentEl, told);
    }
  }
  /** Returns the editor of the note that is shown; says so where it is not open any more. */
  editor() {
    let target = recentEditor(this.app);
    return target !== null && target.file.path === this.path ? target.editor : (new import_obsidian11.Notice(say.openAgain), null);
  }
  draw() {
    if (this.path === null) return;
    let scroll = this.path === this.shownPath ? this.contentEl.scrollTop : 0;
    this.shownPath = this.path, this.contentEl.empty(), this.contentEl.createDiv({ cls: "pai-heading pai-links-of", text: say.linksOf(nameOf(this.path)) }), this.mentions.length === 0 && this.suggestions.length === 0 && !this.broken?.any && this.contentEl.createDiv({ cls: "pai-empty", text: say.linksNone }), this.mentions.length > 0 && this.drawMentions(), this.broken?.draw(this.contentEl), this.suggestions.length > 0 && this.drawSuggestions(), scroll > 0 && (this.contentEl.scrollTop = scroll);
  }
  drawMentions() {
    let head = this.contentEl.createDiv({ cls: "pai-modal-head" });
    head.createDiv({ cls: "pai-heading", text: say.mentions }), head.createEl("button", { cls: "pai-accept-all mod-cta", text: say.linkAll }).addEventListener("click", () => {
      this.acceptAll();
    });
    for (let mention of this.mentions.slice(0, ROWS)) {
      let row = this.contentEl.createDiv({ cls: "pai-link-row" }), words2 = row.createDiv({ cls: "pai-link-words" });
      this.drawContext(words2.createDiv(), mention), words2.createDiv({ cls: "pai-row-detail", text: `${say.line(mention.line)} → ${mention.title}`, attr: { title: mention.why } }), words2.addEventListener("click", (event) => {
        openAt(this.app, { path: this.path ?? "", startLine: mention.line, page: null }, event);
      }), row.createEl("button", { cls: "pai-accept", text: say.link }).addEventListener("click", () => {
        this.accept(mention);
      }), this.drawNever(row, mention.target);
    }
    let rest = this.mentions.length - ROWS;
    rest > 0 && this.contentEl.createDiv({ cls: "pai-row-detail", text: say.more(rest) });
  }
  drawContext(parent, mention) {
    let target = recentEditor(this.app), line = target?.file.path === this.path ? readLineOf(target.editor)(mention.line - 1) ?? "" : "", from = mention.columnUtf16, to = from + mention.text.length, begin2 = Math.max(0, from - AROUND);
    parent.appendText(`${begin2 > 0 ? "…" : ""}${line.slice(begin2, from)}`), parent.createEl("mark", { text: mention.text }), parent.appendText(`${line.slice(to, to + AROUND)}${line.length > to + AROUND ? "…" : ""}`);
  }
  drawSuggestions() {
    this.contentEl.createDiv({ cls: "pai-modal-head" }).createDiv({ cls: "pai-heading", text: say.near });
    for (let note of this.suggestions) {
      let row = this.contentEl.createDiv({ cls: "pai-link-row" }), words2 = row.createDiv({ cls: "pai-link-words" });
      words2.createDiv({ cls: "pai-row-place", text: note.title }), words2.createDiv({ cls: "pai-row-detail", text: note.why }), words2.addEventListener("click", (event) => {
        openAt(this.app, note.passage ?? { path: note.path, startLine: 1, page: null }, event);
      }), row.createEl("button", { cls: "pai-suggest-insert", text: say.linkHere, attr: { "aria-label": say.linkHereWhy } }).addEventListener("click", () => {
        this.insert(note);
      }), this.drawNever(row, note.path);
    }
  }
  drawNever(row, other) {
    row.createEl("button", { cls: "pai-never", text: say.never, attr: { "aria-label": say.neverWhy } }).addEventListener("click", () => {
      this.refuse(other);
    });
  }
  async refuse(other) {
    let path = this.path;
    if (path !== null) {
      try {
        await this.host.daemon.refuse([{ path, other }]);
      } catch (error) {
        new import_obsidian11.Notice(asDaemonError(error).advice, 1e4);
        return;
      }
      this.path === path && (this.mentions = this.mentions.filter(({ target }) => target !== other), this.suggestions = this.suggestions.filter(({ path: path2 }) => path2 !== other), this.draw());
    }
  }
  insert(note) {
    this.editor() && (insertAtCursor(this.app, note.link), this.suggestions = this.suggestions.filter((one) => one !== note), this.draw());
  }
  accept(mention) {
    let editor = this.editor();
    if (!editor) return;
    let edit = editFor(mention, readLineOf(editor));
    if (!edit) {
      new import_obsidian11.Notice(say.mentionMissed(1));
      return;
    }
    applyEdits(editor, [edit]), this.mentions = afterEdit(this.mentions, edit), this.draw();
  }
  acceptAll() {
    let editor = this.editor();
    if (!editor) return;
    let { edits, missed } = editsFor(this.mentions, readLineOf(editor));
    applyEdits(editor, edits), new import_obsidian11.Notice(missed > 0 ? say.mentionMissed(missed) : say.linksAdded(edits.length)), this.mentions = [], this.draw();
  }
};

// src/machine.ts
var import_child_process = require("child_process"), import_crypto = require("crypto"), import_fs = require("fs"), import_os = require("os"), import_path = require("path");
function or(fallback, read) {
  try {
    return read();
  } catch {
    return fallback;
  }
}
var ALIVE_MS = 4e3;
function launch(program, args, folder) {
  return new Promise((resolve, reject) => {
    let child = (0, import_child_process.spawn)(program, args, { cwd: folder, detached: !0, stdio: "ignore", windowsHide: !0 }), timer = window.setTimeout(resolve, ALIVE_MS), fail = () => {
      window.clearTimeout(timer), reject(new Error(program));
    };
    child.once("error", fail), child.once("exit", fail), child.unref();
  });
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
  sha256Hex: (text) => (0, import_crypto.createHash)("sha256").update(text, "utf8").digest("hex"),
  launch
};

// src/pairs.ts
function listPairs(pairs) {
  return Object.entries(pairs).flatMap(([path, others]) => others.map((other) => ({ path, other })));
}
function readPairs(data) {
  if (typeof data != "object" || data === null || Array.isArray(data)) return {};
  let pairs = {};
  for (let [path, others] of Object.entries(data))
    Array.isArray(others) && (pairs[path] = others.filter((one) => typeof one == "string" && one !== path));
  return pairs;
}

// src/patience.ts
var WAITS_MS = [1e3, 2e3, 4e3];
function patiently(send2, after2, dice = Math.random) {
  return async (request) => {
    for (let wait of WAITS_MS) {
      let reply = await send2(request);
      if (reply.status !== 429) return reply;
      await new Promise((resolve) => {
        after2(wait * (1 + dice() / 2), resolve);
      });
    }
    return send2(request);
  };
}

// src/pick-modals.ts
var import_obsidian12 = require("obsidian");
var LIMIT2 = 50, NotePick = class extends import_obsidian12.SuggestModal {
  constructor(app, from, choose) {
    super(app);
    this.from = from;
    this.choose = choose;
    this.setPlaceholder(say.comparePick(from.basename)), this.emptyStateText = say.searchNone;
  }
  from;
  choose;
  getSuggestions(query) {
    let words2 = query.toLocaleLowerCase().split(/\s+/).filter(Boolean), holds = ({ path }) => words2.every((word) => path.toLocaleLowerCase().includes(word));
    return this.app.vault.getFiles().filter((file) => file.extension === "md" && file.path !== this.from.path).filter(holds).slice(0, LIMIT2);
  }
  renderSuggestion(file, el) {
    el.addClass("pai-suggestion"), el.createDiv({ cls: "pai-row-place", text: file.basename }), el.createDiv({ cls: "pai-row-detail", text: file.path });
  }
  onChooseSuggestion(file) {
    this.choose(file);
  }
}, TagPick = class extends import_obsidian12.SuggestModal {
  constructor(app, choose) {
    super(app);
    this.choose = choose;
    this.setPlaceholder(say.tagPick), this.emptyStateText = say.tagPick;
  }
  choose;
  getSuggestions(query) {
    let tag = query.trim().replace(/^#+/, "");
    return tag ? [`#${tag}`] : [];
  }
  renderSuggestion(tag, el) {
    el.addClass("pai-suggestion"), el.createDiv({ cls: "pai-row-place", text: tag });
  }
  onChooseSuggestion(tag) {
    this.choose(tag);
  }
};

// src/proposals-modal.ts
var import_obsidian13 = require("obsidian");
var ProposalsModal = class extends import_obsidian13.Modal {
  constructor(app, host) {
    super(app);
    this.host = host;
  }
  host;
  onOpen() {
    this.modalEl.addClass("pai-modal"), this.setTitle(say.proposals), this.load();
  }
  onClose() {
    this.contentEl.empty();
  }
  async load() {
    try {
      let waiting = await this.host.daemon.proposals();
      this.contentEl.empty(), waiting.length === 0 && this.contentEl.createDiv({ cls: "pai-empty", text: say.proposalsNone });
      for (let proposal of waiting) this.draw(this.contentEl.createDiv({ cls: "pai-proposal" }), proposal);
    } catch (error) {
      this.contentEl.empty(), drawError(this.contentEl, error);
    }
  }
  draw(el, proposal) {
    el.empty();
    let { path, by, why, diff, state } = proposal;
    el.createDiv({ cls: "pai-row-place", text: path }).addEventListener("click", (event) => {
      this.close(), openAt(this.app, { path, startLine: 1, page: null }, event);
    }), el.createDiv({ cls: "pai-row-detail", text: why ? say.proposedFor(by, why) : say.proposedBy(by) }), state === "proposed" && drawDiff(el.createEl("pre", { cls: "pai-diff" }), diff);
    let row = el.createDiv({ cls: "pai-actions" });
    if (state === "proposed") {
      this.addButton(row, el, proposal, "approve"), this.addButton(row, el, proposal, "reject");
      return;
    }
    row.createSpan({ cls: "pai-proposal-state", text: say.proposalStates[state] ?? state }), state === "applied" && this.addButton(row, el, proposal, "undo");
  }
  addButton(row, el, proposal, decision) {
    row.createEl("button", { cls: `pai-${decision}`, text: say.decisions[decision] }).addEventListener("click", () => {
      this.decide(row, el, proposal, decision);
    });
  }
  async decide(row, el, proposal, decision) {
    for (let button of row.querySelectorAll("button")) button.disabled = !0;
    try {
      let { state } = await this.host.daemon.decide(proposal.id, decision);
      this.draw(el, { ...proposal, state });
    } catch (error) {
      this.draw(el, proposal), drawError(el, error);
    }
  }
};
function drawDiff(parent, diff) {
  for (let [index, line] of diff.split(`
`).entries()) {
    let el = parent.createDiv({ text: line || " " });
    index < 2 && /^(?:---|\+\+\+) /.test(line) ? el.addClass("pai-row-detail") : line.startsWith("+") ? el.addClass("is-added") : line.startsWith("-") && el.addClass("is-removed");
  }
}

// src/recent-queries.ts
var RecentQueries = class {
  constructor(shelf) {
    this.shelf = shelf;
  }
  shelf;
  list() {
    let kept = this.shelf.load();
    return Array.isArray(kept) ? kept.filter((one) => typeof one == "string") : [];
  }
  add(query) {
    let found = query.trim();
    found && this.shelf.save([found, ...this.list().filter((one) => one !== found)].slice(0, 12));
  }
};

// src/paragraph.ts
function paragraphAt(line, readLine) {
  let here = readLine(line) ?? "";
  if (isGap(here)) return "";
  let lines = [here];
  if (!isHeading(here)) {
    for (let at = line - 1; line - at <= 60 && continues(readLine(at)); at--) lines.unshift(readLine(at) ?? "");
    for (let at = line + 1; at - line <= 60 && continues(readLine(at)); at++) lines.push(readLine(at) ?? "");
  }
  return fitting(lines.join(`
`).trim());
}
function continues(line) {
  return line !== null && !isGap(line) && !isHeading(line);
}
function isGap(line) {
  return /^[\s>]*$/.test(line) || /^\s*(?:---|```)/.test(line);
}
function isHeading(line) {
  return /^#{1,6}\s/.test(line);
}
function fitting(text) {
  let end2 = Math.min(text.length, 6e3);
  for (; end2 > 0 && encodeURIComponent(whole(text, end2)).length > 6e3; ) end2 = Math.floor(end2 * 0.8);
  return whole(text, end2);
}
function whole(text, end2) {
  return text.slice(0, end2).replace(/\p{Surrogate}/gu, "");
}

// src/related-view.ts
var RELATED_VIEW = "pai-daemon-related", CURSOR_MS = 600, WORDS3 = 160, LEAST_CHARACTERS = 20, RelatedView = class extends FollowingView {
  shown = null;
  asked = 0;
  getViewType() {
    return RELATED_VIEW;
  }
  getDisplayText() {
    return say.related;
  }
  getIcon() {
    return "waypoints";
  }
  onOpen() {
    return this.contentEl.addClass("pai-view", "pai-related"), this.register(this.host.cursor.subscribe(() => {
      this.host.settings.followParagraph && this.plan(CURSOR_MS);
    })), super.onOpen();
  }
  outdate() {
    this.shown = null;
  }
  origin() {
    let path = this.app.workspace.getActiveFile()?.path;
    if (path === void 0) return null;
    let target = this.host.settings.followParagraph ? recentEditor(this.app) : null;
    if (target?.file.path !== path) return { path, text: "" };
    let text = paragraphAt(target.editor.getCursor().line, readLineOf(target.editor));
    return { path, text: text.length < LEAST_CHARACTERS ? "" : text };
  }
  async show() {
    let origin = this.origin();
    if (origin && origin.path === this.shown?.path && origin.text === this.shown.text) return;
    let mine = ++this.asked;
    if (!origin) {
      this.draw(null, []);
      return;
    }
    try {
      let notes = await this.find(origin);
      mine === this.asked && this.draw(origin, notes);
    } catch (error) {
      mine === this.asked && this.drawFailure(asDaemonError(error));
    }
  }
  async find({ path, text }) {
    let limit = this.host.settings.related;
    return text ? (await this.host.daemon.related({ text }, limit + 1)).filter((note) => note.path !== path).slice(0, limit) : this.host.daemon.related({ path }, limit);
  }
  drawFailure(error) {
    this.shown = null, this.contentEl.empty(), error.code === "not_found" ? this.contentEl.createDiv({ cls: "pai-empty", text: error.advice }) : drawError(this.contentEl, error);
  }
  draw(origin, notes) {
    let scroll = origin && origin.path === this.shown?.path ? this.contentEl.scrollTop : 0;
    if (this.contentEl.empty(), this.shown = origin, !origin) {
      this.contentEl.createDiv({ cls: "pai-empty", text: say.relatedOpen });
      return;
    }
    this.drawHead(origin), notes.length === 0 && this.contentEl.createDiv({ cls: "pai-empty", text: say.relatedNone });
    for (let note of notes) this.drawNote(note);
    scroll > 0 && (this.contentEl.scrollTop = scroll);
  }
  drawHead({ path, text }) {
    let head = this.contentEl.createDiv({ cls: "pai-modal-head" });
    head.createDiv({ cls: "pai-heading", text: text ? say.relatedToParagraph : say.relatedTo(nameOf(path)) });
    let follows = this.host.settings.followParagraph;
    head.createEl("button", { cls: "pai-follow", text: follows ? say.followNote : say.followParagraph }).addEventListener("click", () => {
      this.follow(!follows);
    });
  }
  async follow(paragraph) {
    await this.host.change({ followParagraph: paragraph }), this.shown = null, this.plan(0);
  }
  drawNote(note) {
    let words2 = note.passage ? marked({ text: note.passage.text, highlights: [] }, WORDS3) : [];
    drawRow(this.contentEl, {
      place: note.title,
      detail: note.why,
      words: words2,
      link: note.link,
      open: (event) => {
        openAt(this.app, note.passage ?? { path: note.path, startLine: 1, page: null }, event);
      },
      insert: () => {
        insertAtCursor(this.app, note.link);
      },
      ...note.linked ? { badge: { text: say.linked, why: say.linkedWhy } } : {}
    });
  }
};

// src/related-modal.ts
var import_obsidian14 = require("obsidian");
var LIMIT3 = 30, RelatedModal = class extends import_obsidian14.SuggestModal {
  constructor(app, host, file) {
    super(app);
    this.host = host;
    this.file = file;
    this.setPlaceholder(say.relatedPick), this.setInstructions([
      { command: "↵", purpose: say.toOpen },
      { command: "ctrl/cmd ↵", purpose: say.toOpenTab },
      { command: "alt ↵", purpose: say.toInsert }
    ]), chooseWithModifiers(this);
  }
  host;
  file;
  found = null;
  async getSuggestions(query) {
    this.found ??= this.load();
    let words2 = query.toLocaleLowerCase().split(/\s+/).filter(Boolean), holds = (note) => words2.every((word) => `${note.title} ${note.path}`.toLocaleLowerCase().includes(word));
    return (await this.found).filter(holds);
  }
  async load() {
    try {
      return this.emptyStateText = say.relatedNone, await this.host.daemon.related({ path: this.file.path }, LIMIT3);
    } catch (error) {
      return this.emptyStateText = asDaemonError(error).advice, [];
    }
  }
  renderSuggestion(note, el) {
    el.addClass("pai-suggestion"), el.createDiv({ cls: "pai-row-place", text: note.title }), el.createDiv({ cls: "pai-row-detail", text: note.why });
  }
  onChooseSuggestion(note, event) {
    openOrLink(this.app, note.passage ?? { path: note.path, startLine: 1, page: null }, note.link, event);
  }
};

// src/routine-modal.ts
var import_obsidian15 = require("obsidian");
var RoutineModal = class extends import_obsidian15.SuggestModal {
  constructor(app, host) {
    super(app);
    this.host = host;
    this.setPlaceholder(say.routinePick);
  }
  host;
  found = null;
  async getSuggestions(query) {
    this.found ??= this.load();
    let { routines, wrong } = await this.found, words2 = query.toLocaleLowerCase().split(/\s+/).filter(Boolean), holds = (text) => words2.every((word) => text.toLocaleLowerCase().includes(word));
    return [
      ...routines.filter(({ name, title }) => holds(`${title} ${name}`)).map((routine) => ({ kind: "routine", routine })),
      ...wrong.filter(({ path }) => holds(path)).map((one) => ({ kind: "wrong", wrong: one }))
    ];
  }
  async load() {
    try {
      return this.emptyStateText = say.routineNone, await this.host.daemon.routines();
    } catch (error) {
      return this.emptyStateText = asDaemonError(error).advice, { routines: [], wrong: [] };
    }
  }
  renderSuggestion(row, el) {
    if (el.addClass("pai-suggestion"), row.kind === "routine") {
      let { title, name, schedule } = row.routine;
      el.createDiv({ cls: "pai-row-place", text: title || name }), el.createDiv({ cls: "pai-row-detail", text: schedule });
      return;
    }
    let { path, line, message, hint } = row.wrong;
    el.createDiv({ cls: "pai-row-place", text: path }), el.createDiv({ cls: "pai-warning", text: `${say.line(line)}: ${message} ${hint}`.trim() });
  }
  onChooseSuggestion(row, event) {
    row.kind === "routine" ? run(this.app, this.host, row.routine) : openAt(this.app, { path: row.wrong.path, startLine: row.wrong.line, page: null }, event);
  }
};
async function run(app, host, { name, title }) {
  new import_obsidian15.Notice(say.routineRuns(title || name));
  try {
    let { state, why, actions } = await host.daemon.runRoutine(name);
    new import_obsidian15.Notice(say.routineRan(title || name, say.runStates[state] ?? state, why), 1e4), actions.length > 0 && await openWaiting(app, host, actions);
  } catch (error) {
    new import_obsidian15.Notice(asDaemonError(error).advice, 1e4);
  }
}
async function openWaiting(app, host, actions) {
  (await host.daemon.proposals()).some(({ id }) => actions.includes(id)) && new ProposalsModal(app, host).open();
}

// src/search-modal.ts
var import_obsidian16 = require("obsidian");
var LIMIT4 = 12, TYPING_MS2 = 150, WORDS4 = 180, SearchModal = class extends import_obsidian16.SuggestModal {
  constructor(app, host) {
    super(app);
    this.host = host;
    this.modalEl.addClass("pai-search"), this.setPlaceholder(say.searchHint), this.setInstructions([
      { command: "↵", purpose: say.toOpen },
      { command: "ctrl/cmd ↵", purpose: say.toOpenTab },
      { command: "alt ↵", purpose: say.toInsert },
      { command: "esc", purpose: say.toClose }
    ]), this.resultContainerEl.before(this.noticesEl), chooseWithModifiers(this);
  }
  host;
  asked = 0;
  latest = [];
  /** What the daemon says of the query, above the list. */
  noticesEl = createDiv({ cls: "pai-row-detail pai-notices", attr: { role: "status" } });
  async getSuggestions(text) {
    let mine = ++this.asked;
    if (!text.trim())
      return this.noticesEl.empty(), this.host.recent.list();
    if (await sleep(TYPING_MS2), mine !== this.asked) return this.latest;
    try {
      let { mode } = this.host.settings, { results, notices } = await this.host.daemon.search(text, { mode, limit: LIMIT4, typing: !0 });
      this.show(mine, results, say.searchNone, notices);
    } catch (error) {
      this.show(mine, [], asDaemonError(error).advice, []);
    }
    return this.latest;
  }
  /** Keeps what a search found, unless a newer one was begun meanwhile. */
  show(search, results, whereEmpty, notices) {
    search === this.asked && (this.latest = results, this.emptyStateText = whereEmpty, this.noticesEl.setText(notices.join(" ")));
  }
  renderSuggestion(found, el) {
    if (el.addClass("pai-suggestion"), typeof found == "string") {
      el.createDiv({ cls: "pai-row-place pai-recent", text: found }), el.createDiv({ cls: "pai-row-detail", text: say.recent });
      return;
    }
    el.createDiv({ cls: "pai-row-place", text: placeOf(found) }), drawMarked(el.createDiv({ cls: "pai-row-words" }), marked(found, WORDS4)), el.createDiv({ cls: "pai-row-detail", text: `${found.path} · ${linesOf(found)}` });
  }
  /** An earlier search is searched again, so the list stays open. */
  selectSuggestion(found, event) {
    if (typeof found != "string") {
      super.selectSuggestion(found, event);
      return;
    }
    this.inputEl.value = found, this.inputEl.dispatchEvent(new Event("input")), this.inputEl.focus();
  }
  onChooseSuggestion(found, event) {
    typeof found != "string" && (this.host.recent.add(this.inputEl.value), openOrLink(this.app, found, found.link, event));
  }
};

// src/settings.ts
var DEFAULTS = {
  url: "",
  sources: 6,
  related: 10,
  mode: "hybrid",
  followParagraph: !1,
  underline: !1,
  statusBar: !0,
  relatedAtStart: !1,
  trigger: ";;",
  pairs: {}
}, MOST_SOURCES = 20, MOST_RELATED = 50, SECRET = "pai-daemon-token";
function whole2(value, fallback, max) {
  return typeof value == "number" && Number.isInteger(value) && value >= 1 && value <= max ? value : fallback;
}
function readSettings(data) {
  let raw = typeof data == "object" && data !== null ? data : {};
  return {
    url: typeof raw.url == "string" ? raw.url : DEFAULTS.url,
    sources: whole2(raw.sources, DEFAULTS.sources, MOST_SOURCES),
    related: whole2(raw.related, DEFAULTS.related, MOST_RELATED),
    mode: raw.mode === "semantic" || raw.mode === "text" ? raw.mode : DEFAULTS.mode,
    followParagraph: raw.followParagraph === !0,
    underline: raw.underline === !0,
    statusBar: raw.statusBar !== !1,
    relatedAtStart: raw.relatedAtStart === !0,
    trigger: typeof raw.trigger == "string" ? raw.trigger.trim() : DEFAULTS.trigger,
    pairs: readPairs(raw.pairs)
  };
}
function readToken(app) {
  return app.secretStorage.getSecret(SECRET) ?? "";
}
function keepToken(app, token) {
  app.secretStorage.setSecret(SECRET, token);
}

// src/settings-tab.ts
var import_obsidian17 = require("obsidian");
var SettingsTab = class extends import_obsidian17.PluginSettingTab {
  constructor(app, plugin, host) {
    super(app, plugin);
    this.host = host;
  }
  host;
  display() {
    this.containerEl.empty(), this.drawConnection(), this.drawAnswers(), this.drawSwitches();
  }
  drawConnection() {
    this.row(say.connection).setHeading();
    let test = this.row(say.test, "");
    test.addButton((button) => button.setButtonText(say.testNow).onClick(() => this.test(test))), this.row(say.address, say.addressWhy).addText(
      (text) => text.setPlaceholder("http://127.0.0.1:8377").setValue(this.host.settings.url).onChange((value) => this.host.change({ url: value.trim() }))
    ), this.row(say.token, say.tokenWhy).addText((text) => {
      text.inputEl.type = "password", text.setPlaceholder(say.tokenHint).setValue(readToken(this.app)).onChange((value) => {
        keepToken(this.app, value.trim()), this.host.feed.refresh();
      });
    });
  }
  async test(row) {
    row.setDesc(say.bar.connecting);
    try {
      let { vaultName, notes } = await this.host.daemon.status();
      row.setDesc(say.testGood(vaultName, notes.toLocaleString()));
    } catch (error) {
      row.setDesc(asDaemonError(error).advice);
    }
  }
  drawAnswers() {
    this.row(say.answersAndLinks).setHeading(), this.addNumber(say.sourcesSetting, say.sourcesWhy, "sources", MOST_SOURCES), this.addNumber(say.relatedSetting, say.relatedWhy, "related", MOST_RELATED), this.row(say.mode, say.modeWhy).addDropdown(
      (dropdown) => dropdown.addOptions(say.modes).setValue(this.host.settings.mode).onChange((value) => this.host.change({ mode: readSettings({ mode: value }).mode }))
    ), this.drawRefused(this.row(say.refused));
  }
  /** Says how many links were refused, once the daemon has told, and offers to forget them. */
  async drawRefused(row) {
    try {
      let pairs = await this.host.daemon.refused();
      if (row.setDesc(say.refusedWhy(pairs.length)), pairs.length === 0) return;
      row.addButton(
        (button) => button.setButtonText(say.forget).onClick(async () => {
          row.setDesc(say.refusedWhy((await this.host.daemon.refuse(pairs, { undo: !0 })).length)), button.buttonEl.detach();
        })
      );
    } catch (error) {
      row.setDesc(asDaemonError(error).advice);
    }
  }
  drawSwitches() {
    this.row(say.inThisVault, say.inThisVaultWhy).setHeading(), this.addSwitch(say.statusBar, say.barWhy, "statusBar"), this.addSwitch(say.relatedAtStart, say.relatedAtStartWhy, "relatedAtStart"), this.addSwitch(say.underline, say.underlineWhy, "underline"), this.row(say.trigger, say.triggerWhy).addText(
      (text) => text.setValue(this.host.settings.trigger).onChange((value) => this.host.change({ trigger: value.trim() }))
    );
  }
  row(name, description) {
    let row = new import_obsidian17.Setting(this.containerEl).setName(name);
    return description === void 0 ? row : row.setDesc(description);
  }
  addSwitch(name, description, key) {
    this.row(name, description).addToggle(
      (toggle) => toggle.setValue(this.host.settings[key]).onChange((value) => this.host.change({ [key]: value }))
    );
  }
  addNumber(name, description, key, max) {
    this.row(name, description).addSlider(
      (slider) => slider.setLimits(1, max, 1).setValue(this.host.settings[key]).onChange((value) => this.host.change({ [key]: value }))
    );
  }
};

// src/status-bar.ts
function barText(pulse, version) {
  return `pai: ${words(pulse, version)}`;
}
function words(pulse, version) {
  let { bar } = say;
  if (!pulse) return bar.connecting;
  if (!pulse.status)
    return {
      "not-running": bar.notRunning,
      "no-token": bar.noToken,
      unauthorized: bar.refused,
      contract: bar.mismatch
    }[pulse.error.code] ?? bar.unavailable;
  let { state, code, progress: progress2, pendingChunks } = pulse.status;
  return state === "error" ? bar.errors[code ?? ""] ?? bar.error : state === "held" ? bar.held : fits(version, pulse.status.version) ? state === "paused" ? bar.paused : progress2 && progress2.total > 0 ? percent(progress2) : state === "ready" ? pendingChunks > 0 ? bar.updating : bar.ready : state === "starting" ? bar.starting : bar.indexing : bar.mismatch;
}
function percent(progress2) {
  let share = `${String(Math.floor(100 * progress2.done / progress2.total))} %`;
  return progress2.etaS === null ? share : `${share} · ${say.left(spoken(progress2.etaS))}`;
}
var StatusBar = class {
  constructor(el, version, onClick) {
    this.el = el;
    this.version = version;
    el.addClass("pai-status", "mod-clickable"), el.setAttr("data-tooltip-position", "top"), el.addEventListener("click", onClick), this.show(null);
  }
  el;
  version;
  show(pulse) {
    this.el.setText(barText(pulse, this.version)), this.el.setAttr("aria-label", (pulse?.status ? pulse.status.message : pulse?.error.advice) ?? say.barWhy), this.el.toggleClass("is-down", pulse !== null && pulse.status === null), this.el.toggleClass("is-trouble", pulse?.status?.state === "error" || pulse?.status?.state === "held");
  }
};

// src/status-feed.ts
var BUSY_MS = 2e3, QUIET_MS = 3e4, DOWN_MS = [5e3, 5e3, 1e4, 2e4, 4e4, 6e4], EVENT_MS = 400, StatusFeed = class {
  constructor(daemon, after2) {
    this.daemon = daemon;
    this.after = after2;
  }
  daemon;
  after;
  latest = null;
  listeners = /* @__PURE__ */ new Set();
  ending = new AbortController();
  cancelNext = () => {
  };
  failures = 0;
  polling = !1;
  listening = !1;
  /** Calls `listener` with each new status; returns how to stop that. */
  subscribe(listener) {
    return this.listeners.add(listener), this.latest && listener(this.latest), () => this.listeners.delete(listener);
  }
  async refresh() {
    if (this.polling || this.ending.signal.aborted) return;
    this.polling = !0, this.cancelNext();
    let pulse = await this.ask();
    if (this.polling = !1, !this.isOver()) {
      this.failures = pulse.status ? 0 : this.failures + 1, this.latest = pulse;
      for (let listener of this.listeners) listener(pulse);
      this.plan(this.pause(pulse)), pulse.status && this.listen();
    }
  }
  /** Looks at once where the daemon was down: the person may come from starting it. */
  async wake() {
    this.latest?.error && await this.refresh();
  }
  dispose() {
    this.ending.abort(), this.cancelNext(), this.listeners.clear();
  }
  isOver() {
    return this.ending.signal.aborted;
  }
  async ask() {
    try {
      return { status: await this.daemon.status(), error: null };
    } catch (error) {
      return error instanceof DaemonError ? { status: null, error } : { status: null, error: new DaemonError("unknown", String(error)) };
    }
  }
  pause({ status }) {
    return status ? status.state === "indexing" || status.state === "starting" ? BUSY_MS : QUIET_MS : DOWN_MS[Math.min(this.failures, DOWN_MS.length) - 1] ?? QUIET_MS;
  }
  plan(ms) {
    this.cancelNext(), this.cancelNext = this.after(ms, () => {
      this.refresh();
    });
  }
  async listen() {
    if (this.listening) return;
    this.listening = !0;
    let opened = !1;
    try {
      opened = await this.daemon.listen(this.ending.signal, () => {
        this.plan(EVENT_MS);
      });
    } catch {
    }
    this.listening = !1, opened && !this.isOver() && this.plan(EVENT_MS);
  }
};

// src/status-modal.ts
var import_obsidian18 = require("obsidian");
function count(number) {
  return number.toLocaleString();
}
function megabytes(bytes) {
  return `${(bytes / 1e6).toLocaleString(void 0, { maximumFractionDigits: 0 })} MB`;
}
var StatusModal = class extends import_obsidian18.Modal {
  constructor(app, host) {
    super(app);
    this.host = host;
  }
  host;
  unsubscribe = () => {
  };
  onOpen() {
    this.modalEl.addClass("pai-modal"), this.setTitle(say.daemon), this.unsubscribe = this.host.feed.subscribe((pulse) => {
      this.draw(pulse);
    }), this.host.feed.refresh();
  }
  onClose() {
    this.unsubscribe(), this.contentEl.empty();
  }
  draw(pulse) {
    if (this.contentEl.empty(), pulse.status || drawError(this.contentEl, pulse.error), this.drawTroubles(pulse), !pulse.status) return;
    let { status } = pulse, table = this.contentEl.createEl("dl", { cls: "pai-facts" });
    for (let [name, value] of this.facts(status))
      table.createEl("dt", { text: name }), table.createEl("dd", { text: value });
    status.problems.length > 0 && this.drawProblems(status.problems);
    let row = this.contentEl.createDiv({ cls: "pai-actions" });
    if (row.createEl("button", { cls: "pai-reindex", text: say.reindex }).addEventListener("click", () => {
      reindex(this.host);
    }), status.state !== "indexing") return;
    row.createEl("button", { cls: "pai-pause", text: say.pause }).addEventListener("click", () => {
      pause(this.host, !0);
    });
  }
  drawTroubles(pulse) {
    for (let { message, remedies } of troubles(pulse, this.host.chosen())) {
      let box = this.contentEl.createDiv({ cls: "pai-trouble" });
      pulse.status && box.createDiv({ cls: "pai-warning", text: message });
      let row = box.createDiv({ cls: "pai-actions" });
      for (let remedy of remedies) this.drawRemedy(row, remedy);
    }
  }
  drawRemedy(row, remedy) {
    remedy.kind === "copy" && row.createEl("code", { cls: "pai-command", text: remedy.command });
    let words2 = {
      look: say.lookAgain,
      believe: say.believe,
      resume: say.resume,
      start: say.startNow,
      forgetToken: say.forgetToken,
      forgetAddress: say.forgetAddress,
      copy: say.copyCommand
    };
    row.createEl("button", { cls: `pai-remedy is-${remedy.kind}`, text: words2[remedy.kind] }).addEventListener("click", () => {
      this.host.cure(remedy);
    });
  }
  facts(status) {
    let { model, watcher, generator } = status, watching = say.watching[watcher.mode] ?? watcher.mode, state = say.stateWords[status.state], author = `${generator.name}, ${say.places[generator.location]}`;
    return [
      [say.state, status.progress && status.progress.total > 0 ? `${state} (${percent(status.progress)})` : state],
      [say.vault, status.vaultPath],
      [say.notes, say.noteCounts(count(status.notes), count(status.chunks), count(status.pendingChunks))],
      [say.changes, watcher.reason ? `${watching} (${watcher.reason})` : watching],
      [say.model, modelOf(model)],
      [say.answers, generator.why ? `${author} (${generator.why})` : author],
      [say.room, say.roomOf(megabytes(status.rssBytes), megabytes(status.indexBytes))],
      [say.version, say.versionOf(this.host.chosen().version, status.version, status.revision)]
    ];
  }
  drawProblems(problems) {
    this.contentEl.createDiv({ cls: "pai-heading", text: say.badNotes });
    for (let problem of problems) {
      let row = this.contentEl.createDiv({ cls: "pai-row", attr: { role: "link", tabindex: "0" } });
      row.createDiv({ cls: "pai-row-place", text: problem.path });
      let where = problem.line === null ? "" : `${say.line(problem.line)}: `;
      row.createDiv({ cls: "pai-row-detail", text: `${where}${problem.reason}` }), row.addEventListener("click", (event) => {
        this.close(), openAt(this.app, { path: problem.path, startLine: problem.line ?? 1, page: null }, event);
      });
    }
  }
};
function modelOf(model) {
  if (!model) return say.modelNone;
  let running = `${model.name} (${model.executionProvider ?? say.modelLoading})`;
  return model.next ? `${running}, ${say.modelNext(model.next.name, count(model.next.done), count(model.next.total))}` : running;
}
async function pause(host, isPaused) {
  try {
    await host.daemon.pause(isPaused), await host.feed.refresh();
  } catch (error) {
    new import_obsidian18.Notice(asDaemonError(error).advice, 1e4);
  }
}
async function reindex(host, asked = {}) {
  try {
    await host.daemon.reindex(asked), new import_obsidian18.Notice(asked.paths ? say.lookingAtNote : say.looking), host.feed.refresh();
  } catch (error) {
    new import_obsidian18.Notice(asDaemonError(error).advice, 1e4);
  }
}

// src/underlining.ts
var import_obsidian19 = require("obsidian");

// src/underlines.ts
var import_state2 = require("@codemirror/state"), import_view3 = require("@codemirror/view");
var MARKS = 500, setMentions = import_state2.StateEffect.define(), marks = import_state2.StateField.define({
  create: () => import_view3.Decoration.none,
  update(old, { changes, docChanged, effects, newDoc }) {
    let next = docChanged ? old.map(changes) : old;
    docChanged && next.size > 0 && changes.iterChangedRanges((_fromOld, _toOld, filterFrom, filterTo) => {
      next = next.update({ filterFrom, filterTo, filter: (from, to, { spec }) => newDoc.sliceString(from, to) === wordsOf(spec) });
    });
    for (let effect of effects) effect.is(setMentions) && (next = drawn(effect.value, newDoc));
    return next;
  },
  provide: (field) => import_view3.EditorView.decorations.from(field)
});
function wordsOf(spec) {
  return spec.words;
}
function drawn(mentions, doc) {
  let found = mentions.slice(0, MARKS).flatMap(({ text, line, columnUtf16, title }) => {
    if (line > doc.lines) return [];
    let from = doc.line(line).from + columnUtf16, mark = import_view3.Decoration.mark({ class: "pai-mention", words: text, attributes: { title: say.linkTo(title) } });
    return doc.sliceString(from, from + text.length) === text ? [mark.range(from, from + text.length)] : [];
  });
  return import_view3.Decoration.set(found, !0);
}
var underlines = marks;

// src/underlining.ts
var SETTLE_MS2 = 600, EDITORS = 6, Underlining = class {
  constructor(host) {
    this.host = host;
  }
  host;
  cancelPlan = () => {
  };
  revision = -1;
  isDrawn = !1;
  /** Follows the index; returns how to stop that. */
  follow() {
    let unsubscribe = this.host.feed.subscribe(({ status }) => {
      !status || status.revision === this.revision || (this.revision = status.revision, this.plan());
    });
    return () => {
      unsubscribe(), this.cancelPlan();
    };
  }
  /** Looks again soon; costs nothing where underlining is off and nothing is drawn. */
  plan() {
    this.cancelPlan(), (this.host.settings.underline || this.isDrawn) && (this.cancelPlan = after(SETTLE_MS2, () => {
      this.draw();
    }));
  }
  async draw() {
    let isOn = this.host.settings.underline;
    this.isDrawn = isOn;
    for (let view of this.views()) {
      let path = view.file?.path;
      if (path === void 0) continue;
      let mentions = isOn ? await this.mentionsOf(path) : [];
      mentions && view.file?.path === path && codeMirror(view.editor)?.dispatch({ effects: setMentions.of(mentions) });
    }
  }
  views() {
    return this.host.app.workspace.getLeavesOfType("markdown").map(({ view }) => view).filter((view) => view instanceof import_obsidian19.MarkdownView).slice(0, EDITORS);
  }
  /** Returns null where nobody knows: the underlines stay what they are. */
  async mentionsOf(path) {
    try {
      let { mentions } = await this.host.daemon.links(path);
      return mentions.filter(({ sure }) => sure);
    } catch (error) {
      return asDaemonError(error).code === "not_found" ? [] : null;
    }
  }
};

// src/main.ts
var RECENT = "pai-daemon-recent", MOST_PAIRS = 5e3, PaiPlugin = class extends import_obsidian20.Plugin {
  settings = readSettings(null);
  daemon = new Daemon({ send: patiently(send, after), stream, after, connect: () => this.connect(), vaultPath: this.vaultPath() });
  feed = new StatusFeed(this.daemon, after);
  conversation = new Conversation();
  cursor = new CursorMoves();
  // Kept on this device and for this vault: what somebody looks for is nothing to sync.
  recent = new RecentQueries({
    load: () => this.app.loadLocalStorage(RECENT),
    save: (queries) => {
      this.app.saveLocalStorage(RECENT, queries);
    }
  });
  inline = new InlineAnswers(this);
  underlining = new Underlining(this);
  barEl;
  isHandingOver = !1;
  // Null while nobody has asked the daemon that runs now.
  hasRoutines = null;
  async onload() {
    speak((0, import_obsidian20.getLanguage)()), this.settings = readSettings(await this.loadData()), this.registerView(ASK_VIEW, (leaf) => new AskView(leaf, this)), this.registerView(RELATED_VIEW, (leaf) => new RelatedView(leaf, this)), this.registerView(LINKS_VIEW, (leaf) => new LinksView(leaf, this)), this.registerEditorExtension([pendingAnswers, underlines, this.cursor.extension]), this.registerEditorSuggest(new LinkSuggest(this.app, this)), this.addSettingTab(new SettingsTab(this.app, this, this)), this.addRibbonIcon("message-circle-question", say.ask, () => {
      this.openAsk();
    }), this.barEl = this.addStatusBarItem(), this.barEl.toggle(this.settings.statusBar);
    let bar = new StatusBar(this.barEl, this.manifest.version, () => {
      this.showStatus();
    });
    this.register(this.feed.subscribe((pulse) => {
      bar.show(pulse);
    })), this.register(this.underlining.follow()), this.addCommands(), this.app.workspace.onLayoutReady(() => {
      this.begin();
    });
  }
  onunload() {
    this.inline.dispose(), this.feed.dispose();
  }
  chosen() {
    let { version } = this.manifest;
    return { version, vaultPath: this.vaultPath(), hasToken: readToken(this.app) !== "", hasAddress: this.settings.url !== "", canStart: startProgram(machine) !== null };
  }
  async change(part) {
    this.settings = { ...this.settings, ...part }, await this.saveData(this.settings), part.url !== void 0 && this.feed.refresh(), part.underline !== void 0 && this.underlining.plan(), this.barEl.toggle(this.settings.statusBar);
  }
  async cure(remedy) {
    remedy.kind === "copy" ? await copy(remedy.command) : remedy.kind === "look" || remedy.kind === "believe" ? await reindex(this, { believe: remedy.kind === "believe" }) : remedy.kind === "resume" ? await pause(this, !1) : remedy.kind === "start" ? await this.startDaemon() : remedy.kind === "forgetAddress" ? await this.change({ url: "" }) : (keepToken(this.app, ""), await this.feed.refresh());
  }
  async startDaemon() {
    new import_obsidian20.Notice(say.startingNow);
    try {
      await startDaemon(machine, this.vaultPath());
    } catch (error) {
      new import_obsidian20.Notice(asDaemonError(error).advice, 1e4);
    }
    await this.feed.refresh();
  }
  begin() {
    this.feed.refresh(), this.settings.relatedAtStart && this.openRelated(), this.registerDomEvent(window, "focus", () => {
      this.feed.wake();
    }), this.registerEvent(this.app.workspace.on("file-open", () => {
      this.underlining.plan();
    })), this.register(this.feed.subscribe(({ status }) => {
      status && this.handPairsOver();
    })), this.register(this.feed.subscribe(({ status }) => {
      status ? this.hasRoutines === null && this.lookForRoutines() : this.hasRoutines = null;
    }));
  }
  /** Gives the daemon what an earlier version kept of refused links; what cannot be given yet stays. */
  async handPairsOver() {
    let pairs = listPairs(this.settings.pairs);
    if (!(pairs.length === 0 || this.isHandingOver)) {
      this.isHandingOver = !0;
      try {
        for (let at = 0; at < pairs.length; at += MOST_PAIRS) await this.daemon.refuse(pairs.slice(at, at + MOST_PAIRS));
        await this.change({ pairs: {} });
      } catch (error) {
        console.debug("pai-daemon: refused links wait for a daemon that keeps them", error);
      } finally {
        this.isHandingOver = !1;
      }
    }
  }
  async lookForRoutines() {
    this.hasRoutines = !1;
    try {
      await this.daemon.routines(), this.hasRoutines = !0;
    } catch {
      this.hasRoutines = !1;
    }
  }
  /** Adds a command that is there where the daemon has routines; an older one has none (D97). */
  addRoutineCommand(id, name, run2) {
    this.addCommand({
      id,
      name,
      checkCallback: (checking) => (this.hasRoutines === !0 && !checking && run2(), this.hasRoutines === !0)
    });
  }
  addCommands() {
    this.addRoutineCommand("run-routine", say.runRoutine, () => {
      new RoutineModal(this.app, this).open();
    }), this.addRoutineCommand("proposals", say.proposals, () => {
      new ProposalsModal(this.app, this).open();
    }), this.addCommand({ id: "ask", name: say.ask, callback: () => {
      this.openAsk();
    } }), this.addEditorCommand("answer-here", say.answerHere, (editor, info) => {
      this.inline.answer(editor, info);
    }), this.addEditorCommand("suggest-links", say.suggestLinks, () => {
      this.openLinks();
    }), this.addEditorCommand("link-mention", say.linkMention, (editor, info) => {
      linkMention(this, editor, info);
    }), this.addEditorCommand("remember", say.remember, (editor, { file }) => {
      rememberHere(this, editor.getSelection(), editor.getLine(editor.getCursor("to").line), file ? [file.path] : []);
    }), this.addCommand({ id: "related", name: say.showRelated, callback: () => {
      this.openRelated();
    } }), this.addFileCommand("open-related", say.openRelated, (file) => {
      new RelatedModal(this.app, this, file).open();
    }), this.addCommand({ id: "search", name: say.search, callback: () => {
      new SearchModal(this.app, this).open();
    } }), this.addFileCommand("summarize-note", say.summarizeNote, (file) => {
      this.perform(summaryOfNote(file.path));
    }), this.addFileCommand("summarize-folder", say.summarizeFolder, (file) => {
      this.perform(summaryOfFolder(file.path));
    }), this.addCommand({ id: "summarize-tag", name: say.summarizeTag, callback: () => {
      this.pickTag();
    } }), this.addFileCommand("compare", say.compare, (file) => {
      new NotePick(this.app, file, (other) => {
        this.perform(comparison(file.path, other.path));
      }).open();
    }), this.addFileCommand("reindex-note", say.reindexNote, (file) => {
      reindex(this, { paths: [file.path] });
    }), this.addCommand({ id: "reindex", name: say.reindex, callback: () => {
      reindex(this);
    } }), this.addCommand({ id: "status", name: say.showStatus, callback: () => {
      this.showStatus();
    } });
  }
  addEditorCommand(id, name, run2) {
    this.addCommand({ id, name, editorCallback: run2 });
  }
  /** Adds a command that is there while a note is open. */
  addFileCommand(id, name, run2) {
    this.addCommand({
      id,
      name,
      checkCallback: (checking) => {
        let file = this.app.workspace.getActiveFile();
        return file && !checking && run2(file), file !== null;
      }
    });
  }
  async openAsk() {
    let leaf = await this.app.workspace.ensureSideLeaf(ASK_VIEW, "right", { active: !0, reveal: !0 });
    leaf.view instanceof AskView && leaf.view.focusInput();
  }
  pickTag() {
    new TagPick(this.app, (tag) => {
      let task = summaryOfTag(tag);
      task && this.perform(task);
    }).open();
  }
  async perform(task) {
    let leaf = await this.app.workspace.ensureSideLeaf(ASK_VIEW, "right", { active: !0, reveal: !0 });
    leaf.view instanceof AskView && await leaf.view.perform(task);
  }
  async openLinks() {
    let leaf = await this.app.workspace.ensureSideLeaf(LINKS_VIEW, "right", { active: !1, reveal: !0 });
    leaf.view instanceof LinksView && leaf.view.look();
  }
  async openRelated() {
    await this.app.workspace.ensureSideLeaf(RELATED_VIEW, "right", { active: !1, reveal: !0 });
  }
  showStatus() {
    new StatusModal(this.app, this).open();
  }
  vaultPath() {
    let { adapter } = this.app.vault;
    return adapter instanceof import_obsidian20.FileSystemAdapter ? adapter.getBasePath() : "";
  }
  connect() {
    let overrides = { url: this.settings.url, token: readToken(this.app) };
    return new Promise((resolve) => {
      resolve(discover(machine, this.vaultPath(), overrides));
    });
  }
};
