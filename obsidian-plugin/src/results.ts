/** Passages and answers as text: wikilinks, callouts, the pieces a view draws. Pure; never imports obsidian. */

import type { Answer, Citation, Passage } from "./contract";
import { say } from "./words";

export type Piece =
  | { kind: "text"; text: string; supported: boolean }
  | { kind: "cite"; n: number }
  | { kind: "break"; text: string };

export interface MarkedText { text: string; marked: boolean }

const MARKER = /[ \t]*\[(\d{1,3})\](?!\()/g;

/** Returns the wikilink with `alias` as the words shown; characters that would end the link are left out. */
export function withAlias(link: string, alias: string): string {
  const target = link.replace(/^!?\[\[/, "").replace(/\]\]$/, "").split("|")[0] ?? "";
  const words = alias.replace(/[[\]|]/g, " ").replace(/\s+/g, " ").trim();
  return words ? `[[${target}|${words}]]` : `[[${target}]]`;
}

/** Returns where a passage stands, as a person reads it: title, then the headings above it. */
export function placeOf(passage: Pick<Passage, "title" | "headingPath">): string {
  const headings = passage.headingPath.filter((heading, index) => index > 0 || heading !== passage.title);
  return [passage.title, ...headings].join(" › ");
}

export function linesOf(passage: Pick<Passage, "startLine" | "endLine" | "page">): string {
  const { startLine, endLine, page } = passage;
  if (page !== null) return say.page(page);
  return startLine === endLine ? say.line(startLine) : say.lines(startLine, endLine);
}

/** Returns `text` on one line, cut at a word near `max` characters. */
export function snippet(text: string, max: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= max) return line;
  const cut = line.slice(0, max);
  const space = cut.lastIndexOf(" ");
  return `${(space > max / 2 ? cut.slice(0, space) : cut).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** Returns the passage's text cut where its highlights begin and end, from shortly before the first one. */
export function marked(passage: Pick<Passage, "text" | "highlights">, max: number): MarkedText[] {
  // Offsets count code points; a JavaScript string counts UTF-16 units.
  const points = Array.from(passage.text);
  const body = bodyStart(passage.text);
  const spans = [...passage.highlights]
    .sort((a, b) => a[0] - b[0])
    .filter(([start, end]) => start >= body && start < end && end <= points.length);
  const first = spans[0]?.[0] ?? body;
  const begin = first - body > max / 2 ? first - Math.floor(max / 4) : body;
  const end = Math.min(points.length, begin + max);
  const parts: MarkedText[] = [];
  const add = (from: number, to: number, isMarked: boolean): void => {
    const text = points.slice(from, to).join("").replace(/\s+/g, " ");
    if (text) parts.push({ text, marked: isMarked });
  };
  if (begin > body) parts.push({ text: "…", marked: false });
  let at = begin;
  for (const [start, stop] of spans) {
    if (start < at || stop > end) continue;
    add(at, start, false);
    add(start, stop, true);
    at = stop;
  }
  add(at, end, false);
  if (end < points.length) parts.push({ text: "…", marked: false });
  return parts;
}

/** Returns where a passage's own words begin, in code points: the headings above them already name its place. */
function bodyStart(text: string): number {
  const headings = /^(?:#{1,6}[ \t][^\n]*(?:\n\s*|$))+/.exec(text)?.[0] ?? "";
  return headings.trim() === text.trim() ? 0 : Array.from(headings).length;
}

/** Returns the words of a line without the marks that make it a heading, list item, task or quote. */
export function questionOf(line: string): string {
  return line.replace(/^\s*(?:>\s*)*(?:#{1,6}\s+|(?:[-*+]|\d+[.)])\s+(?:\[.\]\s+)?)?/, "").trim();
}

/** Returns the sentences of an answer that a note supports, without their markers. */
export function supportedText({ sentences }: Answer): string {
  return sentences.filter(({ supported }) => supported).map(({ text }) => withoutMarkers(text).trim()).join(" ");
}

/** Returns streamed text as pieces; what may be the beginning of a marker is held back until it is decided. */
export function streamPieces(text: string): Piece[] {
  const decided = text.replace(/[ \t]*\[\d{0,3}$/, "");
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of decided.matchAll(MARKER)) {
    if (match.index > at) pieces.push({ kind: "text", text: decided.slice(at, match.index), supported: true });
    pieces.push({ kind: "cite", n: Number(match[1]) });
    at = match.index + match[0].length;
  }
  if (at < decided.length) pieces.push({ kind: "text", text: decided.slice(at), supported: true });
  return pieces;
}

/** Returns the finished answer as pieces: each sentence, its citations, and the line breaks of the answer between them. */
export function answerPieces(answer: Answer): Piece[] {
  if (answer.sentences.length === 0) return [{ kind: "text", text: withoutMarkers(answer.answer), supported: true }];
  const known = new Set(answer.citations.map((citation) => citation.n));
  const whole = withoutMarkers(answer.answer);
  const pieces: Piece[] = [];
  let at = 0;
  for (const sentence of answer.sentences) {
    const text = withoutMarkers(sentence.text).trim();
    if (!text) continue;
    const found = whole.indexOf(text, at);
    const gap = found < 0 ? " " : whole.slice(at, found);
    if (found >= 0) at = found + text.length;
    if (pieces.length > 0) pieces.push({ kind: "break", text: gap.includes("\n") ? gap.replace(/[^\n]/g, "") : " " });
    else if (gap.trim()) pieces.push({ kind: "text", text: gap, supported: true });
    pieces.push({ kind: "text", text, supported: sentence.supported });
    for (const n of new Set(sentence.citations)) if (known.has(n)) pieces.push({ kind: "cite", n });
  }
  return pieces;
}

export function withoutMarkers(text: string): string {
  return text.replace(MARKER, "");
}

/** Returns the answer as plain Markdown with its sources below, for the clipboard. */
export function toMarkdown(answer: Answer): string {
  const { body, sources } = write(answer);
  return sources.length > 0 ? `${body}\n\n${sources.join("\n")}` : body;
}

/** Returns the answer as one callout that ends with a line break; `question` is its title. */
export function toCallout(answer: Answer, question: string): string {
  const { body, sources } = write(answer);
  const kind = answer.found ? "quote" : "warning";
  const lines = [`[!${kind}] ${snippet(question, 200)}`, ...body.split("\n").map(withoutCheckbox)];
  if (sources.length > 0) lines.push("", ...sources);
  return `${lines.map((line) => (line ? `> ${line}` : ">")).join("\n")}\n`;
}

/** An answer that quotes a task must not add one to the note. */
function withoutCheckbox(line: string): string {
  return line.replace(/^(\s*(?:[-*+]|\d+[.)])\s+)\[.\]\s+/, "$1");
}

function write(answer: Answer): { body: string; sources: string[] } {
  const byNumber = new Map(answer.citations.map((citation) => [citation.n, citation]));
  const used: Citation[] = [];
  // Renumbered in order of use, because Markdown numbers the list of sources from one.
  const numberOf = (citation: Citation): number => {
    if (!used.includes(citation)) used.push(citation);
    return used.indexOf(citation) + 1;
  };
  let body = "";
  for (const piece of answerPieces(answer)) {
    if (piece.kind === "cite") {
      const citation = byNumber.get(piece.n);
      if (citation) body += ` ${withAlias(citation.link, String(numberOf(citation)))}`;
    } else {
      body += piece.kind === "text" && !piece.supported ? `${piece.text} ${say.unsupportedMark}` : piece.text;
    }
  }
  const sources = used.map((citation, index) => `${String(index + 1)}. ${withAlias(citation.link, placeOf(citation))}`);
  return { body, sources };
}

/** Returns a callout as text to insert at the end of `line`, set off by exactly one empty line on each side. */
export function setOff(callout: string, line: string, next: string | null): string {
  return `${line.trim() ? "\n\n" : "\n"}${next?.trim() === "" ? callout.trimEnd() : callout}`;
}

/** Returns who answered and where that ran. */
export function answeredBy({ name, location }: Pick<Answer["generator"], "name" | "location">): string {
  return name === "extractive" ? say.quoted : say.answeredBy(name, say.places[location]);
}

/** Returns a duration as a person says it. */
export function spoken(seconds: number): string {
  if (seconds < 60) return `${String(Math.max(1, Math.round(seconds)))} s`;
  if (seconds < 3600) return `${String(Math.round(seconds / 60))} min`;
  return `${String(Math.round(seconds / 360) / 10)} h`;
}
