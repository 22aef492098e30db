/** The links of a note that lead nowhere, with the notes they may have meant: a list in the links view. */

import { type Editor, Notice } from "obsidian";
import type { WrittenLink } from "./contract";
import { asDaemonError, type Host } from "./host";
import { applyEdits, openAt, readLineOf } from "./navigate";
import { type BrokenLink, type Candidate, candidatesFor, isRepairable, repairEdit } from "./repairs";
import { say } from "./words";

// Each is one search of the daemon.
const SHOWN = 12;
const FOUND = 8;

export class BrokenLinks {
  private links: BrokenLink[];

  constructor(
    private readonly host: Host,
    private readonly path: string,
    written: readonly WrittenLink[],
    private readonly editor: () => Editor | null,
  ) {
    this.links = written.filter((link) => link.path === null && isRepairable(link)).slice(0, SHOWN);
  }

  get any(): boolean {
    return this.links.length > 0;
  }

  draw(parent: HTMLElement): void {
    if (!this.any) return;
    const section = parent.createDiv({ cls: "pai-broken-links" });
    section.createDiv({ cls: "pai-modal-head" }).createDiv({ cls: "pai-heading", text: say.broken });
    const rows = this.links.map((link) => ({ link, row: this.drawRow(section, link) }));
    void this.drawCandidates(rows);
  }

  private drawRow(parent: HTMLElement, link: BrokenLink): HTMLElement {
    const row = parent.createDiv({ cls: "pai-link-row pai-broken" });
    const words = row.createDiv({ cls: "pai-link-words" });
    words.createDiv({ cls: "pai-row-place", text: link.kind === "markdown" ? `(${link.target})` : `[[${link.target}]]` });
    words.createDiv({ cls: "pai-row-detail", text: say.line(link.line) });
    words.addEventListener("click", (event) => {
      const path = this.host.app.workspace.getActiveFile()?.path;
      if (path !== undefined) void openAt(this.host.app, { path, startLine: link.line, page: null }, event);
    });
    return row;
  }

  /** One after the other, so that a note full of broken links keeps nobody waiting. */
  private async drawCandidates(rows: { link: BrokenLink; row: HTMLElement }[]): Promise<void> {
    for (const { link, row } of rows) {
      if (!row.isConnected) return;
      try {
        const words = link.target.replace(/\.md$/, "").replace(/[/"]/g, " ").replace(/(^|\s)-+/g, "$1").trim();
        if (!words) continue;
        const { results } = await this.host.daemon.search(words, { mode: "hybrid", limit: FOUND });
        for (const note of candidatesFor(link.target, results)) this.drawRepair(row, link, note);
      } catch (error) {
        if (asDaemonError(error).code === "not-running") return;
      }
    }
  }

  private drawRepair(row: HTMLElement, link: BrokenLink, note: Candidate): void {
    const button = row.createEl("button", { cls: "pai-repair", text: say.repair(note.title) });
    button.addEventListener("click", () => {
      const editor = this.editor();
      if (!editor) return;
      const edit = repairEdit(link, note, readLineOf(editor)(link.line - 1), this.path);
      if (!edit) {
        new Notice(say.brokenMissed);
        return;
      }
      applyEdits(editor, [edit]);
      this.links = this.links.filter((one) => one !== link);
      (this.any ? row : row.parentElement)?.remove();
    });
  }
}
