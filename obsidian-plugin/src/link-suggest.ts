/** Completes links by meaning: after characters of its own, so that Obsidian's completion of `[[` stays as it is. */

import { type App, type Editor, type EditorPosition, EditorSuggest, type EditorSuggestContext, type EditorSuggestTriggerInfo } from "obsidian";
import type { Passage } from "./contract";
import type { Host } from "./host";
import { placeOf } from "./results";
import { triggered } from "./trigger";
import { say } from "./words";

const LIMIT = 8;
const TYPING_MS = 150;

export class LinkSuggest extends EditorSuggest<Passage> {
  private asked = 0;

  constructor(
    app: App,
    private readonly host: Host,
  ) {
    super(app);
    this.setInstructions([{ command: "↵", purpose: say.toInsert }]);
  }

  override onTrigger({ line, ch }: EditorPosition, editor: Editor): EditorSuggestTriggerInfo | null {
    const found = triggered(editor.getLine(line), ch, this.host.settings.trigger);
    return found && { start: { line, ch: found.from }, end: { line, ch }, query: found.query };
  }

  override async getSuggestions({ query, file }: EditorSuggestContext): Promise<Passage[]> {
    const mine = ++this.asked;
    await sleep(TYPING_MS);
    if (mine !== this.asked) return [];
    try {
      const { results } = await this.host.daemon.search(query, { mode: this.host.settings.mode, limit: LIMIT, typing: true });
      return results.filter(({ path }) => path !== file.path);
    } catch {
      // Who writes is not told that the daemon is away: the status bar says it.
      return [];
    }
  }

  override renderSuggestion(passage: Passage, el: HTMLElement): void {
    el.createDiv({ cls: "pai-row-place", text: placeOf(passage) });
    el.createDiv({ cls: "pai-row-detail", text: passage.path });
  }

  override selectSuggestion({ link }: Passage): void {
    if (!this.context) return;
    const { editor, start, end } = this.context;
    editor.replaceRange(link, start, end);
    editor.setCursor({ line: start.line, ch: start.ch + link.length });
    this.close();
  }
}
