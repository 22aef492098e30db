/** The frame around the views: ribbon, list of notes, editor, right side, status bar. */

import type { App, Regions } from "./app";
import type { TFile } from "./vault";

export function frame(vaultName: string): Regions {
  const root = document.body.createDiv({ cls: "app" });
  const ribbon = root.createDiv({ cls: "ribbon" });
  const left = root.createDiv({ cls: "left" });
  left.createDiv({ cls: "files" });
  left.createDiv({ cls: "vault-name", text: vaultName });
  const center = root.createDiv({ cls: "center" });
  center.createDiv({ cls: "tab-bar" }).createDiv({ cls: "tab" });
  const main = center.createDiv({ cls: "main" });
  const right = root.createDiv({ cls: "right" });
  const tabs = right.createDiv({ cls: "side-tabs" });
  const side = right.createDiv({ cls: "side" });
  const status = document.body.createDiv({ cls: "status-bar" });
  status.createDiv({ cls: "status-bar-item stand-in-note", text: "Test stand-in for Obsidian" });
  document.body.createDiv({ cls: "notice-container" });
  return { main, tabs, side, status, ribbon };
}

/** Draws the notes as a tree of closed folders; the folders of the open note are open. */
export function drawFiles(app: App): void {
  const root = document.querySelector<HTMLElement>(".files");
  if (!root) return;
  const rows = new Map<string, HTMLElement>();
  const folders = new Map<string, HTMLElement>();
  const holderOf = (folder: string): HTMLElement => {
    if (!folder) return root;
    const known = folders.get(folder);
    if (known) return known;
    const cut = folder.lastIndexOf("/");
    const box = holderOf(cut < 0 ? "" : folder.slice(0, cut)).createEl("details", { cls: "folder" });
    box.createEl("summary", { text: folder.slice(cut + 1) });
    const holder = box.createDiv({ cls: "folder-files" });
    folders.set(folder, holder);
    return holder;
  };
  for (const file of app.vault.getFiles().filter(({ extension }) => extension === "md").sort(foldersFirst)) {
    const row = holderOf(file.path.split("/").slice(0, -1).join("/")).createDiv({ cls: "file", text: file.basename });
    row.addEventListener("click", () => void app.workspace.getLeaf().openFile(file));
    rows.set(file.path, row);
  }
  app.workspace.on("file-open", (file: TFile) => { reveal(file, rows); });
}

function reveal(file: TFile, rows: Map<string, HTMLElement>): void {
  for (const row of rows.values()) row.removeClass("is-active");
  const row = rows.get(file.path);
  row?.addClass("is-active");
  for (let box = row?.closest("details"); box; box = box.parentElement?.closest("details")) box.open = true;
  row?.scrollIntoView({ block: "nearest" });
  document.querySelector(".tab")?.setText(file.basename);
}

function foldersFirst(a: TFile, b: TFile): number {
  const depth = (file: TFile): number => (file.path.includes("/") ? 0 : 1);
  return depth(a) - depth(b) || a.path.localeCompare(b.path);
}
