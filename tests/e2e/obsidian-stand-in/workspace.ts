/** A main leaf, leaves in windows of their own and a right side of tabs: the least that views, focus and events need. */

import type { Extension } from "@codemirror/state";
import type { App } from "./app";
import { Events } from "./component";
import type { TFile } from "./vault";
import { MarkdownView, type View, WorkspaceLeaf } from "./views";

export type ViewCreator = (leaf: WorkspaceLeaf) => View;

export class Workspace extends Events {
  readonly editorExtensions: Extension[] = [];
  readonly creators = new Map<string, ViewCreator>();
  private readonly main: WorkspaceLeaf;
  private readonly side = new Map<string, { leaf: WorkspaceLeaf; tabEl: HTMLElement }>();
  private readonly popouts = new Map<WorkspaceLeaf, Window>();
  private recent: WorkspaceLeaf;
  private activeFile: TFile | null = null;
  private ready: (() => unknown)[] | null = [];

  constructor(
    private readonly app: App,
    mainEl: HTMLElement,
    private readonly tabsEl: HTMLElement,
    private readonly sideEl: HTMLElement,
  ) {
    super();
    this.main = new WorkspaceLeaf(app, mainEl);
    this.recent = this.main;
  }

  onLayoutReady(callback: () => unknown): void {
    if (this.ready) this.ready.push(callback);
    else callback();
  }

  layoutIsReady(): void {
    for (const callback of this.ready ?? []) callback();
    this.ready = null;
  }

  getActiveFile(): TFile | null {
    return this.activeFile;
  }

  getMostRecentLeaf(): WorkspaceLeaf | null {
    return this.recent;
  }

  /** Opens a leaf in a window of its own, which is then the one the person is in. */
  openPopoutLeaf(): WorkspaceLeaf {
    const own = window.open("about:blank", "_blank", "popup,width=600,height=500");
    if (!own) throw new Error("the browser opens no window");
    const parentEl = createDiv({ cls: "main" });
    own.document.body.append(parentEl);
    const leaf = new WorkspaceLeaf(this.app, parentEl);
    this.popouts.set(leaf, own);
    this.recent = leaf;
    return leaf;
  }

  /** Closes a window with its leaf, as its cross does. */
  async closePopout(leaf: WorkspaceLeaf): Promise<void> {
    await leaf.close();
    this.popouts.get(leaf)?.close();
    this.popouts.delete(leaf);
    this.setActiveLeaf(this.main);
  }

  setActiveLeaf(leaf: WorkspaceLeaf): void {
    this.recent = leaf;
    if (leaf.view instanceof MarkdownView && leaf.view.file) this.noteOpened(leaf, leaf.view.file);
  }

  /** No leaf is made for the asking; which were asked for is told. */
  readonly wanted: unknown[] = [];

  getLeaf(where?: unknown): WorkspaceLeaf {
    if (where) this.wanted.push(where);
    return this.recent;
  }

  getLeavesOfType(type: string): WorkspaceLeaf[] {
    const leaves = [this.main, ...this.popouts.keys()].filter(({ view }) => view?.getViewType() === type);
    if (leaves.length > 0) return leaves;
    const found = this.side.get(type);
    return found ? [found.leaf] : [];
  }

  noteOpened(leaf: WorkspaceLeaf, file: TFile): void {
    this.activeFile = file;
    this.trigger("file-open", file);
    this.trigger("active-leaf-change", leaf);
  }

  async ensureSideLeaf(type: string, _side: string, options: { active?: boolean; reveal?: boolean } = {}): Promise<WorkspaceLeaf> {
    let found = this.side.get(type);
    if (!found) {
      const create = this.creators.get(type);
      if (!create) throw new Error(`no view of type ${type}`);
      const leaf = new WorkspaceLeaf(this.app, this.sideEl.createDiv({ cls: "side-leaf" }));
      const tabEl = this.tabsEl.createDiv({ cls: "side-tab" });
      found = { leaf, tabEl };
      this.side.set(type, found);
      await leaf.open(create(leaf));
      tabEl.setText(leaf.view?.getDisplayText() ?? type);
      tabEl.addEventListener("click", () => { this.reveal(type); });
    }
    if (options.reveal !== false) this.reveal(type);
    return found.leaf;
  }

  /** Closes every view of a type, as the app does with the views of a plugin that was switched off. */
  async closeType(type: string): Promise<void> {
    const found = this.side.get(type);
    if (!found) return;
    await found.leaf.view?.onClose();
    found.leaf.view?.unload();
    found.leaf.parentEl.detach();
    found.tabEl.detach();
    this.side.delete(type);
  }

  private reveal(type: string): void {
    for (const [name, { leaf, tabEl }] of this.side) {
      leaf.parentEl.toggle(name === type);
      tabEl.toggleClass("is-active", name === type);
    }
  }
}
