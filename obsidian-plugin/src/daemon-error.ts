/** What went wrong with the daemon, as a short sentence and what to do next. Never imports obsidian. */

import type { Problem } from "./contract";

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
    return new DaemonError("not-running", "The daemon is not running.", `Start it with: scripts/start "${vaultPath}"`);
  }

  static timeout(seconds: number): DaemonError {
    return new DaemonError("timeout", `The daemon did not answer within ${String(seconds)} s.`, "Look at its status, then try again.");
  }

  static stopped(): DaemonError {
    return new DaemonError("stopped", "Stopped.");
  }

  static unknownForm(detail: string): DaemonError {
    return new DaemonError(
      "contract",
      `The daemon answered in a form this plugin does not know (${detail}).`,
      "Install the same version of both.",
    );
  }

  /** A person reads this, so the known refusals get our words and the rest get the daemon's. */
  static fromProblem(problem: Problem): DaemonError {
    const { status, code } = problem;
    const detail = problem.detail || problem.title;
    if (status === 401) {
      return new DaemonError(
        code,
        "The daemon refused the token.",
        "Clear the pasted token in this plugin's settings, or paste the one from the daemon's configuration folder.",
      );
    }
    if (status === 403) return new DaemonError(code, "The daemon refused this app.", problem.hint ?? detail);
    // The daemon's own hint speaks to programs here.
    if (status === 404) return new DaemonError(code, detail, "It may be new, excluded, or not a text note.");
    if (status === 429) return new DaemonError(code, "The daemon is busy.", "Try again in a moment.");
    return new DaemonError(code, detail, problem.hint ?? "");
  }
}
