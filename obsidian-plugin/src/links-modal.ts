/** "Suggest links for this note": mentions to wrap in a link where they stand, related notes to link at the cursor. */

import { type App, type Editor, type EditorPosition, Modal, Notice, type TFile } from "obsidian";
import type { LinkSuggestions, Mention, RelatedNote } from "./contract";
import { drawError, type Host } from "./host";
import { afterEdit, editFor, editsFor, type LineEdit, type ReadLine } from "./mentions";

const AROUND = 48;

export class LinksModal extends Modal {
  private mentions: Mention[] = [];
  private suggestions: RelatedNote[] = [];
  private readonly cursor: EditorPosition;

  constructor(
    app: App,
    private readonly host: Host,
    private readonly editor: Editor,
    private readonly file: TFile,
  ) {
    super(app);
    this.cursor = editor.getCursor("to");
  }

  override onOpen(): void {
    this.modalEl.addClass("pai-modal");
    this.setTitle(`Suggested links for ${this.file.basename}`);
    this.contentEl.createDiv({ cls: "pai-empty", text: "Looking for notes this one could link to…" });
    void this.load();
  }

  override onClose(): void {
    this.contentEl.empty();
  }

  private async load(): Promise<void> {
    try {
      this.take(await this.host.daemon.links(this.file.path));
      this.draw();
    } catch (error) {
      this.contentEl.empty();
      drawError(this.contentEl, error);
    }
  }

  private take(links: LinkSuggestions): void {
    this.mentions = links.mentions;
    this.suggestions = links.suggestions.filter((note) => !note.linked);
  }

  private readonly readLine: ReadLine = (line) => (line < this.editor.lineCount() ? this.editor.getLine(line) : null);

  private draw(): void {
    this.contentEl.empty();
    if (this.mentions.length === 0 && this.suggestions.length === 0) {
      this.contentEl.createDiv({ cls: "pai-empty", text: "No further links to suggest." });
      return;
    }
    if (this.mentions.length > 0) this.drawMentions();
    if (this.suggestions.length > 0) this.drawSuggestions();
  }

  private drawMentions(): void {
    const head = this.contentEl.createDiv({ cls: "pai-modal-head" });
    head.createDiv({ cls: "pai-heading", text: "Mentioned but not linked" });
    const all = head.createEl("button", { cls: "pai-accept-all mod-cta", text: "Link all" });
    all.addEventListener("click", () => { this.acceptAll(); });
    for (const mention of this.mentions) {
      const row = this.contentEl.createDiv({ cls: "pai-link-row" });
      const words = row.createDiv({ cls: "pai-link-words" });
      this.drawContext(words.createDiv(), mention);
      words.createDiv({ cls: "pai-row-detail", text: `Line ${String(mention.line)} → ${mention.title}` });
      const accept = row.createEl("button", { cls: "pai-accept", text: "Link" });
      accept.addEventListener("click", () => { this.accept(mention); });
    }
  }

  private drawContext(parent: HTMLElement, mention: Mention): void {
    const line = this.readLine(mention.line - 1) ?? "";
    const from = mention.columnUtf16;
    const to = from + mention.text.length;
    const begin = Math.max(0, from - AROUND);
    parent.appendText(`${begin > 0 ? "…" : ""}${line.slice(begin, from)}`);
    parent.createEl("mark", { text: mention.text });
    parent.appendText(`${line.slice(to, to + AROUND)}${line.length > to + AROUND ? "…" : ""}`);
  }

  private drawSuggestions(): void {
    this.contentEl.createDiv({ cls: "pai-modal-head" }).createDiv({ cls: "pai-heading", text: "Close in meaning" });
    for (const note of this.suggestions) {
      const row = this.contentEl.createDiv({ cls: "pai-link-row" });
      const words = row.createDiv({ cls: "pai-link-words" });
      words.createDiv({ cls: "pai-row-place", text: note.title });
      words.createDiv({ cls: "pai-row-detail", text: note.why });
      const insert = row.createEl("button", { cls: "pai-suggest-insert", text: "Insert at cursor" });
      insert.addEventListener("click", () => {
        this.editor.setCursor(this.cursor);
        this.editor.replaceSelection(note.link);
        this.close();
      });
    }
  }

  private accept(mention: Mention): void {
    const edit = editFor(mention, this.readLine);
    if (!edit) {
      this.tellMissed(1);
      return;
    }
    this.apply([edit]);
    this.mentions = afterEdit(this.mentions, edit);
    this.draw();
  }

  private acceptAll(): void {
    const { edits, missed } = editsFor(this.mentions, this.readLine);
    this.apply(edits);
    if (missed > 0) this.tellMissed(missed);
    else new Notice(`${String(edits.length)} links added.`);
    this.close();
  }

  /** One transaction, so that one undo takes all of it back. */
  private apply(edits: LineEdit[]): void {
    this.editor.transaction({
      changes: edits.map(({ line, from, to, text }) => ({ from: { line, ch: from }, to: { line, ch: to }, text })),
    });
  }

  private tellMissed(count: number): void {
    const what = count === 1 ? "A mention no longer stands" : `${String(count)} mentions no longer stand`;
    new Notice(`${what} where it was read. Open the suggestions again.`);
  }
}
