/** "Run routine": the routines of the vault to run now, and those that are wrong, each with its line. */

import { type App, Notice, SuggestModal } from "obsidian";
import { asDaemonError, type Host } from "./host";
import { openAt } from "./navigate";
import { ProposalsModal } from "./proposals-modal";
import type { Routine, Routines, WrongRoutine } from "./routines";
import { say } from "./words";

type Row = { kind: "routine"; routine: Routine } | { kind: "wrong"; wrong: WrongRoutine };

export class RoutineModal extends SuggestModal<Row> {
  private found: Promise<Routines> | null = null;

  constructor(app: App, private readonly host: Host) {
    super(app);
    this.setPlaceholder(say.routinePick);
  }

  override async getSuggestions(query: string): Promise<Row[]> {
    this.found ??= this.load();
    const { routines, wrong } = await this.found;
    const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const holds = (text: string): boolean => words.every((word) => text.toLocaleLowerCase().includes(word));
    return [
      ...routines.filter(({ name, title }) => holds(`${title} ${name}`)).map((routine): Row => ({ kind: "routine", routine })),
      ...wrong.filter(({ path }) => holds(path)).map((one): Row => ({ kind: "wrong", wrong: one })),
    ];
  }

  private async load(): Promise<Routines> {
    try {
      this.emptyStateText = say.routineNone;
      return await this.host.daemon.routines();
    } catch (error) {
      this.emptyStateText = asDaemonError(error).advice;
      return { routines: [], wrong: [] };
    }
  }

  override renderSuggestion(row: Row, el: HTMLElement): void {
    el.addClass("pai-suggestion");
    if (row.kind === "routine") {
      const { title, name, schedule } = row.routine;
      el.createDiv({ cls: "pai-row-place", text: title || name });
      el.createDiv({ cls: "pai-row-detail", text: schedule });
      return;
    }
    const { path, line, message, hint } = row.wrong;
    el.createDiv({ cls: "pai-row-place", text: path });
    el.createDiv({ cls: "pai-warning", text: `${say.line(line)}: ${message} ${hint}`.trim() });
  }

  override onChooseSuggestion(row: Row, event: MouseEvent | KeyboardEvent): void {
    if (row.kind === "routine") void run(this.app, this.host, row.routine);
    else void openAt(this.app, { path: row.wrong.path, startLine: row.wrong.line, page: null }, event);
  }
}

async function run(app: App, host: Host, { name, title }: Routine): Promise<void> {
  new Notice(say.routineRuns(title || name));
  try {
    const { state, why, actions } = await host.daemon.runRoutine(name);
    new Notice(say.routineRan(title || name, say.runStates[state] ?? state, why), 10_000);
    if (actions.length > 0) await openWaiting(app, host, actions);
  } catch (error) {
    new Notice(asDaemonError(error).advice, 10_000);
  }
}

/** Shows what the run proposed; what a routine may do unasked is done already. */
async function openWaiting(app: App, host: Host, actions: readonly string[]): Promise<void> {
  const waiting = await host.daemon.proposals();
  if (waiting.some(({ id }) => actions.includes(id))) new ProposalsModal(app, host).open();
}
