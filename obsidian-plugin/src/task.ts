/** What the ask panel can be told to do: a question, a summary of notes, or a comparison of two. Never imports obsidian. */

import type { Estimate } from "./contract";
import type { Compare, Summarize } from "./contract.gen";
import { nameOf } from "./repairs";
import { say } from "./words";

const LONG_S = 60;
// What one part takes where nobody has measured it yet.
const CALL_S = 10;

export type Task =
  | { kind: "ask"; question: string; asAsked?: boolean }
  | { kind: "summarize"; title: string; of: Pick<Summarize, "note" | "path" | "tag"> }
  | { kind: "compare"; title: string; of: Pick<Compare, "first" | "second"> };

export function titleOf(task: Task): string {
  return task.kind === "ask" ? task.question : task.title;
}

export function summaryOfNote(path: string): Task {
  return { kind: "summarize", title: say.summaryOf(nameOf(path)), of: { note: path } };
}

/** Returns the summary of the folder a note lies in; of all notes where that is the vault itself. */
export function summaryOfFolder(path: string): Task {
  const folder = path.split("/").slice(0, -1).join("/");
  return { kind: "summarize", title: folder ? say.summaryOf(folder) : say.summaryOfVault, of: folder ? { path: folder } : {} };
}

export function summaryOfTag(written: string): Task | null {
  const tag = written.trim().replace(/^#+/, "");
  return tag ? { kind: "summarize", title: say.summaryOf(`#${tag}`), of: { tag } } : null;
}

export function comparison(first: string, second: string): Task {
  return { kind: "compare", title: say.comparisonOf(nameOf(first), nameOf(second)), of: { first, second } };
}

/** Whether notes leave this machine, or whoever asked for a summary would go away meanwhile (D97). */
export function isWeighty({ seconds, calls, generator }: Estimate): boolean {
  return generator.location === "remote" || (seconds ?? calls * CALL_S) > LONG_S;
}
