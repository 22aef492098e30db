/** Leaves and what stands in them. */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import type { App } from "./app";
import { Component } from "./component";
import { Editor } from "./editor";
import { look } from "./look";
import type { TFile } from "./vault";

export interface OpenViewState { active?: boolean; eState?: Record<string, unknown> }

export abstract class View extends Component {
  readonly app: App;
  readonly containerEl: HTMLElement;
  navigation = true;
  icon = "";

  constructor(readonly leaf: WorkspaceLeaf) {
    super();
    this.app = leaf.app;
    this.containerEl = createDiv({ cls: "workspace-leaf-content" });
  }

  abstract getViewType(): string;
  abstract getDisplayText(): string;

  getIcon(): string {
    return this.icon;
  }

  onOpen(): Promise<void> {
    return Promise.resolve();
  }

  onClose(): Promise<void> {
    return Promise.resolve();
  }
}

export abstract class ItemView extends View {
  readonly contentEl: HTMLElement;

  constructor(leaf: WorkspaceLeaf) {
    super(leaf);
    this.contentEl = this.containerEl.createDiv({ cls: "view-content" });
  }
}

export interface MarkdownFileInfo { app: App; file: TFile | null; editor?: Editor }

export class MarkdownView extends ItemView implements MarkdownFileInfo {
  file: TFile | null = null;
  readonly editor: Editor;
  private readonly titleEl: HTMLElement;

  constructor(leaf: WorkspaceLeaf) {
    super(leaf);
    this.titleEl = this.contentEl.createDiv({ cls: "inline-title" });
    this.editor = new Editor(new EditorView({ parent: this.contentEl.createDiv({ cls: "markdown-source-view" }) }));
  }

  override getViewType(): string {
    return "markdown";
  }

  override getDisplayText(): string {
    return this.file?.basename ?? "";
  }

  override onOpen(): Promise<void> {
    // In a window of its own the editor hears of the cursor from that window's document.
    this.editor.cm.setRoot(this.containerEl.ownerDocument);
    return Promise.resolve();
  }

  override onClose(): Promise<void> {
    this.editor.cm.destroy();
    return Promise.resolve();
  }

  show(file: TFile, text: string, extensions: Extension[]): void {
    this.file = file;
    this.titleEl.setText(file.basename);
    this.editor.cm.setState(
      EditorState.create({ doc: text, extensions: [history(), keymap.of([...defaultKeymap, ...historyKeymap]), look, extensions] }),
    );
  }

  setEphemeralState(state: Record<string, unknown>): void {
    if (typeof state.line !== "number") return;
    const at = this.editor.posToOffset({ line: state.line, ch: 0 });
    this.editor.cm.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
  }
}

export class WorkspaceLeaf {
  view: View | null = null;

  constructor(
    readonly app: App,
    readonly parentEl: HTMLElement,
  ) {}

  async openFile(file: TFile, state: OpenViewState = {}): Promise<void> {
    const text = await this.app.vault.cachedRead(file);
    if (!(this.view instanceof MarkdownView)) await this.open(new MarkdownView(this));
    if (this.view instanceof MarkdownView) {
      this.view.show(file, text, this.app.workspace.editorExtensions);
      if (state.eState) this.view.setEphemeralState(state.eState);
    }
    this.app.workspace.noteOpened(this, file);
  }

  async close(): Promise<void> {
    await this.view?.onClose();
    this.view?.unload();
    this.parentEl.empty();
    this.view = null;
  }

  async open(view: View): Promise<void> {
    await this.close();
    this.view = view;
    this.parentEl.append(view.containerEl);
    view.load();
    await view.onOpen();
  }
}
