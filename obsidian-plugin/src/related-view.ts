/** The side panel "Related notes": follows the active note and says why each note is there. */

import { ItemView, type WorkspaceLeaf } from "obsidian";
import type { RelatedNote } from "./contract";
import type { DaemonError } from "./daemon-error";
import { asDaemonError, drawError, type Host } from "./host";
import { insertAtCursor, openAt } from "./navigate";
import { drawRow } from "./passage-row";
import { marked } from "./results";
import { after } from "./transport";

export const RELATED_VIEW = "pai-daemon-related";
const SETTLE_MS = 250;
// After a save the daemon commits note after note; one look afterwards is enough.
const REVISION_MS = 1_500;
const WORDS = 160;

export class RelatedView extends ItemView {
  override navigation = false;
  private cancelPlan: () => void = () => undefined;
  private shownPath: string | null = null;
  private revision = -1;
  private asked = 0;

  constructor(
    leaf: WorkspaceLeaf,
    private readonly host: Host,
  ) {
    super(leaf);
  }

  override getViewType(): string {
    return RELATED_VIEW;
  }

  override getDisplayText(): string {
    return "Related notes";
  }

  override getIcon(): string {
    return "waypoints";
  }

  override onOpen(): Promise<void> {
    this.contentEl.addClass("pai-view", "pai-related");
    this.registerEvent(this.app.workspace.on("file-open", () => { this.plan(SETTLE_MS); }));
    this.register(
      this.host.feed.subscribe(({ status }) => {
        const revision = status?.revision ?? -1;
        if (revision === this.revision) return;
        this.revision = revision;
        if (status) this.plan(REVISION_MS);
      }),
    );
    this.register(() => { this.cancelPlan(); });
    this.plan(0);
    return Promise.resolve();
  }

  private plan(ms: number): void {
    this.cancelPlan();
    this.cancelPlan = after(ms, () => void this.show());
  }

  private async show(): Promise<void> {
    const path = this.app.workspace.getActiveFile()?.path ?? null;
    const mine = ++this.asked;
    if (!path) {
      this.draw(null, []);
      return;
    }
    try {
      const notes = await this.host.daemon.related(path, this.host.settings.related);
      // A slow reply for a note already left must not replace the newer one.
      if (mine === this.asked) this.draw(path, notes);
    } catch (error) {
      if (mine === this.asked) this.drawFailure(asDaemonError(error));
    }
  }

  private drawFailure(error: DaemonError): void {
    this.shownPath = null;
    this.contentEl.empty();
    // An image or an excluded note in front is nothing to be alarmed about.
    if (error.code === "not_found") this.contentEl.createDiv({ cls: "pai-empty", text: error.advice });
    else drawError(this.contentEl, error);
  }

  private draw(path: string | null, notes: RelatedNote[]): void {
    const scroll = path === this.shownPath ? this.contentEl.scrollTop : 0;
    this.contentEl.empty();
    this.shownPath = path;
    if (path === null) {
      this.contentEl.createDiv({ cls: "pai-empty", text: "Open a note to see what is related to it." });
      return;
    }
    const name = path.split("/").pop()?.replace(/\.md$/, "") ?? path;
    this.contentEl.createDiv({ cls: "pai-heading", text: `Related to ${name}` });
    if (notes.length === 0) this.contentEl.createDiv({ cls: "pai-empty", text: "Nothing close to this note was found." });
    for (const note of notes) this.drawNote(note);
    this.contentEl.scrollTop = scroll;
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
      ...(note.linked ? { badge: { text: "Linked", why: "These notes already link to each other" } } : {}),
    });
  }
}
