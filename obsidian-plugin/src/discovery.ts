/**
 * Where the daemon of a vault is and which token opens it. The daemon writes both
 * into the user's configuration folder, outside the vault, because vaults are
 * synced. Never imports obsidian; the machine is handed in.
 */

import { DaemonError } from "./daemon-error";
import { ContractError, Fields, type Unread } from "./fields";
import { startCommand } from "./remedies";
import { say } from "./words";

/** What discovery needs to know of this computer. */
export interface Machine {
  platform: string;
  env(name: string): string | undefined;
  home(): string;
  join(...parts: string[]): string;
  /** The text of a file, or null where it cannot be read. */
  readText(path: string): string | null;
  /** The names in a folder; empty where it cannot be read. */
  list(path: string): string[];
  /** The path with symbolic links resolved, or the path itself where that fails. */
  realPath(path: string): string;
  sha256Hex(text: string): string;
  /** Starts a program that outlives this one; rejects where it cannot be started or ends at once. */
  launch(program: string, args: string[], folder: string): Promise<void>;
}

/** What the person set by hand; empty strings mean "find it". */
export interface Overrides { url: string; token: string }

export interface Connection { url: string; token: string }

export function configFolder(machine: Machine): string {
  const chosen = machine.env("PAI_CONFIG_DIR");
  if (chosen) return chosen;
  if (machine.platform === "win32") {
    const roaming = machine.env("APPDATA") ?? machine.join(machine.home(), "AppData", "Roaming");
    return machine.join(roaming, "pai-daemon");
  }
  if (machine.platform === "darwin") return machine.join(machine.home(), "Library", "Application Support", "pai-daemon");
  const xdg = machine.env("XDG_CONFIG_HOME");
  // The XDG rules say that an empty variable is the same as none.
  return xdg ? machine.join(xdg, "pai-daemon") : machine.join(machine.home(), ".config", "pai-daemon");
}

/** Returns the command that the daemon left of itself at its last start, or null: it was never started here. */
export function startProgram(machine: Machine): string[] | null {
  const text = machine.readText(machine.join(configFolder(machine), "command.json"));
  if (text === null) return null;
  try {
    const { command } = JSON.parse(text) as { command?: unknown };
    if (!Array.isArray(command) || command.length === 0 || !command.every((word) => typeof word === "string")) return null;
    // Only by its place, so that nothing of the same name on the path is taken for it.
    return /^(?:\/|[A-Za-z]:[\\/])/.test(command[0] ?? "") ? command : null;
  } catch {
    return null;
  }
}

/** Starts the daemon of a vault; only ever called by the press of a button. Throws DaemonError where that fails. */
export async function startDaemon(machine: Machine, vaultPath: string): Promise<void> {
  const [program, ...args] = startProgram(machine) ?? [];
  if (program === undefined) throw DaemonError.notRunning(vaultPath);
  try {
    await machine.launch(program, [...args, vaultPath], configFolder(machine));
  } catch {
    throw new DaemonError("not-started", say.notStarted, say.startWith(startCommand(vaultPath)));
  }
}

/** Returns whether the host of `url` is this machine; the token goes nowhere else. */
export function isLoopback(url: string): boolean {
  try {
    const { protocol, hostname, username } = new URL(url);
    if (protocol !== "http:" && protocol !== "https:") return false;
    return username === "" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  } catch {
    return false;
  }
}

/** What a daemon writes of itself for those on the same machine. */
interface DaemonRecord { url: string; vault: string }

function parseRecord(text: string | null): DaemonRecord | null {
  if (text === null) return null;
  try {
    const fields = Fields.of<DaemonRecord>(JSON.parse(text) as Unread<DaemonRecord>, "daemon file");
    return { url: fields.string("url"), vault: fields.string("vault") };
  } catch (error) {
    // A half-written or foreign file is the same as none: the daemon rewrites it at its next start.
    if (error instanceof ContractError || error instanceof SyntaxError) return null;
    throw error;
  }
}

function findUrl(machine: Machine, vaultPath: string): string | null {
  const folder = machine.join(configFolder(machine), "daemons");
  const real = machine.realPath(vaultPath);
  const byHash = parseRecord(machine.readText(machine.join(folder, `${machine.sha256Hex(real).slice(0, 16)}.json`)));
  if (byHash) return byHash.url;
  // Letter case or Unicode form may differ between the two programs' idea of the real path.
  const same = (path: string): boolean => machine.realPath(path).normalize("NFC") === real.normalize("NFC");
  for (const name of machine.list(folder)) {
    const record = name.endsWith(".json") ? parseRecord(machine.readText(machine.join(folder, name))) : null;
    if (record && same(record.vault)) return record.url;
  }
  return null;
}

/** Returns the daemon of this vault. Throws DaemonError where there is none, no token, or an address beyond this machine. */
export function discover(machine: Machine, vaultPath: string, overrides: Overrides): Connection {
  const found = overrides.url.trim() === "" ? findUrl(machine, vaultPath) : overrides.url.trim();
  if (found === null) throw DaemonError.notRunning(vaultPath);
  const url = found.replace(/\/+$/, "");
  if (!isLoopback(url)) {
    throw new DaemonError("not-local", say.notLocal(url), say.notLocalNext);
  }
  const tokenFile = machine.join(configFolder(machine), "token");
  const token = overrides.token.trim() || (machine.readText(tokenFile) ?? "").trim();
  if (!token) {
    throw new DaemonError("no-token", say.noToken, say.noTokenNext(tokenFile));
  }
  return { url, token };
}
