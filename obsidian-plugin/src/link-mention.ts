/** The command "Link mention under cursor". */

import { type Editor, Notice, type TFile } from "obsidian";
import { asDaemonError, type Host } from "./host";
import { linkAt } from "./mentions";
import { applyEdits } from "./navigate";
import { say } from "./words";

export async function linkMention(host: Host, editor: Editor, file: TFile): Promise<void> {
  const { line, ch } = editor.getCursor();
  const text = editor.getLine(line);
  try {
    const { mentions } = await host.daemon.links(file.path);
    // What was typed meanwhile is left alone.
    const edit = line < editor.lineCount() && editor.getLine(line) === text ? linkAt(mentions, line, ch, text) : null;
    if (edit) applyEdits(editor, [edit]);
    else new Notice(say.noMention);
  } catch (error) {
    new Notice(asDaemonError(error).advice, 10_000);
  }
}
