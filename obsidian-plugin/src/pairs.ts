/** Pairs of notes that the person does not want linked: kept in the plugin's data, as the API has no place for them (D74). Never imports obsidian. */

/** By the path that sorts first, the paths it is not to be linked with. */
export type Pairs = Readonly<Record<string, readonly string[]>>;

function ordered(a: string, b: string): [string, string] {
  return a < b ? [a, b] : [b, a];
}

export function isRefused(pairs: Pairs, a: string, b: string): boolean {
  const [first, second] = ordered(a, b);
  return pairs[first]?.includes(second) ?? false;
}

export function refuse(pairs: Pairs, a: string, b: string): Pairs {
  const [first, second] = ordered(a, b);
  return isRefused(pairs, a, b) ? pairs : { ...pairs, [first]: [...(pairs[first] ?? []), second] };
}

/** Returns the pairs after a note was renamed. */
export function renamed(pairs: Pairs, from: string, to: string): Pairs {
  const name = (path: string): string => (path === from ? to : path);
  return listed(pairs).reduce<Pairs>((made, [a, b]) => refuse(made, name(a), name(b)), {});
}

export function countPairs(pairs: Pairs): number {
  return listed(pairs).length;
}

function listed(pairs: Pairs): [string, string][] {
  return Object.entries(pairs).flatMap(([a, others]) => others.map((b): [string, string] => [a, b]));
}

/** Returns what data.json holds, without what is no pair. */
export function readPairs(data: unknown): Pairs {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return {};
  const pairs: Record<string, string[]> = {};
  for (const [path, others] of Object.entries(data)) {
    if (Array.isArray(others)) pairs[path] = others.filter((one): one is string => typeof one === "string");
  }
  return pairs;
}
