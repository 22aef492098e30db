/** Where a completion by meaning begins in a line. Never imports obsidian. */

const LEAST = 2;
const MOST = 80;

/** Returns where what is typed after the trigger begins, and what it is; null where nothing is being completed. */
export function triggered(line: string, ch: number, trigger: string): { from: number; query: string } | null {
  if (!trigger) return null;
  const from = line.lastIndexOf(trigger, ch - trigger.length);
  if (from < 0 || from + trigger.length > ch) return null;
  const query = line.slice(from + trigger.length, ch);
  if (query.length < LEAST || query.length > MOST || /^\s|[[\]]/.test(query)) return null;
  return { from, query };
}
