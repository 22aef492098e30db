/** What went wrong with the daemon, as a short sentence and what to do next. Never imports obsidian. */

import type { Problem } from "./contract";
import { startCommand } from "./remedies";
import { say } from "./words";

export class DaemonError extends Error {
  override readonly name = "DaemonError";

  constructor(
    readonly code: string,
    sentence: string,
    readonly next = "",
  ) {
    super(sentence);
  }

  /** The sentence and the next step, for places with one line. */
  get advice(): string {
    return this.next ? `${this.message} ${this.next}` : this.message;
  }

  static notRunning(vaultPath: string): DaemonError {
    return new DaemonError("not-running", say.notRunning, say.startWith(startCommand(vaultPath)));
  }

  static timeout(seconds: number): DaemonError {
    return new DaemonError("timeout", say.timeout(seconds), say.timeoutNext);
  }

  static stopped(): DaemonError {
    return new DaemonError("stopped", say.wasStopped);
  }

  static unknownForm(detail: string): DaemonError {
    return new DaemonError("contract", say.unknownForm(detail), say.unknownFormNext);
  }

  static cutShort(): DaemonError {
    return new DaemonError("cut-short", say.cutShort, say.askAgain);
  }

  static lost(): DaemonError {
    return new DaemonError("cut-short", say.lost, say.askAgain);
  }

  /** A person reads this, so the known refusals get our words and the rest get the daemon's. */
  static fromProblem(problem: Problem): DaemonError {
    const { status, code } = problem;
    const known = say.problems[code];
    const detail = known?.what ?? (problem.detail || problem.title);
    if (status === 401) return new DaemonError(code, say.unauthorized, say.unauthorizedNext);
    if (status === 403) return new DaemonError(code, say.forbidden, problem.hint ?? detail);
    // The daemon's own hint speaks to programs here.
    if (status === 404) return new DaemonError(code, detail, say.notFoundNext);
    if (status === 429) return new DaemonError(code, say.busy, say.busyNext);
    return new DaemonError(code, detail, known?.next ?? problem.hint ?? "");
  }
}
