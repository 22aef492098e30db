/** EditorSuggest: a list below the cursor while something is completed in the editor. */

import { type Extension, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import type { App } from "./app";
import { Editor, type EditorPosition } from "./editor";
import { Scope } from "./scope";
import type { TFile } from "./vault";

export interface EditorSuggestTriggerInfo { start: EditorPosition; end: EditorPosition; query: string }
export interface EditorSuggestContext extends EditorSuggestTriggerInfo { editor: Editor; file: TFile }

export abstract class EditorSuggest<T> {
  context: EditorSuggestContext | null = null;
  limit = 100;
  readonly scope = new Scope();
  private readonly el = createDiv({ cls: "suggestion-container" });
  private items: T[] = [];
  private selected = 0;

  constructor(readonly app: App) {}

  setInstructions(_instructions: { command: string; purpose: string }[]): void {
    return undefined;
  }

  abstract onTrigger(cursor: EditorPosition, editor: Editor, file: TFile | null): EditorSuggestTriggerInfo | null;
  abstract getSuggestions(context: EditorSuggestContext): T[] | Promise<T[]>;
  abstract renderSuggestion(value: T, el: HTMLElement): void;
  abstract selectSuggestion(value: T, event: MouseEvent | KeyboardEvent): void;

  open(): void {
    document.body.append(this.el);
  }

  close(): void {
    this.context = null;
    this.items = [];
    this.el.detach();
  }

  async typed(editor: Editor): Promise<void> {
    const file = this.app.workspace.getActiveFile();
    const found = this.onTrigger(editor.getCursor(), editor, file);
    if (!found || !file) {
      this.close();
      return;
    }
    const context = { ...found, editor, file };
    this.context = context;
    const items = await this.getSuggestions(context);
    if (this.context !== context) return;
    this.items = items;
    this.selected = 0;
    if (items.length > 0) this.draw();
    else this.close();
  }

  private draw(): void {
    this.el.empty();
    this.items.slice(0, this.limit).forEach((item, index) => {
      const el = this.el.createDiv({ cls: "suggestion-item" });
      el.toggleClass("is-selected", index === this.selected);
      this.renderSuggestion(item, el);
      el.addEventListener("click", (event) => { this.selectSuggestion(item, event); });
    });
    const at = this.context?.editor.cm.coordsAtPos(this.context.editor.posToOffset(this.context.start));
    if (at) Object.assign(this.el.style, { left: `${String(at.left)}px`, top: `${String(at.bottom)}px` });
    this.open();
  }

  /** Returns whether the key was for the list. */
  key(name: string): boolean {
    if (!this.el.isConnected) return false;
    const item = this.items[this.selected];
    if (name === "Escape") this.close();
    else if (name === "Enter") item !== undefined && this.selectSuggestion(item, new KeyboardEvent("keydown", { key: name }));
    else {
      this.selected = Math.max(0, Math.min(this.items.length - 1, this.selected + (name === "ArrowDown" ? 1 : -1)));
      this.draw();
    }
    return true;
  }
}

export function suggesting(suggest: EditorSuggest<unknown>): Extension {
  const keys = ["Enter", "Escape", "ArrowUp", "ArrowDown"].map((key) => ({ key, run: () => suggest.key(key) }));
  return [
    Prec.highest(keymap.of(keys)),
    EditorView.updateListener.of(({ docChanged, view }) => {
      if (docChanged) void suggest.typed(new Editor(view));
    }),
  ];
}
