/** Draws one answer: while it is waited for, while it streams, when it is whole, and when it failed. Knows nothing of asking. */

import type { App, UserEvent } from "obsidian";
import type { Answer, Citation, Waiting } from "./contract";
import { untilAborted } from "./daemon";
import { drawError } from "./host";
import { openAt } from "./navigate";
import { drawRow } from "./passage-row";
import { answeredBy, answerPieces, linesOf, marked, type Piece, placeOf, spoken, streamPieces, withAlias } from "./results";
import { say } from "./words";

const WORDS = 220;

export class AnswerPane {
  private streamed = "";
  private citations: Citation[] = [];
  private readonly el: HTMLElement;
  private readonly textEl: HTMLElement;
  private readonly previewEl: HTMLElement;
  private readonly noteEl: HTMLElement;
  /** For what can be done with the answer; whoever asks fills it. */
  readonly actionsEl: HTMLElement;
  private readonly sourcesEl: HTMLDetailsElement;

  constructor(
    private readonly app: App,
    parent: HTMLElement,
    question: string,
  ) {
    this.el = parent.createDiv({ cls: "pai-turn" });
    this.el.createDiv({ cls: "pai-question", text: question });
    this.textEl = this.el.createDiv({ cls: "pai-answer is-waiting", text: say.reading, attr: { "aria-live": "polite" } });
    this.previewEl = this.el.createDiv({ cls: "pai-preview" });
    this.noteEl = this.el.createDiv({ cls: "pai-answer-note" });
    this.actionsEl = this.el.createDiv({ cls: "pai-actions" });
    this.sourcesEl = this.el.createEl("details", { cls: "pai-sources" });
    this.sourcesEl.open = true;
  }

  /** Makes room for the answers that follow: its sources stay one click away. */
  fold(): void {
    this.sourcesEl.open = false;
  }

  remove(): void {
    this.el.detach();
  }

  wait({ text, preview }: Waiting): void {
    if (this.streamed) return;
    this.textEl.setText(text);
    this.previewEl.empty();
    if (!preview) return;
    this.previewEl.createDiv({ cls: "pai-heading", text: say.meanwhile });
    this.drawPieces(this.previewEl.createDiv({ cls: "pai-preview-text" }), streamPieces(preview));
  }

  /** Says what is about to be done, and resolves once the person starts it. */
  async agree(text: string, signal: AbortSignal): Promise<void> {
    this.textEl.setText(text);
    const button = this.actionsEl.createEl("button", { cls: "pai-begin mod-cta", text: say.begin });
    try {
      await untilAborted(new Promise<void>((resolve) => { button.addEventListener("click", () => { resolve(); }); }), signal);
    } finally {
      button.detach();
    }
  }

  setSources(citations: Citation[]): void {
    this.citations = citations;
    this.drawSources();
  }

  addText(text: string): void {
    this.streamed += text;
    this.previewEl.empty();
    this.textEl.removeClass("is-waiting");
    this.textEl.addClass("is-streaming");
    this.drawPieces(this.textEl, streamPieces(this.streamed));
  }

  markCited(n: number): void {
    this.sourcesEl.querySelector(`[data-n="${String(n)}"]`)?.addClass("is-cited");
  }

  /** onAsAsked: what asks again in all notes, where the question was read as a filter. */
  finish(answer: Answer, onAsAsked: () => void): void {
    this.settle();
    this.citations = answer.found ? answer.citations : answer.nearest;
    this.textEl.toggleClass("is-not-found", !answer.found);
    this.drawPieces(this.textEl, answerPieces(answer));
    this.drawSources(answer.found ? say.sources(this.citations.length) : say.nearest);
    for (const n of new Set(answer.sentences.flatMap((sentence) => sentence.citations))) this.markCited(n);
    this.noteEl.empty();
    if (answer.narrowed.length > 0) this.drawNarrowed(answer.narrowed, onAsAsked);
    if (answer.asked && answer.asked !== answer.question && answer.narrowed.length === 0) {
      this.noteEl.createDiv({ cls: "pai-asked", text: say.asked(answer.asked) });
    }
    this.drawAuthor(answer);
    for (const warning of answer.warnings) this.noteEl.createDiv({ cls: "pai-warning", text: warning });
  }

  fail(error: unknown): void {
    this.settle();
    if (!this.streamed) this.textEl.empty();
    this.noteEl.empty();
    drawError(this.noteEl, error);
  }

  stop(): void {
    this.settle();
    if (!this.streamed) this.textEl.empty();
    this.noteEl.setText(say.stopped);
  }

  private settle(): void {
    this.previewEl.empty();
    this.textEl.removeClasses(["is-waiting", "is-streaming"]);
  }

  private drawNarrowed(narrowed: string[], onAsAsked: () => void): void {
    const row = this.noteEl.createDiv({ cls: "pai-narrowed", text: say.narrowed(narrowed.join(", ")) });
    const button = row.createEl("button", { cls: "pai-as-asked", text: say.asAsked });
    button.addEventListener("click", onAsAsked);
  }

  private drawAuthor({ generator, tookMs, stages }: Answer): void {
    const by = this.noteEl.createSpan({
      cls: "pai-answered-by",
      text: `${answeredBy(generator)} · ${spoken(tookMs / 1000)}`,
      attr: { "aria-label": say.stages(stages.join(", ") || "–") },
    });
    by.toggleClass("is-remote", generator.location === "remote");
    if (generator.why) this.noteEl.createDiv({ cls: "pai-why", text: generator.why });
  }

  private drawPieces(parent: HTMLElement, pieces: Piece[]): void {
    parent.empty();
    for (const piece of pieces) {
      if (piece.kind === "cite") this.drawMarker(parent, piece.n);
      else if (piece.kind === "break") parent.appendText(piece.text);
      else drawSentence(parent, piece.text, piece.supported);
    }
  }

  private drawMarker(parent: HTMLElement, n: number): void {
    const citation = this.citations.find((one) => one.n === n);
    const button = parent.createEl("button", {
      cls: "pai-cite",
      text: String(n),
      attr: { "aria-label": `${String(n)}: ${citation ? `${placeOf(citation)} (${linesOf(citation)})` : say.unknownSource}` },
    });
    button.disabled = !citation;
    if (citation) button.addEventListener("click", (event) => { this.open(citation, event); });
  }

  private drawSources(heading = say.sources(this.citations.length)): void {
    this.sourcesEl.empty();
    if (this.citations.length === 0) return;
    this.sourcesEl.createEl("summary", { cls: "pai-heading", text: heading });
    for (const citation of this.citations) {
      const row = drawRow(this.sourcesEl, {
        number: citation.n,
        place: placeOf(citation),
        detail: `${citation.path} · ${linesOf(citation)}`,
        words: marked(citation, WORDS),
        link: withAlias(citation.link, ""),
        open: (event) => { this.open(citation, event); },
        ...(citation.stale ? { badge: { text: say.changedSince, why: say.changedSinceWhy } } : {}),
      });
      row.dataset.n = String(citation.n);
    }
  }

  private open(citation: Citation, event: UserEvent): void {
    void openAt(this.app, citation, event);
  }
}

function drawSentence(parent: HTMLElement, text: string, supported: boolean): void {
  // What is inserted or copied keeps its links; read here, they are their words.
  const el = parent.createSpan({ cls: "pai-sentence", text: text.replace(/\[\[(?:[^[\]|]*\|)?([^[\]|]+)\]\]/g, "$1") });
  if (supported) return;
  el.addClass("is-unsupported");
  parent.createSpan({ cls: "pai-badge is-unsupported", text: say.unsupported, attr: { "aria-label": say.unsupportedWhy } });
}
