/** Modal, SuggestModal and Notice. */

import type { App } from "./app";
import { Scope } from "./scope";

export class Modal {
  readonly scope = new Scope();
  readonly containerEl: HTMLElement;
  readonly modalEl: HTMLElement;
  readonly titleEl: HTMLElement;
  readonly contentEl: HTMLElement;

  constructor(readonly app: App) {
    this.containerEl = createDiv({ cls: "modal-container" });
    this.modalEl = this.containerEl.createDiv({ cls: "modal" });
    this.titleEl = this.modalEl.createDiv({ cls: "modal-title" });
    this.contentEl = this.modalEl.createDiv({ cls: "modal-content" });
    this.containerEl.addEventListener("mousedown", (event) => {
      if (event.target === this.containerEl) this.close();
    });
    this.modalEl.tabIndex = -1;
  }

  /** In the app an open dialog hears the keys wherever the focus is. */
  private readonly onEscape = (event: KeyboardEvent): void => {
    if (event.key === "Escape") this.close();
  };

  setTitle(title: string): this {
    this.titleEl.setText(title);
    return this;
  }

  open(): void {
    document.body.append(this.containerEl);
    document.addEventListener("keydown", this.onEscape);
    this.modalEl.focus();
    this.onOpen();
  }

  close(): void {
    if (!this.containerEl.isConnected) return;
    this.containerEl.detach();
    document.removeEventListener("keydown", this.onEscape);
    this.onClose();
  }

  onOpen(): void {
    return undefined;
  }

  onClose(): void {
    return undefined;
  }
}

export abstract class SuggestModal<T> extends Modal {
  emptyStateText = "No results found.";
  limit = 100;
  readonly inputEl: HTMLInputElement;
  readonly resultContainerEl: HTMLElement;
  private readonly instructionsEl: HTMLElement;
  private items: T[] = [];
  private selected = 0;

  constructor(app: App) {
    super(app);
    this.modalEl.empty();
    this.modalEl.addClass("prompt");
    this.inputEl = this.modalEl.createEl("input", { cls: "prompt-input", type: "text" });
    this.resultContainerEl = this.modalEl.createDiv({ cls: "prompt-results" });
    this.instructionsEl = this.modalEl.createDiv({ cls: "prompt-instructions" });
    this.inputEl.addEventListener("input", () => void this.update());
    this.inputEl.addEventListener("keydown", (event) => { this.onKey(event); });
  }

  setPlaceholder(text: string): void {
    this.inputEl.placeholder = text;
  }

  setInstructions(instructions: { command: string; purpose: string }[]): void {
    this.instructionsEl.empty();
    for (const { command, purpose } of instructions) {
      const el = this.instructionsEl.createDiv({ cls: "prompt-instruction" });
      el.createSpan({ cls: "prompt-instruction-command", text: command });
      el.createSpan({ text: purpose });
    }
  }

  abstract getSuggestions(query: string): T[] | Promise<T[]>;
  abstract renderSuggestion(value: T, el: HTMLElement): void;
  abstract onChooseSuggestion(item: T, event: MouseEvent | KeyboardEvent): void;

  selectSuggestion(item: T, event: MouseEvent | KeyboardEvent): void {
    this.close();
    this.onChooseSuggestion(item, event);
  }

  selectActiveSuggestion(event: MouseEvent | KeyboardEvent): void {
    const item = this.items[this.selected];
    if (item !== undefined) this.selectSuggestion(item, event);
  }

  override open(): void {
    super.open();
    this.inputEl.focus();
    void this.update();
  }

  private async update(): Promise<void> {
    const text = this.inputEl.value;
    const found = await this.getSuggestions(text);
    if (text !== this.inputEl.value) return;
    this.items = found;
    this.selected = 0;
    this.draw();
  }

  private draw(): void {
    this.resultContainerEl.empty();
    this.items.slice(0, this.limit).forEach((item, index) => {
      const el = this.resultContainerEl.createDiv({ cls: "suggestion-item" });
      el.toggleClass("is-selected", index === this.selected);
      this.renderSuggestion(item, el);
      el.addEventListener("click", (event) => { this.selectSuggestion(item, event); });
    });
    if (this.items.length === 0 && this.inputEl.value) this.resultContainerEl.createDiv({ cls: "suggestion-empty", text: this.emptyStateText });
  }

  private onKey(event: KeyboardEvent): void {
    if (this.scope.hears(event)) {
      event.preventDefault();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
    if (step !== undefined) {
      this.selected = Math.max(0, Math.min(this.items.length - 1, this.selected + step));
      this.draw();
    } else if (event.key === "Enter" && isPlain) this.selectActiveSuggestion(event);
    else return;
    event.preventDefault();
  }
}

export class Notice {
  readonly messageEl: HTMLElement;

  constructor(message: string, duration = 5_000) {
    const holder = document.querySelector<HTMLElement>(".notice-container");
    this.messageEl = (holder ?? document.body).createDiv({ cls: "notice", text: message });
    if (duration > 0) window.setTimeout(() => { this.messageEl.detach(); }, duration);
  }

  hide(): void {
    this.messageEl.detach();
  }
}
