/** The daemon's state in the status bar: quiet when all is well, a percentage while it reads, a word when it is down. */

import type { Pulse } from "./status-feed";
import { spoken } from "./results";
import type { Status } from "./contract";

export function barText(pulse: Pulse | null): string {
  if (!pulse) return "pai: connecting…";
  if (!pulse.status) {
    const words: Record<string, string> = { "not-running": "not running", "no-token": "no token", unauthorized: "token refused" };
    return `pai: ${words[pulse.error.code] ?? "not available"}`;
  }
  const { state, progress, pendingChunks } = pulse.status;
  if (state === "error") return "pai: needs attention";
  if (state === "held") return "pai: waiting for you";
  if (progress && progress.total > 0) return `pai: ${percent(progress)}`;
  if (state === "ready") return pendingChunks > 0 ? "pai: updating…" : "pai: ready";
  return state === "starting" ? "pai: starting…" : "pai: indexing…";
}

function percent(progress: NonNullable<Status["progress"]>): string {
  const share = `${String(Math.floor((100 * progress.done) / progress.total))} %`;
  return progress.etaS === null ? share : `${share} · ${spoken(progress.etaS)} left`;
}

export class StatusBar {
  constructor(
    private readonly el: HTMLElement,
    onClick: () => void,
  ) {
    el.addClass("pai-status", "mod-clickable");
    el.setAttr("aria-label", "Show the state of your vault's daemon");
    el.setAttr("data-tooltip-position", "top");
    el.addEventListener("click", onClick);
    this.show(null);
  }

  show(pulse: Pulse | null): void {
    this.el.setText(barText(pulse));
    this.el.toggleClass("is-down", pulse !== null && pulse.status === null);
    this.el.toggleClass("is-trouble", pulse?.status?.state === "error" || pulse?.status?.state === "held");
  }
}
