/** The side panel "Ask your vault": a question, its answer as it is written, its sources. */

import { ItemView, type WorkspaceLeaf } from "obsidian";
import { AnswerPane } from "./answer-pane";
import type { Answer } from "./contract";
import { asDaemonError, type Host } from "./host";
import { copy, insertBelowCursor } from "./navigate";
import { toCallout, toMarkdown } from "./results";

export const ASK_VIEW = "pai-daemon-ask";

export class AskView extends ItemView {
  override navigation = false;
  private current: AbortController | null = null;
  private inputEl: HTMLTextAreaElement | null = null;
  private askEl: HTMLButtonElement | null = null;
  private stopEl: HTMLButtonElement | null = null;
  private outputEl: HTMLElement | null = null;

  constructor(
    leaf: WorkspaceLeaf,
    private readonly host: Host,
  ) {
    super(leaf);
  }

  override getViewType(): string {
    return ASK_VIEW;
  }

  override getDisplayText(): string {
    return "Ask your vault";
  }

  override getIcon(): string {
    return "message-circle-question";
  }

  override onOpen(): Promise<void> {
    this.contentEl.empty();
    this.contentEl.addClass("pai-view", "pai-ask");
    const form = this.contentEl.createDiv({ cls: "pai-form" });
    const input = form.createEl("textarea", {
      cls: "pai-input",
      placeholder: "What do my notes say about…",
      attr: { rows: 3, "aria-label": "Question" },
    });
    const row = form.createDiv({ cls: "pai-form-row" });
    row.createSpan({ cls: "pai-hint", text: "Enter asks, shift+enter starts a new line" });
    this.stopEl = row.createEl("button", { cls: "pai-stop", text: "Stop" });
    this.askEl = row.createEl("button", { cls: "pai-send mod-cta", text: "Ask" });
    this.outputEl = this.contentEl.createDiv({ cls: "pai-output" });
    this.outputEl.createDiv({ cls: "pai-empty", text: "Answers come from your notes and show the passages they rest on." });
    this.inputEl = input;
    this.stopEl.hide();
    this.registerDomEvent(this.askEl, "click", () => void this.ask());
    this.registerDomEvent(this.stopEl, "click", () => { this.stop(); });
    this.registerDomEvent(input, "keydown", (event) => {
      // While an input method composes, Enter chooses a word and must not send.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.ask();
    });
    return Promise.resolve();
  }

  override onClose(): Promise<void> {
    this.stop();
    return Promise.resolve();
  }

  focusInput(): void {
    this.inputEl?.focus();
  }

  private stop(): void {
    this.current?.abort();
  }

  private async ask(question = this.inputEl?.value.trim() ?? "", asAsked = false): Promise<void> {
    if (!question || !this.outputEl) return;
    this.stop();
    const mine = new AbortController();
    this.current = mine;
    this.setBusy(true);
    const pane = new AnswerPane(this.app, this.outputEl, question);
    // A newer question has drawn over this pane; what still arrives for the old one goes nowhere visible.
    try {
      const answer = await this.host.daemon.ask({ question, limit: this.host.settings.sources, as_asked: asAsked }, mine.signal, {
        onSources: (citations) => { pane.setSources(citations); },
        onDelta: (text) => { pane.addText(text); },
        onCited: (n) => { pane.markCited(n); },
      });
      this.drawActions(pane.finish(answer, () => void this.ask(question, true)), answer, question);
    } catch (error) {
      if (asDaemonError(error).code === "stopped") pane.stop();
      else pane.fail(error);
    }
    if (this.current === mine) {
      this.current = null;
      this.setBusy(false);
    }
  }

  private drawActions(parent: HTMLElement, answer: Answer, question: string): void {
    const copyEl = parent.createEl("button", { cls: "pai-copy", text: "Copy" });
    copyEl.addEventListener("click", () => void copy(toMarkdown(answer)));
    const insertEl = parent.createEl("button", { cls: "pai-insert", text: "Insert into note" });
    insertEl.addEventListener("click", () => { insertBelowCursor(this.app, toCallout(answer, question)); });
  }

  private setBusy(busy: boolean): void {
    this.stopEl?.toggle(busy);
    this.askEl?.toggle(!busy);
  }
}
