/** The side panel "Related notes": follows the active note, or the paragraph at its cursor, and says why each note is there. */

import type { RelatedNote } from "./contract";
import type { DaemonError } from "./daemon-error";
import { FollowingView } from "./following-view";
import { asDaemonError, drawError } from "./host";
import { insertAtCursor, openAt, readLineOf, recentEditor } from "./navigate";
import { paragraphAt } from "./paragraph";
import { drawRow } from "./passage-row";
import { nameOf } from "./repairs";
import { marked } from "./results";
import { say } from "./words";

export const RELATED_VIEW = "pai-daemon-related";
// While a person writes, the paragraph changes with each key.
const CURSOR_MS = 600;
const WORDS = 160;
// A shorter paragraph says too little to look for.
const LEAST_CHARACTERS = 20;

/** What the notes are near to. text: empty for the whole note. */
interface Origin { path: string; text: string }

export class RelatedView extends FollowingView {
  private shown: Origin | null = null;
  private asked = 0;

  override getViewType(): string {
    return RELATED_VIEW;
  }

  override getDisplayText(): string {
    return say.related;
  }

  override getIcon(): string {
    return "waypoints";
  }

  override onOpen(): Promise<void> {
    this.contentEl.addClass("pai-view", "pai-related");
    this.register(this.host.cursor.subscribe(() => {
      if (this.host.settings.followParagraph) this.plan(CURSOR_MS);
    }));
    return super.onOpen();
  }

  protected override outdate(): void {
    this.shown = null;
  }

  private origin(): Origin | null {
    const path = this.app.workspace.getActiveFile()?.path;
    if (path === undefined) return null;
    const target = this.host.settings.followParagraph ? recentEditor(this.app) : null;
    if (target?.file.path !== path) return { path, text: "" };
    const text = paragraphAt(target.editor.getCursor().line, readLineOf(target.editor));
    return { path, text: text.length < LEAST_CHARACTERS ? "" : text };
  }

  protected async show(): Promise<void> {
    const origin = this.origin();
    if (origin && origin.path === this.shown?.path && origin.text === this.shown.text) return;
    const mine = ++this.asked;
    if (!origin) {
      this.draw(null, []);
      return;
    }
    try {
      const notes = await this.find(origin);
      // A slow reply for a note already left must not replace the newer one.
      if (mine === this.asked) this.draw(origin, notes);
    } catch (error) {
      if (mine === this.asked) this.drawFailure(asDaemonError(error));
    }
  }

  private async find({ path, text }: Origin): Promise<RelatedNote[]> {
    const limit = this.host.settings.related;
    if (!text) return this.host.daemon.related({ path }, limit);
    // The note that the paragraph stands in is the nearest of all.
    return (await this.host.daemon.related({ text }, limit + 1)).filter((note) => note.path !== path).slice(0, limit);
  }

  private drawFailure(error: DaemonError): void {
    this.shown = null;
    this.contentEl.empty();
    // An image or an excluded note in front is nothing to be alarmed about.
    if (error.code === "not_found") this.contentEl.createDiv({ cls: "pai-empty", text: error.advice });
    else drawError(this.contentEl, error);
  }

  private draw(origin: Origin | null, notes: RelatedNote[]): void {
    const scroll = origin && origin.path === this.shown?.path ? this.contentEl.scrollTop : 0;
    this.contentEl.empty();
    this.shown = origin;
    if (!origin) {
      this.contentEl.createDiv({ cls: "pai-empty", text: say.relatedOpen });
      return;
    }
    this.drawHead(origin);
    if (notes.length === 0) this.contentEl.createDiv({ cls: "pai-empty", text: say.relatedNone });
    for (const note of notes) this.drawNote(note);
    // Setting it lays out the whole page at once, also the editor.
    if (scroll > 0) this.contentEl.scrollTop = scroll;
  }

  private drawHead({ path, text }: Origin): void {
    const head = this.contentEl.createDiv({ cls: "pai-modal-head" });
    head.createDiv({ cls: "pai-heading", text: text ? say.relatedToParagraph : say.relatedTo(nameOf(path)) });
    const follows = this.host.settings.followParagraph;
    const button = head.createEl("button", { cls: "pai-follow", text: follows ? say.followNote : say.followParagraph });
    button.addEventListener("click", () => void this.follow(!follows));
  }

  private async follow(paragraph: boolean): Promise<void> {
    await this.host.change({ followParagraph: paragraph });
    this.shown = null;
    this.plan(0);
  }

  private drawNote(note: RelatedNote): void {
    const words = note.passage ? marked({ text: note.passage.text, highlights: [] }, WORDS) : [];
    drawRow(this.contentEl, {
      place: note.title,
      detail: note.why,
      words,
      link: note.link,
      open: (event) => void openAt(this.app, note.passage ?? { path: note.path, startLine: 1, page: null }, event),
      insert: () => { insertAtCursor(this.app, note.link); },
      ...(note.linked ? { badge: { text: say.linked, why: say.linkedWhy } } : {}),
    });
  }
}
