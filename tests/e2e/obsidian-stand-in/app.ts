/** App, Plugin and the functions that stand beside them. */

import type { Extension } from "@codemirror/state";
import { Component } from "./component";
import type { Editor } from "./editor";
import { server, type Setup } from "./server";
import type { PluginSettingTab } from "./setting";
import { type EditorSuggest, suggesting } from "./suggest";
import { Vault } from "./vault";
import { type MarkdownFileInfo, MarkdownView } from "./views";
import { type ViewCreator, Workspace } from "./workspace";

/** Outlives a reload of the page, as the real one outlives a restart of the app; it is not in the vault. */
class SecretStorage {
  setSecret(id: string, secret: string): void {
    localStorage.setItem(`secret:${id}`, secret);
  }

  getSecret(id: string): string | null {
    return localStorage.getItem(`secret:${id}`);
  }
}

export interface Command {
  id: string;
  name: string;
  callback?: () => unknown;
  checkCallback?: (checking: boolean) => boolean | void;
  editorCallback?: (editor: Editor, context: MarkdownView | MarkdownFileInfo) => unknown;
}

export interface Regions { main: HTMLElement; tabs: HTMLElement; side: HTMLElement; status: HTMLElement; ribbon: HTMLElement }

export class App {
  readonly vault: Vault;
  readonly workspace: Workspace;
  readonly secretStorage = new SecretStorage();
  readonly fileManager = { getNewFileParent: (_sourcePath: string, _newPath?: string) => ({ path: "/" }) };
  readonly commands = new Map<string, Command>();
  settingTab: PluginSettingTab | null = null;

  constructor(
    readonly setup: Setup,
    readonly regions: Regions,
  ) {
    this.vault = new Vault(setup);
    this.workspace = new Workspace(this, regions.main, regions.tabs, regions.side);
  }

  loadLocalStorage(key: string): unknown {
    return JSON.parse(localStorage.getItem(`local:${key}`) ?? "null") as unknown;
  }

  saveLocalStorage(key: string, data: unknown): void {
    localStorage.setItem(`local:${key}`, JSON.stringify(data));
  }

  /** Runs a command as the palette does: those for the editor only where one is open. */
  /** Whether the palette would list a command now. */
  offers(id: string): boolean {
    const command = this.commands.get(id);
    return command !== undefined && (command.checkCallback?.(true) ?? true) !== false;
  }

  run(id: string): void {
    const command = this.commands.get(id);
    if (!command) throw new Error(`no command ${id}`);
    const { view } = this.workspace.getLeaf();
    if (command.editorCallback && view instanceof MarkdownView) command.editorCallback(view.editor, view);
    else if (command.checkCallback?.(true)) command.checkCallback(false);
    else command.callback?.();
  }
}

export interface PluginManifest { id: string; name: string; version: string }

export abstract class Plugin extends Component {
  settings: unknown = undefined;

  constructor(
    readonly app: App,
    readonly manifest: PluginManifest,
  ) {
    super();
  }

  addCommand(command: Command): Command {
    const full = { ...command, id: `${this.manifest.id}:${command.id}`, name: `${this.manifest.name}: ${command.name}` };
    this.app.commands.set(full.id, full);
    this.register(() => this.app.commands.delete(full.id));
    return full;
  }

  addStatusBarItem(): HTMLElement {
    const el = this.app.regions.status.createDiv({ cls: "status-bar-item" });
    this.register(() => { el.detach(); });
    return el;
  }

  addRibbonIcon(_icon: string, title: string, callback: (event: MouseEvent) => unknown): HTMLElement {
    const el = this.app.regions.ribbon.createDiv({ cls: "ribbon-icon", text: "?", attr: { "aria-label": title } });
    el.addEventListener("click", callback);
    this.register(() => { el.detach(); });
    return el;
  }

  addSettingTab(tab: PluginSettingTab): void {
    this.app.settingTab = tab;
  }

  registerView(type: string, creator: ViewCreator): void {
    this.app.workspace.creators.set(type, creator);
    this.register(() => this.app.workspace.closeType(type));
  }

  registerEditorExtension(extension: Extension): void {
    this.app.workspace.editorExtensions.push(extension);
  }

  registerEditorSuggest(suggest: EditorSuggest<unknown>): void {
    this.registerEditorExtension(suggesting(suggest));
    this.register(() => { suggest.close(); });
  }

  loadData(): Promise<unknown> {
    return Promise.resolve(this.app.setup.data);
  }

  async saveData(data: unknown): Promise<void> {
    await server.saveData(data);
  }
}

export interface RequestUrlParam { url: string; method?: string; headers?: Record<string, string>; body?: string; throw?: boolean }

/** Goes by way of the harness server: no Origin, no CORS, as in the app. */
export async function requestUrl(request: RequestUrlParam): Promise<{ status: number; text: string }> {
  const { status, text, error } = await server.proxy(request);
  if (error) throw new Error(`net::ERR_CONNECTION_REFUSED (${error})`);
  if (status >= 400 && request.throw !== false) throw new Error(`Request failed, status ${String(status)}`);
  return { status, text };
}

export function getLanguage(): string {
  return localStorage.getItem("language") ?? "en";
}

export function normalizePath(path: string): string {
  return path.replace(/\/{2,}/g, "/").replace(/^\/|\/$/g, "").normalize("NFC");
}

export type UserEvent = MouseEvent | KeyboardEvent | TouchEvent | PointerEvent;

export const Keymap = {
  isModEvent(event: UserEvent | null): boolean {
    return event !== null && (event.ctrlKey || event.metaKey);
  },
};
