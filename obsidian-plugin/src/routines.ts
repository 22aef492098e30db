/**
 * Routines and proposed changes as the daemon sends them; a state that a newer daemon knows is shown by its
 * own name, so it stays a string. Never imports obsidian.
 */

import type * as wire from "./contract.gen";
import { Fields, type Unread } from "./fields";

export type Routine = Pick<wire.KnownRoutine, "name" | "title" | "schedule">;

/** What is wrong with a routine's note, at which line from 1. */
export type WrongRoutine = wire.WrongRoutine;

export interface Routines { routines: Routine[]; wrong: WrongRoutine[] }

/** A run that is over. actions: the changes that it proposed or made. */
export interface Run extends Pick<wire.RoutineRun, "why" | "actions"> { state: string }

/** A change of a note. diff: what it would do now, of one that waits. */
export interface Proposal extends Pick<wire.KnownAction, "id" | "path" | "by" | "why" | "diff"> { state: string }

export type Decision = wire.DecideAction["decision"];

export function parseRoutines(body: unknown): Routines {
  const fields = Fields.of<wire.KnownRoutines>(body as Unread<wire.KnownRoutines>, "routines");
  return { routines: fields.list("routines", readRoutine), wrong: fields.list("wrong", readWrong) };
}

export function parseRun(body: unknown): Run {
  const fields = Fields.of<wire.RoutineRun>(body as Unread<wire.RoutineRun>, "run");
  return { state: fields.string("state"), why: fields.string("why"), actions: fields.strings("actions") };
}

export function parseProposals(body: unknown): Proposal[] {
  return Fields.of<wire.KnownActions>(body as Unread<wire.KnownActions>, "actions").list("actions", parseProposal);
}

export function parseProposal(body: unknown, where = "action"): Proposal {
  const fields = Fields.of<wire.KnownAction>(body as Unread<wire.KnownAction>, where);
  return {
    id: fields.string("id"), state: fields.string("state"), path: fields.string("path"), by: fields.string("by"),
    why: fields.string("why"), diff: fields.string("diff"),
  };
}

function readRoutine(value: Unread<wire.KnownRoutine>, where: string): Routine {
  const fields = Fields.of(value, where);
  return { name: fields.string("name"), title: fields.string("title"), schedule: fields.string("schedule") };
}

function readWrong(value: Unread<WrongRoutine>, where: string): WrongRoutine {
  const fields = Fields.of(value, where);
  return { path: fields.string("path"), line: fields.number("line"), message: fields.string("message"), hint: fields.string("hint") };
}
