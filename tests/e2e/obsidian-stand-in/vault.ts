/** The vault as the plugin sees it; read-only here, so whatever writes fails the test. */

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

export class Vault {
  readonly adapter: FileSystemAdapter;
  readonly configDir = ".obsidian";
  private readonly files: Map<string, TFile>;

  constructor(private readonly setup: Setup) {
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
    return Promise.resolve(server.read(`${this.setup.vault}/${file.path}`));
  }
}
