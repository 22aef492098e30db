/** "Search by meaning": passages as the person types, without asking any generator. */

import { type App, SuggestModal, type UserEvent } from "obsidian";
import type { Passage } from "./contract";
import { asDaemonError, type Host } from "./host";
import { openAt } from "./navigate";
import { drawMarked } from "./passage-row";
import { linesOf, marked, placeOf } from "./results";

const LIMIT = 12;
const TYPING_MS = 180;
const WORDS = 180;

export class SearchModal extends SuggestModal<Passage> {
  private asked = 0;
  private latest: Passage[] = [];

  constructor(
    app: App,
    private readonly host: Host,
  ) {
    super(app);
    this.modalEl.addClass("pai-search");
    this.setPlaceholder("Describe what you are looking for…");
    this.setInstructions([
      { command: "↵", purpose: "to open" },
      { command: "esc", purpose: "to close" },
    ]);
  }

  override async getSuggestions(query: string): Promise<Passage[]> {
    const mine = ++this.asked;
    if (!query.trim()) return [];
    await sleep(TYPING_MS);
    // Newer keys were pressed meanwhile; their search draws the list.
    if (mine !== this.asked) return this.latest;
    try {
      const { results } = await this.host.daemon.search(query, this.host.settings.mode, LIMIT);
      this.emptyStateText = "Nothing close to this was found.";
      if (mine === this.asked) this.latest = results;
    } catch (error) {
      this.emptyStateText = asDaemonError(error).advice;
      if (mine === this.asked) this.latest = [];
    }
    return this.latest;
  }

  override renderSuggestion(passage: Passage, el: HTMLElement): void {
    el.addClass("pai-suggestion");
    el.createDiv({ cls: "pai-row-place", text: placeOf(passage) });
    drawMarked(el.createDiv({ cls: "pai-row-words" }), marked(passage, WORDS));
    el.createDiv({ cls: "pai-row-detail", text: `${passage.path} · ${linesOf(passage)}` });
  }

  override onChooseSuggestion(passage: Passage, event: UserEvent): void {
    void openAt(this.app, passage, event);
  }
}
