/** Pairs of notes not to be linked, as earlier versions kept them in data.json: read once, to hand them to the daemon (D79). Never imports obsidian. */

import type { RefusedPair } from "./contract";

/** By the path that sorts first, the paths it is not to be linked with. */
export type Pairs = Readonly<Record<string, readonly string[]>>;

export function listPairs(pairs: Pairs): RefusedPair[] {
  return Object.entries(pairs).flatMap(([path, others]) => others.map((other) => ({ path, other })));
}

/** Returns what data.json holds, without what is no pair. */
export function readPairs(data: unknown): Pairs {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return {};
  const pairs: Record<string, string[]> = {};
  for (const [path, others] of Object.entries(data)) {
    if (Array.isArray(others)) pairs[path] = others.filter((one): one is string => typeof one === "string" && one !== path);
  }
  return pairs;
}
