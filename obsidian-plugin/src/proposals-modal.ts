/** "Review proposed changes": what each would do to its note; approved, rejected, or taken back by the person alone. */

import { type App, Modal } from "obsidian";
import { drawError, type Host } from "./host";
import { openAt } from "./navigate";
import type { Decision, Proposal } from "./routines";
import { say } from "./words";

export class ProposalsModal extends Modal {
  constructor(app: App, private readonly host: Host) {
    super(app);
  }

  override onOpen(): void {
    this.modalEl.addClass("pai-modal");
    this.setTitle(say.proposals);
    void this.load();
  }

  override onClose(): void {
    this.contentEl.empty();
  }

  private async load(): Promise<void> {
    try {
      const waiting = await this.host.daemon.proposals();
      this.contentEl.empty();
      if (waiting.length === 0) this.contentEl.createDiv({ cls: "pai-empty", text: say.proposalsNone });
      for (const proposal of waiting) this.draw(this.contentEl.createDiv({ cls: "pai-proposal" }), proposal);
    } catch (error) {
      this.contentEl.empty();
      drawError(this.contentEl, error);
    }
  }

  private draw(el: HTMLElement, proposal: Proposal): void {
    el.empty();
    const { path, by, why, diff, state } = proposal;
    const place = el.createDiv({ cls: "pai-row-place", text: path });
    place.addEventListener("click", (event) => {
      this.close();
      void openAt(this.app, { path, startLine: 1, page: null }, event);
    });
    el.createDiv({ cls: "pai-row-detail", text: why ? say.proposedFor(by, why) : say.proposedBy(by) });
    if (state === "proposed") drawDiff(el.createEl("pre", { cls: "pai-diff" }), diff);
    const row = el.createDiv({ cls: "pai-actions" });
    if (state === "proposed") {
      this.addButton(row, el, proposal, "approve");
      this.addButton(row, el, proposal, "reject");
      return;
    }
    row.createSpan({ cls: "pai-proposal-state", text: say.proposalStates[state] ?? state });
    if (state === "applied") this.addButton(row, el, proposal, "undo");
  }

  private addButton(row: HTMLElement, el: HTMLElement, proposal: Proposal, decision: Decision): void {
    const button = row.createEl("button", { cls: `pai-${decision}`, text: say.decisions[decision] });
    button.addEventListener("click", () => void this.decide(row, el, proposal, decision));
  }

  private async decide(row: HTMLElement, el: HTMLElement, proposal: Proposal, decision: Decision): Promise<void> {
    for (const button of row.querySelectorAll("button")) button.disabled = true;
    try {
      const { state } = await this.host.daemon.decide(proposal.id, decision);
      // Who proposed it and why stay in sight; the daemon's record now says who decided.
      this.draw(el, { ...proposal, state });
    } catch (error) {
      this.draw(el, proposal);
      drawError(el, error);
    }
  }
}

function drawDiff(parent: HTMLElement, diff: string): void {
  for (const [index, line] of diff.split("\n").entries()) {
    const el = parent.createDiv({ text: line || " " });
    // The first two lines name the note.
    if (index < 2 && /^(?:---|\+\+\+) /.test(line)) el.addClass("pai-row-detail");
    else if (line.startsWith("+")) el.addClass("is-added");
    else if (line.startsWith("-")) el.addClass("is-removed");
  }
}
