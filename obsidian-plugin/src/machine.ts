/** This computer, for discovery. Node's modules are reached only where the app is a desktop app. */

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
};
