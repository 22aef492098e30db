/** How the editor shows Markdown: near enough to live preview that a picture of it does not mislead. */

import { markdown } from "@codemirror/lang-markdown";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { type EditorState, type Extension, type Line, type Range, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const style = HighlightStyle.define([
  { tag: tags.heading1, class: "cm-h1" },
  { tag: tags.heading2, class: "cm-h2" },
  { tag: tags.heading3, class: "cm-h3" },
  { tag: tags.strong, class: "cm-strong" },
  { tag: tags.emphasis, class: "cm-em" },
  { tag: tags.monospace, class: "cm-code" },
  { tag: [tags.url, tags.link], class: "cm-link" },
  { tag: tags.processingInstruction, class: "cm-mark" },
]);

/** A callout without a title is headed by its kind. */
class Kind extends WidgetType {
  constructor(private readonly kind: string) {
    super();
  }

  override eq(other: Kind): boolean {
    return other.kind === this.kind;
  }

  override toDOM(): HTMLElement {
    return createSpan({ text: this.kind.charAt(0).toUpperCase() + this.kind.slice(1).toLowerCase() });
  }
}

const hidden = Decoration.replace({});
const link = Decoration.mark({ class: "cm-link" });

function lineClass(line: Line, name: string): Range<Decoration> {
  return Decoration.line({ class: name }).range(line.from);
}

function hide(line: Line, from: number, length: number): Range<Decoration> {
  return hidden.range(line.from + from, line.from + from + length);
}

function callout(line: Line, plain: boolean): Range<Decoration>[] {
  const found = /^> ?(?:\[!(\w+)\][+-]? ?)?/.exec(line.text);
  if (!found) return [];
  const [prefix, kind] = found;
  const parts = [lineClass(line, kind ? "cm-callout cm-callout-title" : "cm-callout")];
  const untitled = kind !== undefined && line.text.length === prefix.length;
  if (plain && untitled) parts.push(Decoration.replace({ widget: new Kind(kind) }).range(line.from, line.to));
  else if (plain) parts.push(hide(line, 0, prefix.length));
  return parts;
}

function links(line: Line, plain: boolean): Range<Decoration>[] {
  return [...line.text.matchAll(/\[\[([^\]|]+)(?:\|([^\]]+))?\]\]|(?<!!)\[([^\]]+)\]\([^)]*\)/g)].flatMap((match) => {
    const shown = match[2] ?? match[1] ?? match[3] ?? "";
    const from = match[3] === undefined ? match[0].length - 2 - shown.length : 1;
    const tail = match[0].length - from - shown.length;
    const mark = link.range(line.from + match.index, line.from + match.index + match[0].length);
    return plain ? [mark, hide(line, match.index, from), hide(line, match.index + from + shown.length, tail)] : [mark];
  });
}

/** As in live preview, the line with the cursor shows its source and the others do not. */
function decorate(state: EditorState): DecorationSet {
  const parts: Range<Decoration>[] = [];
  const current = state.doc.lineAt(state.selection.main.head).number;
  let front = state.doc.line(1).text === "---";
  let fenced = false;
  for (let number = 1; number <= state.doc.lines; number++) {
    const line = state.doc.line(number);
    if (front) {
      parts.push(lineClass(line, "cm-front"));
      if (line.text === "---") parts.push(hide(line, 0, 3));
      if (number > 1 && line.text === "---") front = false;
      continue;
    }
    if (/^\s*(?:> )?```/.test(line.text)) fenced = !fenced;
    else if (!fenced) parts.push(...inText(line, number !== current));
  }
  return Decoration.set(parts, true);
}

function inText(line: Line, plain: boolean): Range<Decoration>[] {
  const parts = [...callout(line, plain), ...links(line, plain)];
  if (!plain) return parts;
  const heading = /^#{1,6} /.exec(line.text);
  if (heading) parts.push(hide(line, 0, heading[0].length));
  for (const match of line.text.matchAll(/\*\*|`/g)) parts.push(hide(line, match.index, match[0].length));
  return parts;
}

const preview = StateField.define<DecorationSet>({
  create: decorate,
  update: (value, transaction) => (transaction.docChanged || transaction.selection ? decorate(transaction.state) : value),
  provide: (field) => EditorView.decorations.from(field),
});

export const look: Extension = [markdown(), syntaxHighlighting(style), preview, EditorView.lineWrapping];
