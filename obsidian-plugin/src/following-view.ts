/** A side panel that follows the active note: it looks again when another is opened, and after the daemon has read. */

import { ItemView, type WorkspaceLeaf } from "obsidian";
import type { Host } from "./host";
import { after } from "./transport";

const SETTLE_MS = 250;
// After a save the daemon commits note after note; one look afterwards is enough.
const REVISION_MS = 1_500;

export abstract class FollowingView extends ItemView {
  override navigation = false;
  private cancelPlan: () => void = () => undefined;
  private revision = -1;

  constructor(
    leaf: WorkspaceLeaf,
    protected readonly host: Host,
  ) {
    super(leaf);
  }

  /** Looks at the active note and draws what is found. */
  protected abstract show(): Promise<void>;

  /** Called when the index has changed, before the look that this leads to. */
  protected outdate?(): void;

  override onOpen(): Promise<void> {
    this.registerEvent(this.app.workspace.on("file-open", () => { this.plan(SETTLE_MS); }));
    this.register(
      this.host.feed.subscribe(({ status }) => {
        const revision = status?.revision ?? -1;
        if (revision === this.revision) return;
        this.revision = revision;
        this.outdate?.();
        if (status) this.plan(REVISION_MS);
      }),
    );
    this.register(() => { this.cancelPlan(); });
    this.plan(0);
    return Promise.resolve();
  }

  /** Looks after so long, and no more at what was planned before. */
  protected plan(ms: number): void {
    this.cancelPlan();
    this.cancelPlan = after(ms, () => void this.show());
  }
}
