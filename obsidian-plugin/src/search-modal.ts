/** "Search by meaning": passages as the person types, without asking any generator; before that, what was searched lately. */

import { type App, SuggestModal, type UserEvent } from "obsidian";
import type { Passage } from "./contract";
import { asDaemonError, type Host } from "./host";
import { chooseWithModifiers, openOrLink } from "./navigate";
import { drawMarked } from "./passage-row";
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
  /** What the daemon says of the query, above the list. */
  private readonly noticesEl = createDiv({ cls: "pai-row-detail pai-notices", attr: { role: "status" } });

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
    this.resultContainerEl.before(this.noticesEl);
    chooseWithModifiers(this);
  }

  override async getSuggestions(text: string): Promise<Found[]> {
    const mine = ++this.asked;
    if (!text.trim()) {
      this.noticesEl.empty();
      return this.host.recent.list();
    }
    await sleep(TYPING_MS);
    // Newer keys were pressed meanwhile; their search draws the list.
    if (mine !== this.asked) return this.latest;
    try {
      const { mode } = this.host.settings;
      const { results, notices } = await this.host.daemon.search(text, { mode, limit: LIMIT, typing: true });
      this.show(mine, results, say.searchNone, notices);
    } catch (error) {
      this.show(mine, [], asDaemonError(error).advice, []);
    }
    return this.latest;
  }

  /** Keeps what a search found, unless a newer one was begun meanwhile. */
  private show(search: number, results: Passage[], whereEmpty: string, notices: string[]): void {
    if (search !== this.asked) return;
    this.latest = results;
    this.emptyStateText = whereEmpty;
    this.noticesEl.setText(notices.join(" "));
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
