/** What the views share: the app, the daemon, the settings of the moment and the feed of its state. */

import type { App } from "obsidian";
import type { Conversation } from "./conversation";
import type { CursorMoves } from "./cursor";
import type { Daemon } from "./daemon";
import { DaemonError } from "./daemon-error";
import type { RecentQueries } from "./recent-queries";
import type { Chosen, Remedy } from "./remedies";
import type { Settings } from "./settings";
import type { StatusFeed } from "./status-feed";
import { say } from "./words";

export interface Host {
  readonly app: App;
  readonly daemon: Daemon;
  readonly feed: StatusFeed;
  readonly settings: Settings;
  readonly conversation: Conversation;
  readonly recent: RecentQueries;
  readonly cursor: CursorMoves;
  /** What the person has chosen, for what a remedy may take back. */
  chosen(): Chosen;
  change(part: Partial<Settings>): Promise<void>;
  cure(remedy: Remedy): Promise<void>;
}

/** Returns the error to show; one that is not the daemon's is a fault of ours and says so. */
export function asDaemonError(error: unknown): DaemonError {
  return error instanceof DaemonError ? error : new DaemonError("unknown", say.unknownError(String(error)));
}

/** Shows an error where a result would be, with its next step on a line of its own; a daemon at rest alarms nobody. */
export function drawError(parent: HTMLElement, error: unknown): void {
  const { code, message, next } = asDaemonError(error);
  const box = parent.createDiv({ cls: "pai-error", attr: { role: "status" } });
  box.toggleClass("is-calm", code === "not-running" || code === "timeout" || code === "overloaded");
  box.createDiv({ cls: "pai-error-what", text: message });
  if (next) box.createDiv({ cls: "pai-error-next", text: next });
}
