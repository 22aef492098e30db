/** Links that lead nowhere: which note was meant, and what naming it changes. Never imports obsidian. */

import type { Passage } from "./contract";
import type { LineEdit } from "./mentions";

export interface BrokenLink { target: string; line: number; kind: string }

/** A note that a broken link may have meant. */
export type Candidate = Pick<Passage, "path" | "title" | "link">;

// A file of another kind is no note to be found again by its name.
const OTHER_FILE = /\.(?!md$)[A-Za-z0-9]{1,5}$/;

const CANDIDATES = 2;
const ALIKE = 0.45;

function pairsOf(text: string): Set<string> {
  const plain = text.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const pairs = new Set<string>();
  for (let at = 0; at + 1 < plain.length; at++) pairs.add(plain.slice(at, at + 2));
  return pairs;
}

/** Returns from 0 to 1 how alike two names are written: their shared pairs of letters (Dice). */
export function likeness(a: string, b: string): number {
  const [left, right] = [pairsOf(a), pairsOf(b)];
  if (left.size + right.size === 0) return 0;
  let shared = 0;
  for (const pair of left) if (right.has(pair)) shared++;
  return (2 * shared) / (left.size + right.size);
}

/** Returns the notes among those found whose name or title is written most like the target, best first. */
export function candidatesFor(target: string, found: readonly Candidate[]): Candidate[] {
  const wanted = nameOf(target);
  const best = new Map<string, { note: Candidate; score: number }>();
  for (const note of found) {
    const score = Math.max(likeness(wanted, nameOf(note.path)), likeness(wanted, note.title));
    if (score >= ALIKE && !best.has(note.path)) best.set(note.path, { note, score });
  }
  return [...best.values()].sort((a, b) => b.score - a.score).slice(0, CANDIDATES).map(({ note }) => note);
}

export function nameOf(path: string): string {
  return (path.split("/").pop() ?? path).replace(/\.md$/, "");
}

/** Returns whether a link that leads nowhere may have meant a note. */
export function isRepairable({ kind, target }: Pick<BrokenLink, "kind" | "target">): boolean {
  return target !== "" && (kind === "wikilink" || (kind === "markdown" && !OTHER_FILE.test(target)));
}

/**
 * Returns the edit that lets the link lead to a note, its heading and its words kept; null where it is not on its
 * line. from: the path of the note it stands in, since a Markdown link is read from there.
 */
export function repairEdit(broken: BrokenLink, note: Candidate, text: string | null, from: string): LineEdit | null {
  const line = text ?? "";
  return broken.kind === "markdown" ? markdownEdit(broken, note, line, from) : wikilinkEdit(broken, note, line);
}

function wikilinkEdit(broken: BrokenLink, note: Candidate, text: string): LineEdit | null {
  const target = /^!?\[\[([^\]|#^]+)/.exec(note.link)?.[1];
  const escaped = broken.target.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const found = new RegExp(`\\[\\[(\\s*${escaped}\\s*)(?=[#|\\]])`).exec(text);
  if (!target || !found?.[1]) return null;
  const from = found.index + 2;
  return { line: broken.line - 1, from, to: from + found[1].length, text: target };
}

function markdownEdit(broken: BrokenLink, note: Candidate, text: string, from: string): LineEdit | null {
  for (const match of text.matchAll(/\]\(\s*(?:<([^<>#]+)|([^()<>\s#]+))/g)) {
    const written = match[1] ?? match[2] ?? "";
    if (decoded(written).trim() !== broken.target) continue;
    const end = match.index + match[0].length;
    return { line: broken.line - 1, from: end - written.length, to: end, text: encoded(relative(from, note.path)) };
  }
  return null;
}

function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}

/** Returns a path as the address of a Markdown link, in which a space or a bracket would end it. */
function encoded(path: string): string {
  return encodeURI(path).replace(/[()#?]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Returns the way from the folder of one note to another note, which is what every reader of Markdown follows. */
function relative(from: string, to: string): string {
  const [here, there] = [from.split("/").slice(0, -1), to.split("/")];
  let shared = 0;
  while (shared < here.length && shared < there.length - 1 && here[shared] === there[shared]) shared++;
  return [...here.slice(shared).map(() => ".."), ...there.slice(shared)].join("/");
}
