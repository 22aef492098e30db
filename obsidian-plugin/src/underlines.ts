/** Underlines in the editor where another note is named without a link. Draws what it is given; what that is, is underlining's. */

import { type Extension, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";
import type { Mention } from "./contract";
import { say } from "./words";

// In a note of that many mentions a mark more tells nothing.
const MARKS = 500;

/** Replaces the underlines of an editor. */
export const setMentions = StateEffect.define<readonly Mention[]>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(old, { changes, docChanged, effects, newDoc }) {
    let next = docChanged ? old.map(changes) : old;
    if (docChanged && next.size > 0) {
      changes.iterChangedRanges((_fromOld, _toOld, filterFrom, filterTo) => {
        next = next.update({ filterFrom, filterTo, filter: (from, to, { spec }) => newDoc.sliceString(from, to) === wordsOf(spec) });
      });
    }
    for (const effect of effects) if (effect.is(setMentions)) next = drawn(effect.value, newDoc);
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function wordsOf(spec: unknown): string {
  return (spec as { words: string }).words;
}

function drawn(mentions: readonly Mention[], doc: Text): DecorationSet {
  const found = mentions.slice(0, MARKS).flatMap(({ text, line, columnUtf16, title }) => {
    if (line > doc.lines) return [];
    const from = doc.line(line).from + columnUtf16;
    const mark = Decoration.mark({ class: "pai-mention", words: text, attributes: { title: say.linkTo(title) } });
    // What the daemon read may not be what stands here now.
    return doc.sliceString(from, from + text.length) === text ? [mark.range(from, from + text.length)] : [];
  });
  return Decoration.set(found, true);
}

export const underlines: Extension = marks;
