/** "Search by meaning": passages as the person types, without asking any generator; before that, what was searched lately. */

import { type App, SuggestModal, type UserEvent } from "obsidian";
import type { Passage } from "./contract";
import { asDaemonError, type Host } from "./host";
import { chooseWithModifiers, openOrLink } from "./navigate";
import { drawMarked } from "./passage-row";
import { parseQuery } from "./query";
import { linesOf, marked, placeOf } from "./results";
import { say } from "./words";

const LIMIT = 12;
const TYPING_MS = 150;
const WORDS = 180;

/** A passage, or the text of an earlier search. */
type Found = Passage | string;

export class SearchModal extends SuggestModal<Found> {
  private asked = 0;
  private latest: Passage[] = [];

  constructor(
    app: App,
    private readonly host: Host,
  ) {
    super(app);
    this.modalEl.addClass("pai-search");
    this.setPlaceholder(say.searchHint);
    this.setInstructions([
      { command: "↵", purpose: say.toOpen },
      { command: "ctrl/cmd ↵", purpose: say.toOpenTab },
      { command: "alt ↵", purpose: say.toInsert },
      { command: "esc", purpose: say.toClose },
    ]);
    chooseWithModifiers(this);
  }

  override async getSuggestions(text: string): Promise<Found[]> {
    const mine = ++this.asked;
    if (!text.trim()) return this.host.recent.list();
    const { words, filters } = parseQuery(text);
    if (!words) {
      this.emptyStateText = say.searchWords;
      return [];
    }
    await sleep(TYPING_MS);
    // Newer keys were pressed meanwhile; their search draws the list.
    if (mine !== this.asked) return this.latest;
    try {
      const { mode } = this.host.settings;
      const { results } = await this.host.daemon.search(words, { mode, limit: LIMIT, filters, typing: true });
      this.emptyStateText = say.searchNone;
      if (mine === this.asked) this.latest = results;
    } catch (error) {
      this.emptyStateText = asDaemonError(error).advice;
      if (mine === this.asked) this.latest = [];
    }
    return this.latest;
  }

  override renderSuggestion(found: Found, el: HTMLElement): void {
    el.addClass("pai-suggestion");
    if (typeof found === "string") {
      el.createDiv({ cls: "pai-row-place pai-recent", text: found });
      el.createDiv({ cls: "pai-row-detail", text: say.recent });
      return;
    }
    el.createDiv({ cls: "pai-row-place", text: placeOf(found) });
    drawMarked(el.createDiv({ cls: "pai-row-words" }), marked(found, WORDS));
    el.createDiv({ cls: "pai-row-detail", text: `${found.path} · ${linesOf(found)}` });
  }

  /** An earlier search is searched again, so the list stays open. */
  override selectSuggestion(found: Found, event: MouseEvent | KeyboardEvent): void {
    if (typeof found !== "string") {
      super.selectSuggestion(found, event);
      return;
    }
    this.inputEl.value = found;
    this.inputEl.dispatchEvent(new Event("input"));
    this.inputEl.focus();
  }

  override onChooseSuggestion(found: Found, event: UserEvent): void {
    if (typeof found === "string") return;
    this.host.recent.add(this.inputEl.value);
    openOrLink(this.app, found, found.link, event);
  }
}
