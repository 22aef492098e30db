/** What the person can set for this vault. It lies in its data.json, but for the token, which never does, because vaults are synced. */

import type { App } from "obsidian";
import type { SearchMode } from "./contract";
import { type Pairs, readPairs } from "./pairs";

export interface Settings {
  url: string;
  sources: number;
  related: number;
  mode: SearchMode;
  followParagraph: boolean;
  underline: boolean;
  statusBar: boolean;
  /** The related notes are opened with the vault. */
  relatedAtStart: boolean;
  /** What is typed to complete a link by meaning; empty: nothing is. */
  trigger: string;
  pairs: Pairs;
}

const DEFAULTS: Settings = {
  url: "", sources: 6, related: 10, mode: "hybrid", followParagraph: false, underline: false, statusBar: true,
  relatedAtStart: false, trigger: ";;", pairs: {},
};
export const MOST_SOURCES = 20;
export const MOST_RELATED = 50;
const SECRET = "pai-daemon-token";

function whole(value: unknown, fallback: number, max: number): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max ? value : fallback;
}

/** Returns what data.json holds, with the default for whatever is missing or wrong. */
export function readSettings(data: unknown): Settings {
  const raw = (typeof data === "object" && data !== null ? data : {}) as Partial<Record<keyof Settings, unknown>>;
  return {
    url: typeof raw.url === "string" ? raw.url : DEFAULTS.url,
    sources: whole(raw.sources, DEFAULTS.sources, MOST_SOURCES),
    related: whole(raw.related, DEFAULTS.related, MOST_RELATED),
    mode: raw.mode === "semantic" || raw.mode === "text" ? raw.mode : DEFAULTS.mode,
    followParagraph: raw.followParagraph === true,
    underline: raw.underline === true,
    statusBar: raw.statusBar !== false,
    relatedAtStart: raw.relatedAtStart === true,
    trigger: typeof raw.trigger === "string" ? raw.trigger.trim() : DEFAULTS.trigger,
    pairs: readPairs(raw.pairs),
  };
}

/** Returns the pasted token, or an empty string. Obsidian keeps secrets outside the vault. */
export function readToken(app: App): string {
  return app.secretStorage.getSecret(SECRET) ?? "";
}

export function keepToken(app: App, token: string): void {
  app.secretStorage.setSecret(SECRET, token);
}
