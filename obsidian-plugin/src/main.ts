/** Wires the parts together. Talks to nothing but the daemon on this machine, and writes no note by itself. */

import { FileSystemAdapter, Plugin } from "obsidian";
import { ASK_VIEW, AskView } from "./ask-view";
import { Daemon } from "./daemon";
import { type Connection, discover } from "./discovery";
import type { Host } from "./host";
import { InlineAnswers } from "./inline";
import { LinksModal } from "./links-modal";
import { machine } from "./machine";
import { patiently } from "./patience";
import { pendingAnswers } from "./pending-answer";
import { RELATED_VIEW, RelatedView } from "./related-view";
import { SearchModal } from "./search-modal";
import { readSettings, readToken, type Settings, SettingsTab } from "./settings";
import { StatusBar } from "./status-bar";
import { StatusFeed } from "./status-feed";
import { reindex, StatusModal } from "./status-modal";
import { after, send, stream } from "./transport";

export default class PaiPlugin extends Plugin implements Host {
  override settings: Settings = readSettings(null);
  readonly daemon = new Daemon({ send: patiently(send, after), stream, after, connect: () => this.connect(), vaultPath: this.vaultPath() });
  readonly feed = new StatusFeed(this.daemon, after);
  private readonly inline = new InlineAnswers(this);

  override async onload(): Promise<void> {
    this.settings = readSettings(await this.loadData());
    this.registerView(ASK_VIEW, (leaf) => new AskView(leaf, this));
    this.registerView(RELATED_VIEW, (leaf) => new RelatedView(leaf, this));
    this.registerEditorExtension(pendingAnswers);
    this.addSettingTab(new SettingsTab(this.app, this));
    this.addRibbonIcon("message-circle-question", "Ask your vault", () => void this.openAsk());
    const bar = new StatusBar(this.addStatusBarItem(), () => { this.showStatus(); });
    this.register(this.feed.subscribe((pulse) => { bar.show(pulse); }));
    this.addCommands();
    // The first look waits for the workspace, so that the app's start never waits for the daemon.
    this.app.workspace.onLayoutReady(() => void this.feed.refresh());
  }

  override onunload(): void {
    this.inline.dispose();
    this.feed.dispose();
  }

  async saveSettings(): Promise<void> {
    await this.saveData(this.settings);
  }

  settingsChanged(): void {
    void this.feed.refresh();
  }

  private addCommands(): void {
    this.addCommand({ id: "ask", name: "Ask your vault", callback: () => void this.openAsk() });
    this.addCommand({
      id: "answer-here",
      name: "Answer here",
      editorCallback: (editor, info) => void this.inline.answer(editor, info),
    });
    this.addCommand({
      id: "suggest-links",
      name: "Suggest links for this note",
      editorCallback: (editor, { file }) => {
        if (file) new LinksModal(this.app, this, editor, file).open();
      },
    });
    this.addCommand({ id: "related", name: "Show related notes", callback: () => void this.openRelated() });
    this.addCommand({ id: "search", name: "Search by meaning", callback: () => { new SearchModal(this.app, this).open(); } });
    this.addCommand({ id: "reindex", name: "Re-index this vault", callback: () => void reindex(this) });
    this.addCommand({ id: "status", name: "Show status", callback: () => { this.showStatus(); } });
  }

  private async openAsk(): Promise<void> {
    const leaf = await this.app.workspace.ensureSideLeaf(ASK_VIEW, "right", { active: true, reveal: true });
    if (leaf.view instanceof AskView) leaf.view.focusInput();
  }

  private async openRelated(): Promise<void> {
    await this.app.workspace.ensureSideLeaf(RELATED_VIEW, "right", { active: false, reveal: true });
  }

  private showStatus(): void {
    new StatusModal(this.app, this).open();
  }

  private vaultPath(): string {
    const { adapter } = this.app.vault;
    return adapter instanceof FileSystemAdapter ? adapter.getBasePath() : "";
  }

  private connect(): Promise<Connection> {
    const overrides = { url: this.settings.url, token: readToken(this.app) };
    // Inside a promise, so that what discovery throws arrives like every other failure.
    return new Promise((resolve) => { resolve(discover(machine, this.vaultPath(), overrides)); });
  }
}
