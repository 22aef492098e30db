/** Going to a place in a note, and putting text into the note the person was last in. */

import type { EditorView } from "@codemirror/view";
import { type App, type Editor, Keymap, MarkdownView, Notice, type SuggestModal, type TFile, type UserEvent } from "obsidian";
import type { Passage } from "./contract";
import type { LineEdit, ReadLine } from "./mentions";
import { setOff } from "./results";
import { say } from "./words";

/** Where to open a note: at a 1-based line, or a PDF at its page. */
export type Place = Pick<Passage, "path" | "startLine" | "page">;

/** Opens a note at a place; with the platform's modifier key, in a new tab. */
export async function openAt(app: App, { path, startLine, page }: Place, event?: UserEvent): Promise<void> {
  const file = app.vault.getFileByPath(path);
  if (!file) {
    new Notice(say.gone(path));
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
    new Notice(say.openNoteFirst);
    return;
  }
  const { editor } = target;
  // Behind a selection, not in its place: what is marked is the person's.
  const at = editor.getCursor("to");
  editor.replaceRange(text, at);
  editor.setCursor({ line: at.line, ch: at.ch + text.length });
  editor.focus();
}

/** Inserts a callout on lines of its own below the cursor's line, so that it never joins another block. */
export function insertBelowCursor(app: App, callout: string): void {
  const target = recentEditor(app);
  if (!target) {
    new Notice(say.openNoteFirst);
    return;
  }
  const { editor } = target;
  const line = Math.max(editor.getCursor("to").line, lastOfProperties(editor));
  const here = editor.getLine(line);
  const next = line + 1 < editor.lineCount() ? editor.getLine(line + 1) : null;
  editor.replaceRange(setOff(callout, here, next), { line, ch: here.length });
  editor.focus();
}

/** Returns the line that ends the properties of a note, among which a callout would break them; -1 where there are none. */
function lastOfProperties(editor: Editor): number {
  if (editor.getLine(0).trimEnd() !== "---") return -1;
  for (let line = 1; line < editor.lineCount(); line++) if (editor.getLine(line).trimEnd() === "---") return line;
  return -1;
}

/** Opens what was chosen from a list, or with Alt puts a link to it at the cursor. */
export function openOrLink(app: App, place: Place, link: string, event: UserEvent): void {
  if (event.altKey) insertAtCursor(app, link);
  else void openAt(app, place, event);
}

/** Lets Mod+enter and Alt+enter choose from a list as well; what they do is told by the event. */
export function chooseWithModifiers(modal: Pick<SuggestModal<unknown>, "scope" | "selectActiveSuggestion">): void {
  for (const modifier of ["Mod", "Alt"] as const) {
    modal.scope.register([modifier], "Enter", (event) => {
      modal.selectActiveSuggestion(event);
      return false;
    });
  }
}

export async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  new Notice(say.copied);
}

/** The developer documentation names this property; the published types leave it out. */
export function codeMirror(editor: Editor): EditorView | undefined {
  return (editor as Editor & { cm?: EditorView }).cm;
}

export function readLineOf(editor: Editor): ReadLine {
  return (line) => (line >= 0 && line < editor.lineCount() ? editor.getLine(line) : null);
}

/** One transaction, so that one undo takes all of it back. */
export function applyEdits(editor: Editor, edits: readonly LineEdit[]): void {
  editor.transaction({
    changes: edits.map(({ line, from, to, text }) => ({ from: { line, ch: from }, to: { line, ch: to }, text })),
  });
}
