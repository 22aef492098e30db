/** Going to a place in a note, and putting text into the note the person was last in. */

import { type App, type Editor, Keymap, MarkdownView, Notice, type TFile, type UserEvent } from "obsidian";
import type { Passage } from "./contract";
import { setOff } from "./results";

/** Where to open a note: at a 1-based line, or a PDF at its page. */
export type Place = Pick<Passage, "path" | "startLine" | "page">;

/** Opens a note at a place; with the platform's modifier key, in a new tab. */
export async function openAt(app: App, { path, startLine, page }: Place, event?: UserEvent): Promise<void> {
  const file = app.vault.getFileByPath(path);
  if (!file) {
    new Notice(`${path} is no longer in this vault.`);
    return;
  }
  const fresh = event ? Keymap.isModEvent(event) : false;
  const leaf = fresh ? app.workspace.getLeaf(fresh) : (app.workspace.getMostRecentLeaf() ?? app.workspace.getLeaf(false));
  await leaf.openFile(file, { active: true, eState: page === null ? { line: Math.max(0, startLine - 1) } : { subpath: `#page=${String(page)}` } });
}

/** Returns the editor the person was last in, also while a side panel has the focus. */
export function recentEditor(app: App): { editor: Editor; file: TFile } | null {
  const view = app.workspace.getMostRecentLeaf()?.view;
  return view instanceof MarkdownView && view.file ? { editor: view.editor, file: view.file } : null;
}

export function insertAtCursor(app: App, text: string): void {
  const target = recentEditor(app);
  if (!target) {
    new Notice("Open a note to insert into.");
    return;
  }
  target.editor.replaceSelection(text);
  target.editor.focus();
}

/** Inserts a callout on lines of its own below the cursor's line, so that it never joins another block. */
export function insertBelowCursor(app: App, callout: string): void {
  const target = recentEditor(app);
  if (!target) {
    new Notice("Open a note to insert into.");
    return;
  }
  const { line } = target.editor.getCursor("to");
  const { editor } = target;
  const here = editor.getLine(line);
  const next = line + 1 < editor.lineCount() ? editor.getLine(line + 1) : null;
  editor.replaceRange(setOff(callout, here, next), { line, ch: here.length });
  editor.focus();
}

export async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  new Notice("Copied.");
}
