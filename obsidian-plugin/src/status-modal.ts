/** "Show status": what the daemon serves, how far it is, what one click can mend, and which notes it could not read. */

import { type App, Modal, Notice } from "obsidian";
import type { NoteProblem, Status } from "./contract";
import { asDaemonError, drawError, type Host } from "./host";
import { openAt } from "./navigate";
import { type Remedy, troubles } from "./remedies";
import { percent } from "./status-bar";
import type { Pulse } from "./status-feed";
import { say } from "./words";

function count(number: number): string {
  return number.toLocaleString();
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toLocaleString(undefined, { maximumFractionDigits: 0 })} MB`;
}

export class StatusModal extends Modal {
  private unsubscribe: () => void = () => undefined;

  constructor(
    app: App,
    private readonly host: Host,
  ) {
    super(app);
  }

  override onOpen(): void {
    this.modalEl.addClass("pai-modal");
    this.setTitle(say.daemon);
    this.unsubscribe = this.host.feed.subscribe((pulse) => { this.draw(pulse); });
    void this.host.feed.refresh();
  }

  override onClose(): void {
    this.unsubscribe();
    this.contentEl.empty();
  }

  private draw(pulse: Pulse): void {
    this.contentEl.empty();
    if (!pulse.status) drawError(this.contentEl, pulse.error);
    this.drawTroubles(pulse);
    if (!pulse.status) return;
    const { status } = pulse;
    const table = this.contentEl.createEl("dl", { cls: "pai-facts" });
    for (const [name, value] of this.facts(status)) {
      table.createEl("dt", { text: name });
      table.createEl("dd", { text: value });
    }
    if (status.problems.length > 0) this.drawProblems(status.problems);
    const row = this.contentEl.createDiv({ cls: "pai-actions" });
    const again = row.createEl("button", { cls: "pai-reindex", text: say.reindex });
    again.addEventListener("click", () => void reindex(this.host));
    if (status.state !== "indexing") return;
    const hold = row.createEl("button", { cls: "pai-pause", text: say.pause });
    hold.addEventListener("click", () => void pause(this.host, true));
  }

  private drawTroubles(pulse: Pulse): void {
    for (const { message, remedies } of troubles(pulse, this.host.chosen())) {
      const box = this.contentEl.createDiv({ cls: "pai-trouble" });
      // What went wrong with the connection is said above, with its next step.
      if (pulse.status) box.createDiv({ cls: "pai-warning", text: message });
      const row = box.createDiv({ cls: "pai-actions" });
      for (const remedy of remedies) this.drawRemedy(row, remedy);
    }
  }

  private drawRemedy(row: HTMLElement, remedy: Remedy): void {
    if (remedy.kind === "copy") row.createEl("code", { cls: "pai-command", text: remedy.command });
    const words = {
      look: say.lookAgain, believe: say.believe, resume: say.resume, start: say.startNow, forgetToken: say.forgetToken, forgetAddress: say.forgetAddress, copy: say.copyCommand,
    };
    const button = row.createEl("button", { cls: `pai-remedy is-${remedy.kind}`, text: words[remedy.kind] });
    button.addEventListener("click", () => void this.host.cure(remedy));
  }

  private facts(status: Status): [string, string][] {
    const { model, watcher, generator } = status;
    const watching = say.watching[watcher.mode] ?? watcher.mode;
    const state = say.stateWords[status.state];
    const author = `${generator.name}, ${say.places[generator.location]}`;
    return [
      [say.state, status.progress && status.progress.total > 0 ? `${state} (${percent(status.progress)})` : state],
      [say.vault, status.vaultPath],
      [say.notes, say.noteCounts(count(status.notes), count(status.chunks), count(status.pendingChunks))],
      [say.changes, watcher.reason ? `${watching} (${watcher.reason})` : watching],
      [say.model, modelOf(model)],
      [say.answers, generator.why ? `${author} (${generator.why})` : author],
      [say.room, say.roomOf(megabytes(status.rssBytes), megabytes(status.indexBytes))],
      [say.version, say.versionOf(this.host.chosen().version, status.version, status.revision)],
    ];
  }

  private drawProblems(problems: NoteProblem[]): void {
    this.contentEl.createDiv({ cls: "pai-heading", text: say.badNotes });
    for (const problem of problems) {
      const row = this.contentEl.createDiv({ cls: "pai-row", attr: { role: "link", tabindex: "0" } });
      row.createDiv({ cls: "pai-row-place", text: problem.path });
      const where = problem.line === null ? "" : `${say.line(problem.line)}: `;
      row.createDiv({ cls: "pai-row-detail", text: `${where}${problem.reason}` });
      row.addEventListener("click", (event) => {
        this.close();
        void openAt(this.app, { path: problem.path, startLine: problem.line ?? 1, page: null }, event);
      });
    }
  }
}

function modelOf(model: Status["model"]): string {
  if (!model) return say.modelNone;
  const running = `${model.name} (${model.executionProvider ?? say.modelLoading})`;
  return model.next ? `${running}, ${say.modelNext(model.next.name, count(model.next.done), count(model.next.total))}` : running;
}

/** Holds the embedding of what waits, or goes on with it. */
export async function pause(host: Host, isPaused: boolean): Promise<void> {
  try {
    await host.daemon.pause(isPaused);
    await host.feed.refresh();
  } catch (error) {
    new Notice(asDaemonError(error).advice, 10_000);
  }
}

/** Asks the daemon to look at every note again, or at some; what has not changed is not embedded again. */
export async function reindex(host: Host, asked: { paths?: string[]; believe?: boolean } = {}): Promise<void> {
  try {
    await host.daemon.reindex(asked);
    new Notice(asked.paths ? say.lookingAtNote : say.looking);
    void host.feed.refresh();
  } catch (error) {
    new Notice(asDaemonError(error).advice, 10_000);
  }
}
