/** Small lists to choose from: the note to compare with, and the tag to summarise. */

import { type App, SuggestModal, type TFile } from "obsidian";
import { say } from "./words";

const LIMIT = 50;

export class NotePick extends SuggestModal<TFile> {
  constructor(app: App, private readonly from: TFile, private readonly choose: (file: TFile) => void) {
    super(app);
    this.setPlaceholder(say.comparePick(from.basename));
    this.emptyStateText = say.searchNone;
  }

  override getSuggestions(query: string): TFile[] {
    const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const holds = ({ path }: TFile): boolean => words.every((word) => path.toLocaleLowerCase().includes(word));
    const notes = this.app.vault.getFiles().filter((file) => file.extension === "md" && file.path !== this.from.path);
    return notes.filter(holds).slice(0, LIMIT);
  }

  override renderSuggestion(file: TFile, el: HTMLElement): void {
    el.addClass("pai-suggestion");
    el.createDiv({ cls: "pai-row-place", text: file.basename });
    el.createDiv({ cls: "pai-row-detail", text: file.path });
  }

  override onChooseSuggestion(file: TFile): void {
    this.choose(file);
  }
}

export class TagPick extends SuggestModal<string> {
  constructor(app: App, private readonly choose: (tag: string) => void) {
    super(app);
    this.setPlaceholder(say.tagPick);
    this.emptyStateText = say.tagPick;
  }

  override getSuggestions(query: string): string[] {
    const tag = query.trim().replace(/^#+/, "");
    return tag ? [`#${tag}`] : [];
  }

  override renderSuggestion(tag: string, el: HTMLElement): void {
    el.addClass("pai-suggestion");
    el.createDiv({ cls: "pai-row-place", text: tag });
  }

  override onChooseSuggestion(tag: string): void {
    this.choose(tag);
  }
}
