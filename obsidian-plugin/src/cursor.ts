/** Tells of the cursor's moves in any editor, so that a view can follow the paragraph. */

import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

export class CursorMoves {
  private readonly listeners = new Set<() => void>();

  /** To be registered once, for all editors. */
  readonly extension: Extension = EditorView.updateListener.of(({ selectionSet, docChanged }) => {
    if (selectionSet || docChanged) for (const listener of this.listeners) listener();
  });

  /** Calls `listener` with each move; returns how to stop that. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
