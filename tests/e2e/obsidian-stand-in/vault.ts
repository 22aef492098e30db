/** The vault as the plugin sees it. What is created stays in the page, so that nothing is written to the disk. */

import { Events } from "./component";
import { server, type Setup } from "./server";

export class TFile {
  readonly name: string;
  readonly basename: string;
  readonly extension: string;

  constructor(readonly path: string) {
    this.name = path.split("/").pop() ?? path;
    const dot = this.name.lastIndexOf(".");
    this.basename = dot < 0 ? this.name : this.name.slice(0, dot);
    this.extension = dot < 0 ? "" : this.name.slice(dot + 1);
  }
}

export class FileSystemAdapter {
  constructor(private readonly base: string) {}

  getBasePath(): string {
    return this.base;
  }
}

export class Vault extends Events {
  readonly adapter: FileSystemAdapter;
  readonly configDir = ".obsidian";
  private readonly files: Map<string, TFile>;

  private readonly created = new Map<string, string>();

  constructor(private readonly setup: Setup) {
    super();
    this.adapter = new FileSystemAdapter(setup.vault);
    this.files = new Map(setup.files.map((path) => [path, new TFile(path)]));
  }

  getName(): string {
    return this.setup.vaultName;
  }

  getFileByPath(path: string): TFile | null {
    return this.files.get(path) ?? null;
  }

  getFiles(): TFile[] {
    return [...this.files.values()];
  }

  cachedRead(file: TFile): Promise<string> {
    const made = this.created.get(file.path);
    return Promise.resolve(made ?? server.read(`${this.setup.vault}/${file.path}`));
  }

  create(path: string, data: string): Promise<TFile> {
    if (this.files.has(path)) return Promise.reject(new Error("File already exists."));
    const file = new TFile(path);
    this.files.set(path, file);
    this.created.set(path, data);
    return Promise.resolve(file);
  }

  rename(file: TFile, to: string): void {
    const from = file.path;
    const made = new TFile(to);
    this.files.delete(from);
    this.files.set(to, made);
    this.trigger("rename", made, from);
  }
}
