/** Obsidian's Editor over a real CodeMirror 6. */

import { EditorSelection, type Text } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

export interface EditorPosition { line: number; ch: number }
export interface EditorChange { from: EditorPosition; to?: EditorPosition; text: string }
export interface EditorTransaction { changes?: EditorChange[] }

export class Editor {
  constructor(readonly cm: EditorView) {}

  private get doc(): Text {
    return this.cm.state.doc;
  }

  posToOffset({ line, ch }: EditorPosition): number {
    const at = this.doc.line(Math.min(line + 1, this.doc.lines));
    return Math.min(at.from + ch, at.to);
  }

  offsetToPos(offset: number): EditorPosition {
    const line = this.doc.lineAt(offset);
    return { line: line.number - 1, ch: offset - line.from };
  }

  getValue(): string {
    return this.doc.toString();
  }

  getLine(line: number): string {
    return this.doc.line(line + 1).text;
  }

  lineCount(): number {
    return this.doc.lines;
  }

  getCursor(which: "from" | "to" | "head" | "anchor" = "head"): EditorPosition {
    return this.offsetToPos(this.cm.state.selection.main[which]);
  }

  setCursor(pos: EditorPosition | number, ch?: number): void {
    const at = this.posToOffset(typeof pos === "number" ? { line: pos, ch: ch ?? 0 } : pos);
    this.cm.dispatch({ selection: EditorSelection.cursor(at), scrollIntoView: true });
  }

  setSelection(anchor: EditorPosition, head: EditorPosition = anchor): void {
    this.cm.dispatch({ selection: { anchor: this.posToOffset(anchor), head: this.posToOffset(head) }, scrollIntoView: true });
  }

  getSelection(): string {
    const { from, to } = this.cm.state.selection.main;
    return this.cm.state.sliceDoc(from, to);
  }

  replaceSelection(text: string): void {
    this.cm.dispatch(this.cm.state.replaceSelection(text));
  }

  replaceRange(text: string, from: EditorPosition, to: EditorPosition = from): void {
    this.cm.dispatch({ changes: { from: this.posToOffset(from), to: this.posToOffset(to), insert: text } });
  }

  transaction({ changes = [] }: EditorTransaction): void {
    this.cm.dispatch({
      changes: changes.map(({ from, to = from, text }) => ({ from: this.posToOffset(from), to: this.posToOffset(to), insert: text })),
    });
  }

  focus(): void {
    this.cm.focus();
  }
}
