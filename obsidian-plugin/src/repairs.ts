/** Links that lead nowhere: which note was meant, and what naming it changes. Never imports obsidian. */

import type { Passage } from "./contract";
import type { LineEdit } from "./mentions";

export interface BrokenLink { target: string; line: number }

/** A note that a broken link may have meant. */
export type Candidate = Pick<Passage, "path" | "title" | "link">;

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

/** Returns the edit that lets the link lead to a note, its heading and its words kept; null where it is not on its line. */
export function repairEdit(broken: BrokenLink, note: Candidate, text: string | null): LineEdit | null {
  const target = /^!?\[\[([^\]|#^]+)/.exec(note.link)?.[1];
  const escaped = broken.target.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const found = new RegExp(`\\[\\[(\\s*${escaped}\\s*)(?=[#|\\]])`).exec(text ?? "");
  if (!target || !found?.[1]) return null;
  const from = found.index + 2;
  return { line: broken.line - 1, from, to: from + found[1].length, text: target };
}
