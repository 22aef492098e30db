/** "Open related note": the notes near the active one in a list, to go on with the keyboard. */

import { type App, SuggestModal, type TFile, type UserEvent } from "obsidian";
import type { RelatedNote } from "./contract";
import { asDaemonError, type Host } from "./host";
import { chooseWithModifiers, openOrLink } from "./navigate";
import { say } from "./words";

const LIMIT = 30;

export class RelatedModal extends SuggestModal<RelatedNote> {
  private found: Promise<RelatedNote[]> | null = null;

  constructor(
    app: App,
    private readonly host: Host,
    private readonly file: TFile,
  ) {
    super(app);
    this.setPlaceholder(say.relatedPick);
    this.setInstructions([
      { command: "↵", purpose: say.toOpen },
      { command: "ctrl/cmd ↵", purpose: say.toOpenTab },
      { command: "alt ↵", purpose: say.toInsert },
    ]);
    chooseWithModifiers(this);
  }

  override async getSuggestions(query: string): Promise<RelatedNote[]> {
    this.found ??= this.load();
    const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const holds = (note: RelatedNote): boolean => words.every((word) => `${note.title} ${note.path}`.toLocaleLowerCase().includes(word));
    return (await this.found).filter(holds);
  }

  private async load(): Promise<RelatedNote[]> {
    try {
      this.emptyStateText = say.relatedNone;
      return await this.host.daemon.related({ path: this.file.path }, LIMIT);
    } catch (error) {
      this.emptyStateText = asDaemonError(error).advice;
      return [];
    }
  }

  override renderSuggestion(note: RelatedNote, el: HTMLElement): void {
    el.addClass("pai-suggestion");
    el.createDiv({ cls: "pai-row-place", text: note.title });
    el.createDiv({ cls: "pai-row-detail", text: note.why });
  }

  override onChooseSuggestion(note: RelatedNote, event: UserEvent): void {
    openOrLink(this.app, note.passage ?? { path: note.path, startLine: 1, page: null }, note.link, event);
  }
}
