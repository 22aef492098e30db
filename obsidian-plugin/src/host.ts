/** What the views share: the app, the daemon, the settings of the moment and the feed of its state. */

import type { App } from "obsidian";
import type { Daemon } from "./daemon";
import { DaemonError } from "./daemon-error";
import type { Settings } from "./settings";
import type { StatusFeed } from "./status-feed";

export interface Host {
  readonly app: App;
  readonly daemon: Daemon;
  readonly feed: StatusFeed;
  readonly settings: Settings;
}

/** Returns the error to show; one that is not the daemon's is a fault of ours and says so. */
export function asDaemonError(error: unknown): DaemonError {
  return error instanceof DaemonError ? error : new DaemonError("unknown", `Something went wrong: ${String(error)}`);
}

/** Shows an error where a result would be, with its next step on a line of its own. */
export function drawError(parent: HTMLElement, error: unknown): void {
  const { message, next } = asDaemonError(error);
  const box = parent.createDiv({ cls: "pai-error", attr: { role: "alert" } });
  box.createDiv({ cls: "pai-error-what", text: message });
  if (next) box.createDiv({ cls: "pai-error-next", text: next });
}
