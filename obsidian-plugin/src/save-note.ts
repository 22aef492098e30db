/** Writes a conversation into a note of its own, where the person keeps new notes; never over another note. */

import { type App, normalizePath, Notice } from "obsidian";
import { noteName } from "./conversation";
import { asDaemonError } from "./host";
import { openAt } from "./navigate";
import { say } from "./words";

export async function saveNote(app: App, question: string, text: string): Promise<void> {
  const near = app.workspace.getActiveFile()?.path ?? "";
  const name = noteName(question, say.savedName);
  const folder = app.fileManager.getNewFileParent(near, `${name}.md`).path;
  const path = freePath(app, folder, name);
  try {
    await app.vault.create(path, text);
  } catch (error) {
    new Notice(asDaemonError(error).advice, 10_000);
    return;
  }
  new Notice(say.saved(path));
  await openAt(app, { path, startLine: 1, page: null });
}

function freePath(app: App, folder: string, name: string): string {
  for (let count = 0; ; count++) {
    const path = normalizePath(`${folder}/${count === 0 ? name : `${name} ${String(count)}`}.md`);
    if (!app.vault.getFileByPath(path)) return path;
  }
}
