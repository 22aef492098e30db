/** The command "Answer here": the selection or the line is the question, the answer goes below it. */

import type { EditorView } from "@codemirror/view";
import { type Editor, type MarkdownFileInfo, type MarkdownView, Notice } from "obsidian";
import { asDaemonError, type Host } from "./host";
import { codeMirror } from "./navigate";
import { PendingAnswer } from "./pending-answer";
import { questionOf, toCallout } from "./results";
import { say } from "./words";

/** Answers below questions; remembers what is under way so that unloading the plugin can stop it. */
export class InlineAnswers {
  private readonly running = new Set<AbortController>();

  constructor(private readonly host: Host) {}

  dispose(): void {
    for (const controller of this.running) controller.abort();
  }

  async answer(editor: Editor, info: MarkdownView | MarkdownFileInfo): Promise<void> {
    const selected = editor.getSelection().trim();
    const last = editor.getCursor("to");
    const question = selected || questionOf(editor.getLine(last.line));
    if (!question) {
      new Notice(say.noQuestion);
      return;
    }
    const view = codeMirror(editor);
    if (!view) {
      new Notice(say.noEditor);
      return;
    }
    await this.run(view, editor.posToOffset(last), question, info.file?.path);
  }

  private async run(view: EditorView, pos: number, question: string, note: string | undefined): Promise<void> {
    const controller = new AbortController();
    this.running.add(controller);
    let text = "";
    const pending = new PendingAnswer(view, pos, (notice) => { controller.abort(notice); });
    try {
      const asked = { question, limit: this.host.settings.sources, ...(note === undefined ? {} : { note }) };
      const answer = await this.host.daemon.ask(asked, controller.signal, {
        onWaiting: (waiting) => {
          pending.write([waiting.text, waiting.preview].filter(Boolean).join("\n\n"));
        },
        onDelta: (delta) => {
          text += delta;
          pending.write(text);
        },
      });
      pending.finish(toCallout(answer, question));
    } catch (error) {
      pending.cancel();
      const { code, advice } = asDaemonError(error);
      const reason: unknown = controller.signal.reason;
      if (typeof reason === "string") new Notice(reason);
      else if (code !== "stopped") new Notice(advice, 10_000);
    } finally {
      this.running.delete(controller);
    }
  }
}
