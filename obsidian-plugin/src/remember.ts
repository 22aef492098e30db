/** "Remember this": keeps the words somebody points at as a fact in the daemon's memory, with a way to take it back. */

import { Notice } from "obsidian";
import type { Receipt } from "./contract";
import { asDaemonError, type Host } from "./host";
import { openAt } from "./navigate";
import { questionOf } from "./results";
import { say } from "./words";

// Long enough to read the words and to change one's mind.
const SHOWN_MS = 15_000;
const WORDS = 160;

/** Keeps the selection, or the line at the cursor without the marks of a list or heading. */
export async function rememberHere(host: Host, selected: string, line: string, notes: string[]): Promise<void> {
  await remember(host, selected.trim() || questionOf(line), notes);
}

/** Keeps words of these notes. */
export async function remember(host: Host, words: string, notes: string[]): Promise<void> {
  const text = words.replace(/\s+/g, " ").trim();
  if (!text) {
    new Notice(say.nothingToRemember);
    return;
  }
  try {
    showReceipt(host, await host.daemon.remember(text, notes));
  } catch (error) {
    new Notice(asDaemonError(error).advice, 10_000);
  }
}

function showReceipt(host: Host, { outcome, fact, undo }: Receipt): void {
  const short = fact.text.length > WORDS ? `${fact.text.slice(0, WORDS)}…` : fact.text;
  const notice = new Notice(outcome === "known" ? say.knownAlready(short) : say.remembered(short), SHOWN_MS);
  const row = notice.messageEl.createDiv({ cls: "pai-actions pai-remembered" });
  const show = row.createEl("button", { cls: "pai-show-fact", text: say.showFact });
  show.addEventListener("click", (event) => {
    notice.hide();
    void openAt(host.app, { path: fact.path, startLine: fact.line, page: null }, event);
  });
  if (undo === null) return;
  const back = row.createEl("button", { cls: "pai-undo-fact", text: say.undo });
  back.addEventListener("click", () => {
    // A second press would ask to take back what is gone.
    notice.hide();
    void takeBack(host, undo);
  });
}

async function takeBack(host: Host, change: string): Promise<void> {
  try {
    await host.daemon.undoMemory(change);
    new Notice(say.forgotten);
  } catch (error) {
    new Notice(asDaemonError(error).advice, 10_000);
  }
}
