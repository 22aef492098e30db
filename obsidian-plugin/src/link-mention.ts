/** The command "Link mention under cursor". */

import { type Editor, type MarkdownFileInfo, type MarkdownView, Notice } from "obsidian";
import { asDaemonError, type Host } from "./host";
import { linkAt } from "./mentions";
import { applyEdits } from "./navigate";
import { say } from "./words";

export async function linkMention(host: Host, editor: Editor, info: MarkdownView | MarkdownFileInfo): Promise<void> {
  const { file } = info;
  if (!file) return;
  const { line, ch } = editor.getCursor();
  const text = editor.getLine(line);
  try {
    const { mentions } = await host.daemon.links(file.path);
    // What was typed meanwhile is left alone, and so is another note that the editor shows by now.
    const edit = info.file === file && line < editor.lineCount() && editor.getLine(line) === text ? linkAt(mentions, line, ch, text) : null;
    if (edit) applyEdits(editor, [edit]);
    else new Notice(say.noMention);
  } catch (error) {
    new Notice(asDaemonError(error).advice, 10_000);
  }
}
