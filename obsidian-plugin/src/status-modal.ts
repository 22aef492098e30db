/** "Show status": what the daemon serves, how far it is, and which notes it could not read. */

import { type App, Modal, Notice } from "obsidian";
import type { NoteProblem, Status } from "./contract";
import { asDaemonError, drawError, type Host } from "./host";
import { openAt } from "./navigate";
import { barText } from "./status-bar";
import type { Pulse } from "./status-feed";

const STATES: Record<Status["state"], string> = {
  starting: "Starting", indexing: "Reading your notes", ready: "Ready", held: "Waiting for you", error: "Stopped by an error",
};
const PLACES = { embedded: "inside the daemon", local: "on this machine", remote: "on another machine" };

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
    this.setTitle("Your vault's daemon");
    this.unsubscribe = this.host.feed.subscribe((pulse) => { this.draw(pulse); });
    void this.host.feed.refresh();
  }

  override onClose(): void {
    this.unsubscribe();
    this.contentEl.empty();
  }

  private draw(pulse: Pulse): void {
    this.contentEl.empty();
    if (!pulse.status) {
      drawError(this.contentEl, pulse.error);
      return;
    }
    const { status } = pulse;
    if (status.message) this.contentEl.createDiv({ cls: "pai-warning", text: status.message });
    const table = this.contentEl.createEl("dl", { cls: "pai-facts" });
    for (const [name, value] of this.facts(pulse, status)) {
      table.createEl("dt", { text: name });
      table.createEl("dd", { text: value });
    }
    if (status.problems.length > 0) this.drawProblems(status.problems);
    const row = this.contentEl.createDiv({ cls: "pai-actions" });
    const again = row.createEl("button", { cls: "pai-reindex", text: "Re-index this vault" });
    again.addEventListener("click", () => void reindex(this.host));
  }

  private facts(pulse: Pulse, status: Status): [string, string][] {
    const { model, watcher, generator } = status;
    const watching = { native: "as you save", polling: "every few seconds", off: "not watched" }[watcher.mode] ?? watcher.mode;
    return [
      ["State", status.progress ? `${STATES[status.state]} (${barText(pulse).replace("pai: ", "")})` : STATES[status.state]],
      ["Vault", status.vaultPath],
      ["Notes", `${count(status.notes)} notes, ${count(status.chunks)} passages, ${count(status.pendingChunks)} waiting`],
      ["Changes", watcher.reason ? `${watching} (${watcher.reason})` : watching],
      ["Model", model ? `${model.name} (${model.executionProvider ?? "loading"})` : "not loaded"],
      ["Answers", `${generator.name}, ${PLACES[generator.location]}`],
      ["Memory and disk", `${megabytes(status.rssBytes)} in memory, ${megabytes(status.indexBytes)} of index`],
      ["Version", `${status.version}, revision ${String(status.revision)}`],
    ];
  }

  private drawProblems(problems: NoteProblem[]): void {
    this.contentEl.createDiv({ cls: "pai-heading", text: "Notes that could not be read in full" });
    for (const problem of problems) {
      const row = this.contentEl.createDiv({ cls: "pai-row", attr: { role: "link", tabindex: "0" } });
      row.createDiv({ cls: "pai-row-place", text: problem.path });
      const where = problem.line === null ? "" : `Line ${String(problem.line)}: `;
      row.createDiv({ cls: "pai-row-detail", text: `${where}${problem.reason}` });
      row.addEventListener("click", (event) => {
        this.close();
        void openAt(this.app, { path: problem.path, startLine: problem.line ?? 1, page: null }, event);
      });
    }
  }
}

/** Asks the daemon to look at every note again; what has not changed is not embedded again. */
export async function reindex(host: Host): Promise<void> {
  try {
    await host.daemon.reindex(false);
    new Notice("The daemon is looking at your notes again.");
    void host.feed.refresh();
  } catch (error) {
    new Notice(asDaemonError(error).advice, 10_000);
  }
}
