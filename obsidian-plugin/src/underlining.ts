/** Keeps the underlines of open notes true: asks for the mentions of each when it is opened or the index has changed. */

import { MarkdownView } from "obsidian";
import type { Mention } from "./contract";
import { asDaemonError, type Host } from "./host";
import { codeMirror } from "./navigate";
import { after } from "./transport";
import { setMentions } from "./underlines";

const SETTLE_MS = 600;
// More editors than that are in nobody's view.
const EDITORS = 6;

export class Underlining {
  private cancelPlan: () => void = () => undefined;
  private revision = -1;
  private isDrawn = false;

  constructor(private readonly host: Host) {}

  /** Follows the index; returns how to stop that. */
  follow(): () => void {
    const unsubscribe = this.host.feed.subscribe(({ status }) => {
      if (!status || status.revision === this.revision) return;
      this.revision = status.revision;
      this.plan();
    });
    return () => {
      unsubscribe();
      this.cancelPlan();
    };
  }

  /** Looks again soon; costs nothing where underlining is off and nothing is drawn. */
  plan(): void {
    this.cancelPlan();
    if (this.host.settings.underline || this.isDrawn) this.cancelPlan = after(SETTLE_MS, () => void this.draw());
  }

  private async draw(): Promise<void> {
    const isOn = this.host.settings.underline;
    this.isDrawn = isOn;
    for (const view of this.views()) {
      const path = view.file?.path;
      if (path === undefined) continue;
      const mentions = isOn ? await this.mentionsOf(path) : [];
      // The reply may belong to a note that the editor has left.
      if (mentions && view.file?.path === path) codeMirror(view.editor)?.dispatch({ effects: setMentions.of(mentions) });
    }
  }

  private views(): MarkdownView[] {
    const leaves = this.host.app.workspace.getLeavesOfType("markdown");
    return leaves.map(({ view }) => view).filter((view) => view instanceof MarkdownView).slice(0, EDITORS);
  }

  /** Returns null where nobody knows: the underlines stay what they are. */
  private async mentionsOf(path: string): Promise<Mention[] | null> {
    try {
      const { mentions } = await this.host.daemon.links(path);
      return mentions.filter(({ sure }) => sure);
    } catch (error) {
      return asDaemonError(error).code === "not_found" ? [] : null;
    }
  }
}
