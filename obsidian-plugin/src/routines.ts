/** Routines and proposed changes as the daemon sends them. Never imports obsidian. */

import { Fields, type Unread } from "./fields";

/** A routine as the plugin shows it. due: when it runs next, by itself. */
export interface Routine { name: string; title: string; schedule: string; due: string | null }

/** What is wrong with a routine's note, at which line from 1. */
export interface WrongRoutine { path: string; line: number; message: string; hint: string }

export interface Routines { routines: Routine[]; wrong: WrongRoutine[] }

/** A run that is over. actions: the changes that it proposed or made. */
export interface Run { routine: string; state: string; why: string; actions: string[] }

/** A change of a note. diff: what it would do now, of one that waits. */
export interface Proposal { id: string; state: string; path: string; by: string; why: string; diff: string }

interface SentRoutine { name: string; title: string; schedule: string; next: string | null }
interface SentRoutines { routines: readonly SentRoutine[]; wrong: readonly WrongRoutine[] }
interface SentActions { actions: readonly Proposal[] }

export type Decision = "approve" | "reject" | "undo";

export function parseRoutines(body: unknown): Routines {
  const fields = Fields.of<SentRoutines>(body as Unread<SentRoutines>, "routines");
  return { routines: fields.list("routines", readRoutine), wrong: fields.list("wrong", readWrong) };
}

export function parseRun(body: unknown): Run {
  const fields = Fields.of<Run>(body as Unread<Run>, "run");
  return { routine: fields.string("routine"), state: fields.string("state"), why: fields.string("why"), actions: fields.strings("actions") };
}

export function parseProposals(body: unknown): Proposal[] {
  return Fields.of<SentActions>(body as Unread<SentActions>, "actions").list("actions", readProposal);
}

export function parseProposal(body: unknown): Proposal {
  return readProposal(body as Unread<Proposal>, "action");
}

function readRoutine(value: Unread<SentRoutine>, where: string): Routine {
  const fields = Fields.of(value, where);
  return {
    name: fields.string("name"), title: fields.string("title"), schedule: fields.string("schedule"), due: fields.stringOrNull("next"),
  };
}

function readWrong(value: Unread<WrongRoutine>, where: string): WrongRoutine {
  const fields = Fields.of(value, where);
  return { path: fields.string("path"), line: fields.number("line"), message: fields.string("message"), hint: fields.string("hint") };
}

function readProposal(value: Unread<Proposal>, where: string): Proposal {
  const fields = Fields.of(value, where);
  return {
    id: fields.string("id"), state: fields.string("state"), path: fields.string("path"), by: fields.string("by"),
    why: fields.string("why"), diff: fields.string("diff"),
  };
}
