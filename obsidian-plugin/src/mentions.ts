/** Where an unlinked mention stands in the editor now, and what linking it changes. Pure; never imports obsidian. */

import type { Mention } from "./contract";

export interface LineEdit { line: number; from: number; to: number; text: string }

export type ReadLine = (line: number) => string | null;

/** Returns the edit that links a mention, or null where its text no longer stands at that place. Lines are 0-based here. */
export function editFor(mention: Mention, readLine: ReadLine): LineEdit | null {
  const line = mention.line - 1;
  const from = mention.columnUtf16;
  const to = from + mention.text.length;
  if (readLine(line)?.slice(from, to) !== mention.text) return null;
  return { line, from, to, text: mention.link };
}

/** Returns the edits for all mentions that still stand, none overlapping another, and how many were left out. */
export function editsFor(mentions: Mention[], readLine: ReadLine): { edits: LineEdit[]; missed: number } {
  const edits: LineEdit[] = [];
  // By line, as a long note names hundreds.
  const taken = new Map<number, LineEdit[]>();
  for (const mention of mentions) {
    const edit = editFor(mention, readLine);
    const here = taken.get(mention.line) ?? [];
    if (!edit || here.some((other) => overlaps(other, edit))) continue;
    taken.set(mention.line, [...here, edit]);
    edits.push(edit);
  }
  return { edits, missed: mentions.length - edits.length };
}

/** Returns the other mentions as they stand after `edit`: those behind it on its line move, those it covered are gone. */
export function afterEdit(mentions: Mention[], edit: LineEdit): Mention[] {
  const grown = edit.text.length - (edit.to - edit.from);
  return mentions.flatMap((mention) => {
    if (mention.line - 1 !== edit.line) return [mention];
    const from = mention.columnUtf16;
    if (overlaps(edit, { line: edit.line, from, to: from + mention.text.length })) return [];
    return [from >= edit.to ? { ...mention, columnUtf16: from + grown } : mention];
  });
}

/** Returns the link for the words at a place of a line: a mention there, or words that another line is known to mention. */
export function linkAt(mentions: Mention[], line: number, ch: number, text: string): LineEdit | null {
  const here = mentions
    .filter((mention) => mention.line - 1 === line)
    .map((mention) => ({ line, from: mention.columnUtf16, to: mention.columnUtf16 + mention.text.length, text: mention.link }))
    .find(({ from, to }) => from <= ch && ch <= to);
  if (here) return here;
  // The daemon names the first mention of each note only.
  for (const mention of [...mentions].sort((a, b) => b.text.length - a.text.length)) {
    const from = placeOfWord(text, mention.text, ch);
    if (from !== null) return { line, from, to: from + mention.text.length, text: mention.link };
  }
  return null;
}

function placeOfWord(text: string, word: string, ch: number): number | null {
  for (let from = text.indexOf(word); from >= 0 && from <= ch; from = text.indexOf(word, from + 1)) {
    const to = from + word.length;
    const isWhole = !/[\p{L}\p{N}]/u.test(`${text[from - 1] ?? " "}${text[to] ?? " "}`);
    if (ch <= to && isWhole && !isInLink(text, from)) return from;
  }
  return null;
}

function isInLink(text: string, at: number): boolean {
  return text.lastIndexOf("[[", at) > text.lastIndexOf("]]", at);
}

function overlaps(a: Omit<LineEdit, "text">, b: Omit<LineEdit, "text">): boolean {
  return a.line === b.line && a.from < b.to && b.from < a.to;
}
