/** Wires the parts together. Talks to nothing but the daemon on this machine, and writes no note by itself. */

import { type Editor, FileSystemAdapter, getLanguage, MarkdownView, type MarkdownFileInfo, Notice, Plugin, type TFile } from "obsidian";
import { ASK_VIEW, AskView } from "./ask-view";
import { Conversation } from "./conversation";
import { CursorMoves } from "./cursor";
import { Daemon } from "./daemon";
import { type Connection, discover, startDaemon, startProgram } from "./discovery";
import { asDaemonError, type Host } from "./host";
import { InlineAnswers } from "./inline";
import { linkMention } from "./link-mention";
import { LinkSuggest } from "./link-suggest";
import { LINKS_VIEW, LinksView } from "./links-view";
import { machine } from "./machine";
import { copy } from "./navigate";
import { listPairs } from "./pairs";
import { patiently } from "./patience";
import { pendingAnswers } from "./pending-answer";
import { NotePick, TagPick } from "./pick-modals";
import { ProposalsModal } from "./proposals-modal";
import { RecentQueries } from "./recent-queries";
import { RELATED_VIEW, RelatedView } from "./related-view";
import { RelatedModal } from "./related-modal";
import type { Chosen, Remedy } from "./remedies";
import { rememberHere } from "./remember";
import { RoutineModal } from "./routine-modal";
import { SearchModal } from "./search-modal";
import { keepToken, readSettings, readToken, type Settings } from "./settings";
import { SettingsTab } from "./settings-tab";
import { StatusBar } from "./status-bar";
import { StatusFeed } from "./status-feed";
import { pause, reindex, StatusModal } from "./status-modal";
import { comparison, summaryOfFolder, summaryOfNote, summaryOfTag, type Task } from "./task";
import { after, send, stream } from "./transport";
import { Underlining } from "./underlining";
import { underlines } from "./underlines";
import { say, speak } from "./words";

const RECENT = "pai-daemon-recent";
// As many as the daemon takes at once.
const MOST_PAIRS = 5_000;

export default class PaiPlugin extends Plugin implements Host {
  override settings: Settings = readSettings(null);
  readonly daemon = new Daemon({ send: patiently(send, after), stream, after, connect: () => this.connect(), vaultPath: this.vaultPath() });
  readonly feed = new StatusFeed(this.daemon, after);
  readonly conversation = new Conversation();
  readonly cursor = new CursorMoves();
  // Kept on this device and for this vault: what somebody looks for is nothing to sync.
  readonly recent = new RecentQueries({
    load: () => this.app.loadLocalStorage(RECENT) as unknown,
    save: (queries) => { this.app.saveLocalStorage(RECENT, queries); },
  });
  private readonly inline = new InlineAnswers(this);
  private readonly underlining = new Underlining(this);
  private barEl!: HTMLElement;
  private isHandingOver = false;
  // Null while nobody has asked the daemon that runs now.
  private hasRoutines: boolean | null = null;

  override async onload(): Promise<void> {
    speak(getLanguage());
    this.settings = readSettings(await this.loadData());
    this.registerView(ASK_VIEW, (leaf) => new AskView(leaf, this));
    this.registerView(RELATED_VIEW, (leaf) => new RelatedView(leaf, this));
    this.registerView(LINKS_VIEW, (leaf) => new LinksView(leaf, this));
    this.registerEditorExtension([pendingAnswers, underlines, this.cursor.extension]);
    this.registerEditorSuggest(new LinkSuggest(this.app, this));
    this.addSettingTab(new SettingsTab(this.app, this, this));
    this.addRibbonIcon("message-circle-question", say.ask, () => void this.openAsk());
    this.barEl = this.addStatusBarItem();
    this.barEl.toggle(this.settings.statusBar);
    const bar = new StatusBar(this.barEl, this.manifest.version, () => { this.showStatus(); });
    this.register(this.feed.subscribe((pulse) => { bar.show(pulse); }));
    this.register(this.underlining.follow());
    this.addCommands();
    // The first look waits for the workspace, so that the app's start never waits for the daemon.
    this.app.workspace.onLayoutReady(() => { this.begin(); });
  }

  override onunload(): void {
    this.inline.dispose();
    this.feed.dispose();
  }

  chosen(): Chosen {
    const { version } = this.manifest;
    return { version, vaultPath: this.vaultPath(), hasToken: readToken(this.app) !== "", hasAddress: this.settings.url !== "", canStart: startProgram(machine) !== null };
  }

  async change(part: Partial<Settings>): Promise<void> {
    this.settings = { ...this.settings, ...part };
    await this.saveData(this.settings);
    if (part.url !== undefined) void this.feed.refresh();
    if (part.underline !== undefined) this.underlining.plan();
    this.barEl.toggle(this.settings.statusBar);
  }

  async cure(remedy: Remedy): Promise<void> {
    if (remedy.kind === "copy") await copy(remedy.command);
    else if (remedy.kind === "look" || remedy.kind === "believe") await reindex(this, { believe: remedy.kind === "believe" });
    else if (remedy.kind === "resume") await pause(this, false);
    else if (remedy.kind === "start") await this.startDaemon();
    else if (remedy.kind === "forgetAddress") await this.change({ url: "" });
    else {
      keepToken(this.app, "");
      await this.feed.refresh();
    }
  }

  private async startDaemon(): Promise<void> {
    new Notice(say.startingNow);
    try {
      await startDaemon(machine, this.vaultPath());
    } catch (error) {
      new Notice(asDaemonError(error).advice, 10_000);
    }
    await this.feed.refresh();
  }

  private begin(): void {
    void this.feed.refresh();
    if (this.settings.relatedAtStart) void this.openRelated();
    this.registerDomEvent(window, "focus", () => void this.feed.wake());
    this.registerEvent(this.app.workspace.on("file-open", () => { this.underlining.plan(); }));
    this.register(this.feed.subscribe(({ status }) => { if (status) void this.handPairsOver(); }));
    this.register(this.feed.subscribe(({ status }) => {
      // A daemon that comes back may be another version.
      if (!status) this.hasRoutines = null;
      else if (this.hasRoutines === null) void this.lookForRoutines();
    }));
  }

  /** Gives the daemon what an earlier version kept of refused links; what cannot be given yet stays. */
  private async handPairsOver(): Promise<void> {
    const pairs = listPairs(this.settings.pairs);
    if (pairs.length === 0 || this.isHandingOver) return;
    this.isHandingOver = true;
    try {
      for (let at = 0; at < pairs.length; at += MOST_PAIRS) await this.daemon.refuse(pairs.slice(at, at + MOST_PAIRS));
      await this.change({ pairs: {} });
    } catch (error) {
      console.debug("pai-daemon: refused links wait for a daemon that keeps them", error);
    } finally {
      this.isHandingOver = false;
    }
  }

  private async lookForRoutines(): Promise<void> {
    this.hasRoutines = false;
    try {
      await this.daemon.routines();
      this.hasRoutines = true;
    } catch {
      // An older daemon has none, which is no fault to tell of.
      this.hasRoutines = false;
    }
  }

  /** Adds a command that is there where the daemon has routines; an older one has none (D97). */
  private addRoutineCommand(id: string, name: string, run: () => void): void {
    this.addCommand({
      id,
      name,
      checkCallback: (checking) => {
        if (this.hasRoutines === true && !checking) run();
        return this.hasRoutines === true;
      },
    });
  }

  private addCommands(): void {
    this.addRoutineCommand("run-routine", say.runRoutine, () => { new RoutineModal(this.app, this).open(); });
    this.addRoutineCommand("proposals", say.proposals, () => { new ProposalsModal(this.app, this).open(); });
    this.addCommand({ id: "ask", name: say.ask, callback: () => void this.openAsk() });
    this.addEditorCommand("answer-here", say.answerHere, (editor, info) => void this.inline.answer(editor, info));
    this.addEditorCommand("suggest-links", say.suggestLinks, () => void this.openLinks());
    this.addEditorCommand("link-mention", say.linkMention, (editor, info) => void linkMention(this, editor, info));
    this.addEditorCommand("remember", say.remember, (editor, { file }) => {
      void rememberHere(this, editor.getSelection(), editor.getLine(editor.getCursor("to").line), file ? [file.path] : []);
    });
    this.addCommand({ id: "related", name: say.showRelated, callback: () => void this.openRelated() });
    this.addFileCommand("open-related", say.openRelated, (file) => { new RelatedModal(this.app, this, file).open(); });
    this.addCommand({ id: "search", name: say.search, callback: () => { new SearchModal(this.app, this).open(); } });
    this.addFileCommand("summarize-note", say.summarizeNote, (file) => void this.perform(summaryOfNote(file.path)));
    this.addFileCommand("summarize-folder", say.summarizeFolder, (file) => void this.perform(summaryOfFolder(file.path)));
    this.addCommand({ id: "summarize-tag", name: say.summarizeTag, callback: () => { this.pickTag(); } });
    this.addFileCommand("compare", say.compare, (file) => {
      new NotePick(this.app, file, (other) => void this.perform(comparison(file.path, other.path))).open();
    });
    this.addFileCommand("reindex-note", say.reindexNote, (file) => void reindex(this, { paths: [file.path] }));
    this.addCommand({ id: "reindex", name: say.reindex, callback: () => void reindex(this) });
    this.addCommand({ id: "status", name: say.showStatus, callback: () => { this.showStatus(); } });
  }

  private addEditorCommand(id: string, name: string, run: (editor: Editor, info: MarkdownView | MarkdownFileInfo) => void): void {
    this.addCommand({ id, name, editorCallback: run });
  }

  /** Adds a command that is there while a note is open. */
  private addFileCommand(id: string, name: string, run: (file: TFile) => void): void {
    this.addCommand({
      id,
      name,
      checkCallback: (checking) => {
        const file = this.app.workspace.getActiveFile();
        if (file && !checking) run(file);
        return file !== null;
      },
    });
  }

  private async openAsk(): Promise<void> {
    const leaf = await this.app.workspace.ensureSideLeaf(ASK_VIEW, "right", { active: true, reveal: true });
    if (leaf.view instanceof AskView) leaf.view.focusInput();
  }

  private pickTag(): void {
    new TagPick(this.app, (tag) => {
      const task = summaryOfTag(tag);
      if (task) void this.perform(task);
    }).open();
  }

  private async perform(task: Task): Promise<void> {
    const leaf = await this.app.workspace.ensureSideLeaf(ASK_VIEW, "right", { active: true, reveal: true });
    if (leaf.view instanceof AskView) await leaf.view.perform(task);
  }

  private async openLinks(): Promise<void> {
    const leaf = await this.app.workspace.ensureSideLeaf(LINKS_VIEW, "right", { active: false, reveal: true });
    if (leaf.view instanceof LinksView) leaf.view.look();
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
