/** Keeps the latest status and tells of changes; listens to events and polls gently where there are none. */

import type { Status } from "./contract";
import type { After, Daemon } from "./daemon";
import { DaemonError } from "./daemon-error";

export type Pulse = { status: Status; error: null } | { status: null; error: DaemonError };

const BUSY_MS = 2_000;
const QUIET_MS = 30_000;
// A daemon that is down is looked for less and less often; a return to the app looks at once.
const DOWN_MS = [5_000, 5_000, 10_000, 20_000, 40_000, 60_000];
const EVENT_MS = 400;

export class StatusFeed {
  latest: Pulse | null = null;
  private readonly listeners = new Set<(pulse: Pulse) => void>();
  private readonly ending = new AbortController();
  private cancelNext: () => void = () => undefined;
  private failures = 0;
  private polling = false;
  private listening = false;

  constructor(
    private readonly daemon: Daemon,
    private readonly after: After,
  ) {}

  /** Calls `listener` with each new status; returns how to stop that. */
  subscribe(listener: (pulse: Pulse) => void): () => void {
    this.listeners.add(listener);
    if (this.latest) listener(this.latest);
    return () => this.listeners.delete(listener);
  }

  async refresh(): Promise<void> {
    if (this.polling || this.ending.signal.aborted) return;
    this.polling = true;
    this.cancelNext();
    const pulse = await this.ask();
    this.polling = false;
    // The plugin may have been unloaded while the reply was on its way.
    if (this.isOver()) return;
    this.failures = pulse.status ? 0 : this.failures + 1;
    this.latest = pulse;
    for (const listener of this.listeners) listener(pulse);
    this.plan(this.pause(pulse));
    if (pulse.status) void this.listen();
  }

  /** Looks at once where the daemon was down: the person may come from starting it. */
  async wake(): Promise<void> {
    if (this.latest?.error) await this.refresh();
  }

  dispose(): void {
    this.ending.abort();
    this.cancelNext();
    this.listeners.clear();
  }

  private isOver(): boolean {
    return this.ending.signal.aborted;
  }

  private async ask(): Promise<Pulse> {
    try {
      return { status: await this.daemon.status(), error: null };
    } catch (error) {
      if (error instanceof DaemonError) return { status: null, error };
      return { status: null, error: new DaemonError("unknown", String(error)) };
    }
  }

  private pause({ status }: Pulse): number {
    if (!status) return DOWN_MS[Math.min(this.failures, DOWN_MS.length) - 1] ?? QUIET_MS;
    return status.state === "indexing" || status.state === "starting" ? BUSY_MS : QUIET_MS;
  }

  private plan(ms: number): void {
    this.cancelNext();
    this.cancelNext = this.after(ms, () => void this.refresh());
  }

  private async listen(): Promise<void> {
    if (this.listening) return;
    this.listening = true;
    let opened = false;
    try {
      opened = await this.daemon.listen(this.ending.signal, () => { this.plan(EVENT_MS); });
    } catch {
      // Polling goes on either way; the next good status tries to listen again.
    }
    this.listening = false;
    // A stream that ends means that the daemon did, so the state is looked at before the next poll.
    if (opened && !this.isOver()) this.plan(EVENT_MS);
  }
}
