/** What is wrong with the daemon, said once, and what one click can do about it. Never imports obsidian. */

import type { DaemonState } from "./contract";
import type { Pulse } from "./status-feed";
import { say } from "./words";

export type Remedy =
  | { kind: "look" | "believe" | "resume" | "start" | "forgetToken" | "forgetAddress" }
  | { kind: "copy"; command: string };

export interface Trouble { message: string; remedies: Remedy[] }

/** What the person has set by hand, and so may take back. */
export interface Chosen { version: string; vaultPath: string; hasToken: boolean; hasAddress: boolean; canStart: boolean }

/** Returns whether plugin and daemon speak the same contract: before 1.0 a minor version may change it (SemVer). */
export function fits(plugin: string, daemon: string): boolean {
  const [major, minor] = plugin.split(".");
  const [otherMajor, otherMinor] = daemon.split(".");
  return major === otherMajor && (major !== "0" || minor === otherMinor);
}

function quoted(path: string): string {
  return `"${path.replace(/["\\$`]/g, "\\$&")}"`;
}

export function startCommand(vaultPath: string): string {
  return `scripts/start ${quoted(vaultPath)}`;
}

const CURES: Partial<Record<DaemonState, Remedy[]>> = {
  held: [{ kind: "look" }, { kind: "believe" }],
  error: [{ kind: "look" }],
  paused: [{ kind: "resume" }],
};

export function troubles(pulse: Pulse, chosen: Chosen): Trouble[] {
  if (!pulse.status) return [{ message: pulse.error.message, remedies: remediesFor(pulse.error.code, chosen) }];
  const { status } = pulse;
  const found: Trouble[] = [];
  if (status.message) {
    const message = say.problems[status.code ?? status.state]?.what ?? status.message;
    found.push({ message, remedies: CURES[status.state] ?? [] });
  }
  if (!fits(chosen.version, status.version)) {
    found.push({ message: say.otherVersion(chosen.version, status.version), remedies: [install(chosen)] });
  }
  for (const { message, command } of status.hints) {
    found.push({ message, remedies: command ? [{ kind: "copy", command }] : [] });
  }
  return found;
}

function install({ vaultPath }: Chosen): Remedy {
  return { kind: "copy", command: `pai plugin install ${quoted(vaultPath)}` };
}

function remediesFor(code: string, chosen: Chosen): Remedy[] {
  if (code === "not-running" || code === "no-token") {
    const start: Remedy = { kind: "copy", command: startCommand(chosen.vaultPath) };
    const first: Remedy[] = chosen.canStart ? [{ kind: "start" }, start] : [start];
    return chosen.hasAddress ? [...first, { kind: "forgetAddress" }] : first;
  }
  if (code === "contract") return [install(chosen)];
  if (code === "unauthorized" && chosen.hasToken) return [{ kind: "forgetToken" }];
  if (code === "not-local" && chosen.hasAddress) return [{ kind: "forgetAddress" }];
  return [];
}
