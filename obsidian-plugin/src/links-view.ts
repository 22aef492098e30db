/** The side panel "Suggested links": mentions to link where they stand, kindred notes, and links that lead nowhere. */

import { type Editor, Notice } from "obsidian";
import { BrokenLinks } from "./broken-links";
import type { Mention, Suggestion } from "./contract";
import { FollowingView } from "./following-view";
import { asDaemonError, drawError } from "./host";
import { afterEdit, editFor, editsFor } from "./mentions";
import { applyEdits, insertAtCursor, openAt, readLineOf, recentEditor } from "./navigate";
import { nameOf } from "./repairs";
import { say } from "./words";

export const LINKS_VIEW = "pai-daemon-links";
const AROUND = 48;
// More rows than that nobody reads, and they would hold up the app; "Link all" links the rest as well.
const ROWS = 30;

export class LinksView extends FollowingView {
  private path: string | null = null;
  private shownPath: string | null = null;
  private mentions: Mention[] = [];
  private suggestions: Suggestion[] = [];
  private broken: BrokenLinks | null = null;
  private asked = 0;

  override getViewType(): string {
    return LINKS_VIEW;
  }

  override getDisplayText(): string {
    return say.links;
  }

  override getIcon(): string {
    return "link";
  }

  override onOpen(): Promise<void> {
    this.contentEl.addClass("pai-view", "pai-links");
    this.contentEl.createDiv({ cls: "pai-empty", text: say.linksLoading });
    return super.onOpen();
  }

  /** Looks at the active note now. */
  look(): void {
    this.plan(0);
  }

  protected async show(): Promise<void> {
    const path = this.app.workspace.getActiveFile()?.path ?? null;
    const mine = ++this.asked;
    if (path === null) {
      this.contentEl.empty();
      this.contentEl.createDiv({ cls: "pai-empty", text: say.linksOpen });
      return;
    }
    try {
      const [links, written] = await Promise.all([this.host.daemon.links(path), this.host.daemon.written(path)]);
      if (mine !== this.asked) return;
      this.path = path;
      this.mentions = links.mentions;
      this.suggestions = links.suggestions;
      this.broken = new BrokenLinks(this.host, path, written, () => this.editor());
      this.draw();
    } catch (error) {
      if (mine !== this.asked) return;
      this.contentEl.empty();
      const told = asDaemonError(error);
      if (told.code === "not_found") this.contentEl.createDiv({ cls: "pai-empty", text: told.advice });
      else drawError(this.contentEl, told);
    }
  }

  /** Returns the editor of the note that is shown; says so where it is not open any more. */
  private editor(): Editor | null {
    const target = recentEditor(this.app);
    if (target !== null && target.file.path === this.path) return target.editor;
    new Notice(say.openAgain);
    return null;
  }

  private draw(): void {
    if (this.path === null) return;
    const scroll = this.path === this.shownPath ? this.contentEl.scrollTop : 0;
    this.shownPath = this.path;
    this.contentEl.empty();
    this.contentEl.createDiv({ cls: "pai-heading pai-links-of", text: say.linksOf(nameOf(this.path)) });
    const isEmpty = this.mentions.length === 0 && this.suggestions.length === 0 && !this.broken?.any;
    if (isEmpty) this.contentEl.createDiv({ cls: "pai-empty", text: say.linksNone });
    if (this.mentions.length > 0) this.drawMentions();
    this.broken?.draw(this.contentEl);
    if (this.suggestions.length > 0) this.drawSuggestions();
    // Setting it lays out the whole page at once, also the editor.
    if (scroll > 0) this.contentEl.scrollTop = scroll;
  }

  private drawMentions(): void {
    const head = this.contentEl.createDiv({ cls: "pai-modal-head" });
    head.createDiv({ cls: "pai-heading", text: say.mentions });
    const all = head.createEl("button", { cls: "pai-accept-all mod-cta", text: say.linkAll });
    all.addEventListener("click", () => { this.acceptAll(); });
    for (const mention of this.mentions.slice(0, ROWS)) {
      const row = this.contentEl.createDiv({ cls: "pai-link-row" });
      const words = row.createDiv({ cls: "pai-link-words" });
      this.drawContext(words.createDiv(), mention);
      words.createDiv({ cls: "pai-row-detail", text: `${say.line(mention.line)} → ${mention.title}`, attr: { title: mention.why } });
      words.addEventListener("click", (event) => void openAt(this.app, { path: this.path ?? "", startLine: mention.line, page: null }, event));
      const accept = row.createEl("button", { cls: "pai-accept", text: say.link });
      accept.addEventListener("click", () => { this.accept(mention); });
      this.drawNever(row, mention.target);
    }
    const rest = this.mentions.length - ROWS;
    if (rest > 0) this.contentEl.createDiv({ cls: "pai-row-detail", text: say.more(rest) });
  }

  private drawContext(parent: HTMLElement, mention: Mention): void {
    const target = recentEditor(this.app);
    const line = target?.file.path === this.path ? (readLineOf(target.editor)(mention.line - 1) ?? "") : "";
    const from = mention.columnUtf16;
    const to = from + mention.text.length;
    const begin = Math.max(0, from - AROUND);
    parent.appendText(`${begin > 0 ? "…" : ""}${line.slice(begin, from)}`);
    parent.createEl("mark", { text: mention.text });
    parent.appendText(`${line.slice(to, to + AROUND)}${line.length > to + AROUND ? "…" : ""}`);
  }

  private drawSuggestions(): void {
    this.contentEl.createDiv({ cls: "pai-modal-head" }).createDiv({ cls: "pai-heading", text: say.near });
    for (const note of this.suggestions) {
      const row = this.contentEl.createDiv({ cls: "pai-link-row" });
      const words = row.createDiv({ cls: "pai-link-words" });
      words.createDiv({ cls: "pai-row-place", text: note.title });
      words.createDiv({ cls: "pai-row-detail", text: note.why });
      words.addEventListener("click", (event) => void openAt(this.app, note.passage ?? { path: note.path, startLine: 1, page: null }, event));
      const insert = row.createEl("button", { cls: "pai-suggest-insert", text: say.linkHere, attr: { "aria-label": say.linkHereWhy } });
      insert.addEventListener("click", () => { this.insert(note); });
      this.drawNever(row, note.path);
    }
  }

  private drawNever(row: HTMLElement, other: string): void {
    const never = row.createEl("button", { cls: "pai-never", text: say.never, attr: { "aria-label": say.neverWhy } });
    never.addEventListener("click", () => void this.refuse(other));
  }

  private async refuse(other: string): Promise<void> {
    const path = this.path;
    if (path === null) return;
    try {
      await this.host.daemon.refuse([{ path, other }]);
    } catch (error) {
      new Notice(asDaemonError(error).advice, 10_000);
      return;
    }
    if (this.path !== path) return;
    this.mentions = this.mentions.filter(({ target }) => target !== other);
    this.suggestions = this.suggestions.filter(({ path }) => path !== other);
    this.draw();
  }

  private insert(note: Suggestion): void {
    if (!this.editor()) return;
    insertAtCursor(this.app, note.link);
    this.suggestions = this.suggestions.filter((one) => one !== note);
    this.draw();
  }

  private accept(mention: Mention): void {
    const editor = this.editor();
    if (!editor) return;
    const edit = editFor(mention, readLineOf(editor));
    if (!edit) {
      new Notice(say.mentionMissed(1));
      return;
    }
    applyEdits(editor, [edit]);
    this.mentions = afterEdit(this.mentions, edit);
    this.draw();
  }

  private acceptAll(): void {
    const editor = this.editor();
    if (!editor) return;
    const { edits, missed } = editsFor(this.mentions, readLineOf(editor));
    applyEdits(editor, edits);
    new Notice(missed > 0 ? say.mentionMissed(missed) : say.linksAdded(edits.length));
    this.mentions = [];
    this.draw();
  }
}
