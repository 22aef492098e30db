/**
 * The daemon's documents, checked where they enter. Owns the shapes this plugin
 * reads and nothing else of the API; fields it does not use are not asked for,
 * so that the daemon may add or drop them. What is read is checked by the compiler
 * against the daemon's own description, contract.gen.ts. Never imports obsidian.
 */

import type * as wire from "./contract.gen";
import { ContractError, Fields, type Unread, asArray, asString } from "./fields";

export { ContractError };

export type GeneratorLocation = wire.GeneratorName["location"];
export type DaemonState = wire.Status["state"];
export type SearchMode = wire.SearchResult["mode"];

/** why: what made the daemon take it; empty where the person named it. */
export interface Generator { name: string; location: GeneratorLocation; why: string }

export interface Passage {
  path: string;
  title: string;
  headingPath: string[];
  text: string;
  /** 1-based, inclusive. */
  startLine: number;
  endLine: number;
  blockId: string | null;
  stale: boolean;
  score: number;
  /** Spans of `text` in code points, as the daemon counts them. */
  highlights: [number, number][];
  link: string;
  /** Of a PDF, from 1. */
  page: number | null;
}

export interface Citation extends Passage { n: number }

export interface Sentence { text: string; citations: number[]; supported: boolean }

export interface Answer {
  question: string;
  answer: string;
  found: boolean;
  sentences: Sentence[];
  citations: Citation[];
  /** Where the notes do not say: the passages that come nearest, each of another note. */
  nearest: Citation[];
  generator: Generator;
  stages: string[];
  warnings: string[];
  /** How the question was read: a time, a tag, tasks or names, each in words; empty for one asked as it stands. */
  narrowed: string[];
  revision: number;
  tookMs: number;
  /** A follow-up as it was made to stand alone. */
  asked: string;
}

/** What is waited for, and what the notes say until then. */
export interface Waiting { text: string; preview: string }

export interface SearchPage { results: Passage[]; notices: string[]; stages: string[]; pendingChunks: number; revision: number }

export interface RelatedNote {
  path: string;
  title: string;
  score: number;
  why: string;
  link: string;
  linked: boolean;
  passage: Passage | null;
}

/** A note that a link could lead to. */
export interface Suggestion { path: string; title: string; confidence: number; why: string; link: string; passage: Passage | null }

/** Two notes that are never suggested to each other. */
export interface RefusedPair { path: string; other: string }

export interface Mention {
  text: string;
  /** 1-based. */
  line: number;
  /** 0-based within the line, in UTF-16 units, which is what the editor counts. */
  columnUtf16: number;
  target: string;
  title: string;
  link: string;
  /** Nine of ten such are links that people set: it may be shown in the text itself. */
  sure: boolean;
  why: string;
}

/** A link as it is written. path: where it leads; null where that is nowhere. */
export interface WrittenLink { kind: string; target: string; line: number; path: string | null }

export interface LinkSuggestions { path: string; mentions: Mention[]; suggestions: Suggestion[] }

/** What a summary would cost. seconds: null where nobody knows. keptBack: passages that stay on this machine. */
export interface Estimate { notes: number; calls: number; seconds: number | null; keptBack: number; generator: Generator }

/** How far a summary is. note: what is being read. */
export interface Step { done: number; total: number; note: string; leftS: number | null }

/** What became of a fact. undo: takes it back; null where nothing was done. line: of its note, from 1. */
export interface Receipt {
  outcome: wire.FactReceipt["outcome"];
  fact: { text: string; path: string; line: number };
  undo: string | null;
}

export interface Progress {
  phase: string;
  done: number;
  total: number;
  unit: string;
  etaS: number | null;
}

/** What the person could do better. command: for a terminal. */
export interface Hint { code: string; message: string; command: string | null }

/** A model that is to answer later, and how much it has embedded. */
export interface NextModel { name: string; done: number; total: number }

export interface NoteProblem { path: string; reason: string; line: number | null; column: number | null }

export interface Status {
  version: string;
  vaultName: string;
  vaultPath: string;
  state: DaemonState;
  message: string | null;
  /** What the message is about, where something is wrong. */
  code: string | null;
  revision: number;
  notes: number;
  chunks: number;
  pendingChunks: number;
  progress: Progress | null;
  problems: NoteProblem[];
  hints: Hint[];
  model: { name: string; executionProvider: string | null; next: NextModel | null } | null;
  generator: Generator;
  watcher: { mode: string; reason: string | null };
  rssBytes: number;
  indexBytes: number;
}

/** An RFC 9457 problem document. */
export interface Problem { status: number; code: string; title: string; detail: string; hint: string | null }

const LOCATIONS = { embedded: true, local: true, remote: true } as const;
const OUTCOMES = { changed: true, forgotten: true, known: true, remembered: true, superseded: true, undone: true } as const;
const STATES = { starting: true, indexing: true, ready: true, paused: true, held: true, error: true } as const;

function readPassage(fields: Fields<wire.Passage>): Passage {
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
    page: fields.numberOrNull("page"),
  };
}

function readSpan(value: Unread<readonly [number, number]>, where: string): [number, number] {
  const [start, end] = asArray(value, where);
  if (typeof start !== "number" || typeof end !== "number") throw new ContractError(`${where}: expected two numbers`);
  return [start, end];
}

function readCitation(value: Unread<wire.CitedPassage>, where: string): Citation {
  return { n: Fields.of(value, where).number("n"), ...readPassage(Fields.of<wire.Passage>(value, where)) };
}

function readGenerator(fields: Fields<wire.GeneratorName>): Generator {
  return {
    name: fields.string("name"),
    location: fields.oneOf("location", LOCATIONS),
    why: fields.has("why") ? fields.string("why") : "",
  };
}

function readHint(value: Unread<wire.Hint>, where: string): Hint {
  const fields = Fields.of(value, where);
  return { code: fields.string("code"), message: fields.string("message"), command: fields.stringOrNull("command") };
}

function readNext(fields: Fields<wire.NextModel>): NextModel {
  return { name: fields.string("name"), done: fields.number("done"), total: fields.number("total") };
}

function readWrittenLink(value: Unread<wire.LinkTo>, where: string): WrittenLink {
  const fields = Fields.of(value, where);
  return {
    kind: fields.string("kind"),
    target: fields.string("target"),
    line: fields.number("line"),
    path: fields.stringOrNull("path"),
  };
}

function readRelated(value: Unread<wire.RelatedNote>, where: string): RelatedNote {
  const fields = Fields.of(value, where);
  return {
    path: fields.string("path"),
    title: fields.string("title"),
    score: fields.number("score"),
    why: fields.string("why"),
    link: fields.string("link"),
    linked: fields.boolean("linked"),
    passage: fields.nullable("passage", readPassage),
  };
}

function readSentence(value: Unread<wire.AnswerSentence>, where: string): Sentence {
  const fields = Fields.of(value, where);
  return {
    text: fields.string("text"),
    citations: fields.numbers("citations"),
    supported: fields.boolean("supported"),
  };
}

function readMention(value: Unread<wire.Mention>, where: string): Mention {
  const fields = Fields.of(value, where);
  return {
    text: fields.string("text"),
    line: fields.number("line"),
    columnUtf16: fields.number("column_utf16"),
    target: fields.string("target"),
    title: fields.string("title"),
    link: fields.string("link"),
    sure: fields.boolean("sure"),
    why: fields.string("why"),
  };
}

function readSuggestion(value: Unread<wire.Suggestion>, where: string): Suggestion {
  const fields = Fields.of(value, where);
  return {
    path: fields.string("path"),
    title: fields.string("title"),
    confidence: fields.number("confidence"),
    why: fields.string("why"),
    link: fields.string("link"),
    passage: fields.nullable("passage", readPassage),
  };
}

function readRefusedPair(value: Unread<wire.RefusedPair>, where: string): RefusedPair {
  const fields = Fields.of(value, where);
  return { path: fields.string("path"), other: fields.string("other") };
}

function readProgress(fields: Fields<wire.Progress>): Progress {
  return {
    phase: fields.string("phase"),
    done: fields.number("done"),
    total: fields.number("total"),
    unit: fields.string("unit"),
    etaS: fields.numberOrNull("eta_s"),
  };
}

function readNoteProblem(value: Unread<wire.BadNote>, where: string): NoteProblem {
  const fields = Fields.of(value, where);
  return {
    path: fields.string("path"),
    reason: fields.string("reason"),
    line: fields.numberOrNull("line"),
    column: fields.numberOrNull("column"),
  };
}

export function parseCitations(body: unknown): Citation[] {
  return Fields.of<wire.Sources>(body as Unread<wire.Sources>, "sources").list("citations", readCitation);
}

export function parseAnswer(body: unknown): Answer {
  const fields = Fields.of<wire.Answer>(body as Unread<wire.Answer>, "answer");
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
    asked: fields.has("asked") ? fields.string("asked") : "",
  };
}

/** Reads a summary as an answer, so that it is drawn, inserted and saved as one. */
export function parseSummary(body: unknown): Answer {
  const fields = Fields.of<wire.Summary>(body as Unread<wire.Summary>, "summary");
  const text = fields.string("summary");
  return writtenAs(fields.string("about"), text, Fields.of<Written>(body as Unread<Written>, "summary"));
}

/** Reads a comparison as an answer, as with a summary. */
export function parseComparison(body: unknown): Answer {
  const text = Fields.of<wire.Comparison>(body as Unread<wire.Comparison>, "comparison").string("text");
  return writtenAs("", text, Fields.of<Written>(body as Unread<Written>, "comparison"));
}

/** What a summary and a comparison share. */
type Written = Pick<wire.Summary & wire.Comparison, "citations" | "generator" | "revision" | "sentences" | "stages" | "took_ms" | "warnings">;

function writtenAs(question: string, answer: string, fields: Fields<Written>): Answer {
  const sentences = fields.list("sentences", readSentence);
  return {
    question, answer, sentences, found: sentences.length > 0, citations: fields.list("citations", readCitation), nearest: [],
    generator: readGenerator(fields.object("generator")), stages: fields.strings("stages"), warnings: fields.strings("warnings"),
    revision: fields.number("revision"), tookMs: fields.number("took_ms"), narrowed: [], asked: "",
  };
}

export function parseEstimate(body: unknown): Estimate {
  const fields = Fields.of<wire.Estimate>(body as Unread<wire.Estimate>, "estimate");
  return {
    notes: fields.number("notes"), calls: fields.number("calls"), seconds: fields.numberOrNull("seconds"),
    keptBack: fields.number("kept_back"), generator: readGenerator(fields.object("generator")),
  };
}

export function parseStep(body: unknown): Step {
  const fields = Fields.of<wire.Step>(body as Unread<wire.Step>, "progress");
  return { done: fields.number("done"), total: fields.number("total"), note: fields.string("note"), leftS: fields.numberOrNull("left_s") };
}

export function parseSearch(body: unknown): SearchPage {
  const fields = Fields.of<wire.SearchResult>(body as Unread<wire.SearchResult>, "search");
  return {
    results: fields.list("results", (value, where) => readPassage(Fields.of(value, where))),
    notices: fields.has("notices") ? fields.strings("notices") : [],
    stages: fields.strings("stages"),
    pendingChunks: fields.number("pending_chunks"),
    revision: fields.number("revision"),
  };
}

export function parseRelated(body: unknown): RelatedNote[] {
  return Fields.of<wire.RelatedNotes>(body as Unread<wire.RelatedNotes>, "related").list("results", readRelated);
}

export function parseLinks(body: unknown): LinkSuggestions {
  const fields = Fields.of<wire.Links>(body as Unread<wire.Links>, "links");
  return {
    path: fields.string("path"),
    mentions: fields.list("mentions", readMention),
    suggestions: fields.list("suggestions", readSuggestion),
  };
}

export function parseRefused(body: unknown): RefusedPair[] {
  return Fields.of<wire.Refused>(body as Unread<wire.Refused>, "refused").list("pairs", readRefusedPair);
}

export function parseStatus(body: unknown): Status {
  const fields = Fields.of<wire.Status>(body as Unread<wire.Status>, "status");
  const vault = fields.object("vault");
  const watcher = fields.object("watcher");
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
      next: model.nullable("next", readNext),
    })),
    hints: fields.has("hints") ? fields.list("hints", readHint) : [],
    generator: readGenerator(fields.object("generator")),
    watcher: { mode: watcher.string("mode"), reason: watcher.stringOrNull("reason") },
    rssBytes: fields.object("memory").number("rss_bytes"),
    indexBytes: fields.object("disk").number("index_bytes"),
  };
}

/** Returns the links of a note, as they are written in it. */
export function parseNoteLinks(body: unknown): WrittenLink[] {
  return Fields.of<wire.ParsedNote>(body as Unread<wire.ParsedNote>, "note").list("links", readWrittenLink);
}

export function parseReceipt(body: unknown): Receipt {
  const fields = Fields.of<wire.FactReceipt>(body as Unread<wire.FactReceipt>, "receipt");
  const fact = fields.object("fact");
  return {
    outcome: fields.oneOf("outcome", OUTCOMES),
    fact: { text: fact.string("text"), path: fact.string("path"), line: fact.number("line") },
    undo: fields.stringOrNull("undo"),
  };
}

export function parseWaiting(body: unknown): Waiting {
  const fields = Fields.of<wire.Notice>(body as Unread<wire.Notice>, "notice");
  return { text: fields.string("text"), preview: fields.string("preview") };
}

export function parseDelta(body: unknown): string {
  return Fields.of<wire.Delta>(body as Unread<wire.Delta>, "delta").string("text");
}

export function parseCited(body: unknown): number {
  return Fields.of<wire.Cited>(body as Unread<wire.Cited>, "citation").number("n");
}

/** Reads a problem document leniently: an error must never hide behind another error. */
export function parseProblem(body: unknown, status: number): Problem {
  const raw = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (key: string): string => (typeof raw[key] === "string" ? asString(raw[key], key) : "");
  return {
    status: typeof raw.status === "number" ? raw.status : status,
    code: text("code") || `http-${String(status)}`,
    title: text("title") || `Status ${String(status)}`,
    detail: text("detail"),
    hint: text("hint") || null,
  };
}
