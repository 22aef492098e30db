/** This computer, for discovery. Node's modules are reached only where the app is a desktop app. */

import { spawn } from "child_process";
import { createHash } from "crypto";
import { readFileSync, readdirSync, realpathSync } from "fs";
import { homedir, platform } from "os";
import { join } from "path";
import type { Machine } from "./discovery";

function or<T>(fallback: T, read: () => T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}

// A daemon that cannot start, as its port is taken or its vault is served already, has ended by then.
const ALIVE_MS = 4_000;

function launch(program: string, args: string[], folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, detached: true, stdio: "ignore", windowsHide: true });
    const timer = window.setTimeout(resolve, ALIVE_MS);
    const fail = (): void => {
      window.clearTimeout(timer);
      reject(new Error(program));
    };
    child.once("error", fail);
    child.once("exit", fail);
    child.unref();
  });
}

export const machine: Machine = {
  platform: platform(),
  env: (name) => process.env[name],
  home: homedir,
  join,
  readText: (path) => or(null, () => readFileSync(path, "utf8")),
  list: (path) => or([], () => readdirSync(path)),
  // On Windows only the native call gives the letter case the daemon sees.
  realPath: (path) => or(path, () => (platform() === "win32" ? realpathSync.native(path) : realpathSync(path))),
  sha256Hex: (text) => createHash("sha256").update(text, "utf8").digest("hex"),
  launch,
};
