/** What was searched for lately, newest first. Where it is kept is handed in: on this device, not in the vault. Never imports obsidian. */

export interface Shelf { load(): unknown; save(queries: string[]): void }

const KEPT = 12;

export class RecentQueries {
  constructor(private readonly shelf: Shelf) {}

  list(): string[] {
    const kept = this.shelf.load();
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === "string") : [];
  }

  add(query: string): void {
    const found = query.trim();
    if (found) this.shelf.save([found, ...this.list().filter((one) => one !== found)].slice(0, KEPT));
  }
}
