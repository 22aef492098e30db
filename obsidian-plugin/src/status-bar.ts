/** The daemon's state in the status bar: quiet when all is well, a percentage while it reads, a word when it is down. */

import type { Status } from "./contract";
import { fits } from "./remedies";
import { spoken } from "./results";
import type { Pulse } from "./status-feed";
import { say } from "./words";

export function barText(pulse: Pulse | null, version: string): string {
  return `pai: ${words(pulse, version)}`;
}

function words(pulse: Pulse | null, version: string): string {
  const { bar } = say;
  if (!pulse) return bar.connecting;
  if (!pulse.status) {
    const known: Record<string, string> = {
      "not-running": bar.notRunning, "no-token": bar.noToken, unauthorized: bar.refused, contract: bar.mismatch,
    };
    return known[pulse.error.code] ?? bar.unavailable;
  }
  const { state, code, progress, pendingChunks } = pulse.status;
  if (state === "error") return bar.errors[code ?? ""] ?? bar.error;
  if (state === "held") return bar.held;
  if (!fits(version, pulse.status.version)) return bar.mismatch;
  if (state === "paused") return bar.paused;
  if (progress && progress.total > 0) return percent(progress);
  if (state === "ready") return pendingChunks > 0 ? bar.updating : bar.ready;
  return state === "starting" ? bar.starting : bar.indexing;
}

export function percent(progress: NonNullable<Status["progress"]>): string {
  const share = `${String(Math.floor((100 * progress.done) / progress.total))} %`;
  return progress.etaS === null ? share : `${share} · ${say.left(spoken(progress.etaS))}`;
}

export class StatusBar {
  constructor(
    private readonly el: HTMLElement,
    private readonly version: string,
    onClick: () => void,
  ) {
    el.addClass("pai-status", "mod-clickable");
    el.setAttr("data-tooltip-position", "top");
    el.addEventListener("click", onClick);
    this.show(null);
  }

  show(pulse: Pulse | null): void {
    this.el.setText(barText(pulse, this.version));
    this.el.setAttr("aria-label", (pulse?.status ? pulse.status.message : pulse?.error.advice) ?? say.barWhy);
    this.el.toggleClass("is-down", pulse !== null && pulse.status === null);
    this.el.toggleClass("is-trouble", pulse?.status?.state === "error" || pulse?.status?.state === "held");
  }
}
