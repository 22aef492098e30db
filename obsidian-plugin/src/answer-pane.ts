/** Draws one answer: while it streams, when it is whole, and when it failed. Knows nothing of asking. */

import type { App, UserEvent } from "obsidian";
import type { Answer, Citation } from "./contract";
import { drawError } from "./host";
import { openAt } from "./navigate";
import { drawRow } from "./passage-row";
import { answeredBy, answerPieces, linesOf, marked, type Piece, placeOf, spoken, streamPieces, withAlias } from "./results";

const WORDS = 220;

export class AnswerPane {
  private streamed = "";
  private citations: Citation[] = [];
  private readonly textEl: HTMLElement;
  private readonly noteEl: HTMLElement;
  private readonly actionsEl: HTMLElement;
  private readonly sourcesEl: HTMLElement;

  constructor(
    private readonly app: App,
    parent: HTMLElement,
    question: string,
  ) {
    parent.empty();
    parent.createDiv({ cls: "pai-question", text: question });
    this.textEl = parent.createDiv({ cls: "pai-answer is-waiting", attr: { "aria-live": "polite" } });
    this.textEl.setText("Reading your notes…");
    this.noteEl = parent.createDiv({ cls: "pai-answer-note" });
    this.actionsEl = parent.createDiv({ cls: "pai-actions" });
    this.sourcesEl = parent.createDiv({ cls: "pai-sources" });
  }

  setSources(citations: Citation[]): void {
    this.citations = citations;
    this.drawSources();
  }

  addText(text: string): void {
    this.streamed += text;
    this.textEl.removeClass("is-waiting");
    this.textEl.addClass("is-streaming");
    this.drawPieces(streamPieces(this.streamed));
  }

  markCited(n: number): void {
    this.sourcesEl.querySelector(`[data-n="${String(n)}"]`)?.addClass("is-cited");
  }

  /** Draws the whole answer; `askAsItStands` asks the question again without what was read of it as a filter. */
  finish(answer: Answer, askAsItStands: () => void): HTMLElement {
    this.settle();
    this.citations = answer.citations;
    this.textEl.toggleClass("is-not-found", !answer.found);
    this.drawPieces(answerPieces(answer));
    this.drawSources();
    for (const n of new Set(answer.sentences.flatMap((sentence) => sentence.citations))) this.markCited(n);
    this.noteEl.empty();
    const by = this.noteEl.createSpan({
      cls: "pai-answered-by",
      text: `${answeredBy(answer.generator)} · ${spoken(answer.tookMs / 1000)}`,
      attr: { "aria-label": `Stages: ${answer.stages.join(", ") || "none"}` },
    });
    by.toggleClass("is-remote", answer.generator.location === "remote");
    if (answer.narrowed.length > 0) {
      const read = this.noteEl.createDiv({ cls: "pai-narrowed", text: `Read as: ${answer.narrowed.join(", ")} ` });
      read.createEl("button", { text: "Ask as it stands" }).addEventListener("click", askAsItStands);
    }
    for (const warning of answer.warnings) this.noteEl.createDiv({ cls: "pai-warning", text: warning });
    return this.actionsEl;
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
    this.noteEl.setText("Stopped before the end; what stands here was not checked.");
  }

  private settle(): void {
    this.textEl.removeClasses(["is-waiting", "is-streaming"]);
  }

  private drawPieces(pieces: Piece[]): void {
    this.textEl.empty();
    for (const piece of pieces) {
      if (piece.kind === "cite") this.drawMarker(piece.n);
      else if (piece.kind === "break") this.textEl.appendText(piece.text);
      else this.drawSentence(piece.text, piece.supported);
    }
  }

  private drawSentence(text: string, supported: boolean): void {
    const el = this.textEl.createSpan({ cls: "pai-sentence", text });
    if (supported) return;
    el.addClass("is-unsupported");
    this.textEl.createSpan({
      cls: "pai-badge is-unsupported",
      text: "Not in the notes",
      attr: { "aria-label": "No passage of your notes supports this sentence" },
    });
  }

  private drawMarker(n: number): void {
    const citation = this.citations.find((one) => one.n === n);
    const button = this.textEl.createEl("button", {
      cls: "pai-cite",
      text: String(n),
      attr: { "aria-label": citation ? `${placeOf(citation)} (${linesOf(citation)})` : "Unknown source" },
    });
    button.disabled = !citation;
    if (citation) button.addEventListener("click", (event) => { this.open(citation, event); });
  }

  private drawSources(): void {
    this.sourcesEl.empty();
    if (this.citations.length === 0) return;
    this.sourcesEl.createDiv({ cls: "pai-heading", text: "Sources" });
    for (const citation of this.citations) {
      const row = drawRow(this.sourcesEl, {
        number: citation.n,
        place: placeOf(citation),
        detail: `${citation.path} · ${linesOf(citation)}`,
        words: marked(citation, WORDS),
        link: withAlias(citation.link, ""),
        open: (event) => { this.open(citation, event); },
        ...(citation.stale ? { badge: { text: "Changed since", why: "The note has changed since this was read from it" } } : {}),
      });
      row.dataset.n = String(citation.n);
    }
  }

  private open(citation: Citation, event: UserEvent): void {
    void openAt(this.app, citation, event);
  }
}
