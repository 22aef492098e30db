/** The side panel "Ask your vault": a conversation, each answer as it is written, with its sources. */

import { ItemView, type WorkspaceLeaf } from "obsidian";
import { AnswerPane } from "./answer-pane";
import type { Answer, Estimate, Step } from "./contract";
import type { Exchange, Turn } from "./conversation";
import type { AnswerEvents } from "./daemon";
import { asDaemonError, type Host } from "./host";
import { copy, insertBelowCursor } from "./navigate";
import { remember } from "./remember";
import { answeredBy, spoken, supportedText, toCallout, toMarkdown } from "./results";
import { saveNote } from "./save-note";
import { isWeighty, type Task, titleOf } from "./task";
import { say } from "./words";

export const ASK_VIEW = "pai-daemon-ask";

export class AskView extends ItemView {
  override navigation = false;
  private current: AbortController | null = null;
  private newest: AnswerPane | null = null;
  private outputEl!: HTMLElement;
  private inputEl!: HTMLTextAreaElement;
  private askEl!: HTMLButtonElement;
  private stopEl!: HTMLButtonElement;
  private headEl!: HTMLElement;

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
    return say.ask;
  }

  override getIcon(): string {
    return "message-circle-question";
  }

  override onOpen(): Promise<void> {
    this.contentEl.empty();
    this.contentEl.addClass("pai-view", "pai-ask");
    this.headEl = this.contentEl.createDiv({ cls: "pai-actions pai-ask-head" });
    this.addButton(this.headEl, "pai-new", say.newConversation, () => { this.startAnew(); });
    this.addButton(this.headEl, "pai-save", say.saveConversation, () => void this.save());
    this.outputEl = this.contentEl.createDiv({ cls: "pai-output" });
    this.drawForm(this.contentEl.createDiv({ cls: "pai-form" }));
    this.drawConversation();
    return Promise.resolve();
  }

  override onClose(): Promise<void> {
    this.stop();
    return Promise.resolve();
  }

  focusInput(): void {
    this.inputEl.focus();
  }

  private drawForm(form: HTMLElement): void {
    const attr = { rows: 3, "aria-label": say.question };
    this.inputEl = form.createEl("textarea", { cls: "pai-input", placeholder: say.questionHint, attr });
    const row = form.createDiv({ cls: "pai-form-row" });
    row.createSpan({ cls: "pai-hint", text: say.enterAsks });
    this.stopEl = this.addButton(row, "pai-stop", say.stop, () => { this.stop(); });
    this.askEl = this.addButton(row, "pai-send mod-cta", say.askNow, () => { this.send(); });
    this.stopEl.hide();
    this.registerDomEvent(this.inputEl, "keydown", (event) => {
      // While an input method composes, Enter chooses a word and must not send.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.send();
    });
  }

  private addButton(parent: HTMLElement, cls: string, text: string, act: () => void): HTMLButtonElement {
    const button = parent.createEl("button", { cls, text });
    this.registerDomEvent(button, "click", act);
    return button;
  }

  /** Draws what was said before the panel was closed. */
  private drawConversation(): void {
    this.outputEl.empty();
    this.newest = null;
    const { exchanges } = this.host.conversation;
    if (exchanges.length === 0) this.outputEl.createDiv({ cls: "pai-empty", text: say.askEmpty });
    for (const exchange of exchanges) this.conclude(this.addPane(exchange.question), exchange);
    this.headEl.toggle(exchanges.length > 0);
  }

  private startAnew(): void {
    this.stop();
    this.host.conversation.clear();
    this.drawConversation();
    this.focusInput();
  }

  private async save(): Promise<void> {
    const first = this.host.conversation.exchanges[0];
    if (first) await saveNote(this.app, first.question, this.host.conversation.toNote());
  }

  private stop(): void {
    this.current?.abort();
  }

  private send(): void {
    const question = this.inputEl.value.trim();
    if (!question) return;
    this.inputEl.value = "";
    void this.perform({ kind: "ask", question });
  }

  private addPane(question: string): AnswerPane {
    if (this.newest) {
      this.newest.fold();
      // What is above is no longer the end of the conversation, so it cannot be asked again.
      this.newest.actionsEl.querySelector(".pai-retry")?.detach();
    } else {
      this.outputEl.empty();
    }
    this.newest = new AnswerPane(this.app, this.outputEl, question);
    return this.newest;
  }

  /** Does what is asked and draws it as it comes; what was under way is stopped. */
  async perform(task: Task): Promise<void> {
    this.stop();
    const mine = new AbortController();
    this.current = mine;
    this.setBusy(true);
    const question = titleOf(task);
    const history = this.host.conversation.history();
    const pane = this.addPane(question);
    this.outputEl.scrollTop = this.outputEl.scrollHeight;
    try {
      const exchange = { question, task, answer: await this.carryOut(task, history, mine.signal, pane) };
      // The conversation may have been begun anew while the last words were on their way.
      if (!mine.signal.aborted) this.host.conversation.add(exchange);
      this.conclude(pane, exchange);
    } catch (error) {
      if (asDaemonError(error).code === "stopped") pane.stop();
      else pane.fail(error);
      this.addRetry(pane, task, null);
    }
    if (this.current !== mine) return;
    this.current = null;
    this.setBusy(false);
  }

  private async carryOut(task: Task, history: Turn[], signal: AbortSignal, pane: AnswerPane): Promise<Answer> {
    const { daemon, settings, conversation } = this.host;
    const events = eventsOf(pane);
    if (task.kind === "summarize") {
      const estimate = await daemon.estimate(task.of, signal);
      if (isWeighty(estimate)) await pane.agree(estimated(estimate), signal);
      return daemon.summarize(task.of, signal, events);
    }
    if (task.kind === "compare") return daemon.compare(task.of, signal, events);
    const asked = { question: task.question, limit: settings.sources, history, conversation: conversation.id };
    return daemon.ask({ ...asked, asAsked: task.asAsked === true }, signal, events);
  }

  private conclude(pane: AnswerPane, exchange: Exchange): void {
    const { question, answer, task } = exchange;
    pane.finish(answer, () => { this.repeat(pane, exchange, { kind: "ask", question, asAsked: true }); });
    this.drawActions(pane, answer, question);
    this.addRetry(pane, task.kind === "ask" ? { kind: "ask", question } : task, exchange);
  }

  private drawActions(pane: AnswerPane, answer: Answer, question: string): void {
    const copyEl = pane.actionsEl.createEl("button", { cls: "pai-copy", text: say.copy });
    copyEl.addEventListener("click", () => void copy(toMarkdown(answer)));
    const insertEl = pane.actionsEl.createEl("button", { cls: "pai-insert", text: say.insert });
    insertEl.addEventListener("click", () => { insertBelowCursor(this.app, toCallout(answer, question)); });
    // What no note supports is nothing to know for good (D97).
    const words = answer.found ? supportedText(answer) : "";
    if (!words) return;
    const keepEl = pane.actionsEl.createEl("button", { cls: "pai-remember", text: say.remember });
    keepEl.addEventListener("click", () => void remember(this.host, words, answer.citations.map(({ path }) => path)));
  }

  private addRetry(pane: AnswerPane, task: Task, exchange: Exchange | null): void {
    if (pane !== this.newest) return;
    const button = pane.actionsEl.createEl("button", { cls: "pai-retry", text: say.retry });
    button.addEventListener("click", () => { this.repeat(pane, exchange, task); });
  }

  /** Asks once more in the place of an answer; a later one stays what it is. */
  private repeat(pane: AnswerPane, exchange: Exchange | null, task: Task): void {
    if (pane === this.newest) {
      if (exchange) this.host.conversation.drop(exchange);
      pane.remove();
    }
    void this.perform(task);
  }

  private setBusy(busy: boolean): void {
    this.stopEl.toggle(busy);
    this.askEl.toggle(!busy);
    this.headEl.show();
  }
}

function eventsOf(pane: AnswerPane): AnswerEvents {
  return {
    onEstimate: (estimate) => { pane.wait({ text: estimated(estimate), preview: "" }); },
    onStep: (step) => { pane.wait({ text: progress(step), preview: "" }); },
    onWaiting: (waiting) => { pane.wait(waiting); },
    onSources: (citations) => { pane.setSources(citations); },
    onDelta: (text) => { pane.addText(text); },
    onCited: (n) => { pane.markCited(n); },
  };
}

function estimated({ notes, seconds, keptBack, generator }: Estimate): string {
  const cost = say.estimated(notes, seconds === null ? null : spoken(seconds), answeredBy(generator));
  return keptBack > 0 ? `${cost} ${say.keptBack(keptBack)}` : cost;
}

function progress({ done, total, note, leftS }: Step): string {
  return say.progressOf(done, total, note, leftS === null ? null : spoken(leftS));
}
