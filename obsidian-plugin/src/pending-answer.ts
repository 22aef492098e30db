/**
 * The answer being written below a question in the editor. It is drawn as a widget
 * and not as text: the note is not saved half-answered, the daemon does not index
 * its own words, and the finished answer is one undo step.
 */

import { isolateHistory } from "@codemirror/commands";
import { type Extension, Prec, StateEffect, StateField, Transaction } from "@codemirror/state";
import { Decoration, EditorView, keymap, ViewPlugin, WidgetType } from "@codemirror/view";
import { setOff } from "./results";
import { say } from "./words";

export interface Pending { id: number; pos: number; text: string; stop: (notice?: string) => void }

// Below a question nearer than this to the lower edge the answer would begin out of sight.
const ROOM_PX = 220;

const begin = StateEffect.define<Pending>();
const write = StateEffect.define<{ id: number; text: string }>();
const end = StateEffect.define<number>();

class PendingWidget extends WidgetType {
  constructor(private readonly pending: Pending) {
    super();
  }

  override eq(other: PendingWidget): boolean {
    return other.pending.id === this.pending.id && other.pending.text === this.pending.text;
  }

  override toDOM(): HTMLElement {
    const el = createDiv({ cls: "pai-pending" });
    el.createDiv({ cls: "pai-pending-text" });
    const button = el.createEl("button", { text: say.stopEsc });
    button.addEventListener("click", () => { this.pending.stop(); });
    this.updateDOM(el);
    return el;
  }

  override updateDOM(el: HTMLElement): boolean {
    el.querySelector(".pai-pending-text")?.setText(this.pending.text || say.reading);
    return true;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

const pendings = StateField.define<readonly Pending[]>({
  create: () => [],
  update(list, transaction) {
    let next = list;
    if (transaction.docChanged) next = next.map((one) => ({ ...one, pos: transaction.changes.mapPos(one.pos, -1) }));
    for (const effect of transaction.effects) {
      if (effect.is(begin)) next = [...next, effect.value];
      else if (effect.is(end)) next = next.filter((one) => one.id !== effect.value);
      else if (effect.is(write)) {
        const { id, text } = effect.value;
        next = next.map((one) => (one.id === id ? { ...one, text } : one));
      }
    }
    return next;
  },
  provide: (field) =>
    EditorView.decorations.compute([field], (state) =>
      Decoration.set(
        state.field(field).map((one) => {
          const widget = new PendingWidget(one);
          return Decoration.widget({ widget, block: true, side: 1 }).range(state.doc.lineAt(one.pos).to);
        }),
        true,
      ),
    ),
});

function stopAll(view: EditorView, notice?: string): boolean {
  const list = view.state.field(pendings, false) ?? [];
  for (const pending of list) pending.stop(notice);
  return list.length > 0;
}

// An editor that is closed, or shows another note, would take the answer to nowhere or to where nobody asked (D97).
const leaving = ViewPlugin.define((view) => ({ destroy: () => { stopAll(view, say.noteClosed); } }));

export const pendingAnswers: Extension = [pendings, leaving, Prec.highest(keymap.of([{ key: "Escape", run: (view) => stopAll(view) }]))];

function find(view: EditorView, id: number): Pending | undefined {
  return view.state.field(pendings, false)?.find((one) => one.id === id);
}

function isLow(view: EditorView, pos: number): boolean {
  const at = view.coordsAtPos(pos);
  return at !== null && at.bottom > view.scrollDOM.getBoundingClientRect().bottom - ROOM_PX;
}

/** One answer in one editor. `stop` is called where the person stops it, or has gone elsewhere with that editor. */
export class PendingAnswer {
  private static count = 0;
  private readonly id = ++PendingAnswer.count;

  constructor(
    private readonly view: EditorView,
    pos: number,
    stop: (notice?: string) => void,
  ) {
    const started = begin.of({ id: this.id, pos, text: "", stop });
    view.dispatch({ effects: isLow(view, pos) ? [started, EditorView.scrollIntoView(pos, { y: "center" })] : started });
  }

  write(text: string): void {
    if (find(this.view, this.id)) this.view.dispatch({ effects: write.of({ id: this.id, text }) });
  }

  /** Puts a callout below the question's line, as one step of undo, and takes the widget away. */
  finish(callout: string): void {
    const pending = find(this.view, this.id);
    if (!pending) return;
    const { doc } = this.view.state;
    const line = doc.lineAt(pending.pos);
    const next = line.number < doc.lines ? doc.line(line.number + 1).text : null;
    this.view.dispatch({
      changes: { from: line.to, insert: setOff(callout, line.text, next) },
      effects: end.of(this.id),
      annotations: [isolateHistory.of("full"), Transaction.userEvent.of("input.complete")],
    });
  }

  cancel(): void {
    if (find(this.view, this.id)) this.view.dispatch({ effects: end.of(this.id) });
  }
}
