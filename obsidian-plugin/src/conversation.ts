/** What was asked and answered, oldest first, and what of it the daemon is told with the next question. Never imports obsidian. */

import type { Answer } from "./contract";
import { snippet, toMarkdown, withoutMarkers } from "./results";
import type { Task } from "./task";

/** task: what to do again. */
export interface Exchange { question: string; answer: Answer; task: Task }
export interface Turn { role: "user" | "assistant"; content: string }

// A follow-up means what was said last; a request has a mebibyte at most.
const EXCHANGES = 8;
const CHARACTERS = 4_000;

export class Conversation {
  private list: Exchange[] = [];
  /** By this the daemon knows what belongs together, where conversations are kept. */
  id = crypto.randomUUID();

  get exchanges(): readonly Exchange[] {
    return this.list;
  }

  add(exchange: Exchange): void {
    this.list.push(exchange);
  }

  drop(exchange: Exchange): void {
    this.list = this.list.filter((one) => one !== exchange);
  }

  clear(): void {
    this.list = [];
    this.id = crypto.randomUUID();
  }

  /** Returns the latest turns; an answer without its markers, whose numbers belong to passages of that time. */
  history(): Turn[] {
    return this.list.slice(-EXCHANGES).flatMap(({ question, answer }): Turn[] => [
      { role: "user", content: question.slice(0, CHARACTERS) },
      { role: "assistant", content: withoutMarkers(answer.answer).slice(0, CHARACTERS) },
    ]);
  }

  /** Returns the conversation as a note: a heading for each question, its answer and its sources below. */
  toNote(): string {
    return this.list.map(({ question, answer }) => `## ${snippet(question, 200)}\n\n${toMarkdown(answer)}\n`).join("\n");
  }
}

/** Returns a name that every file system takes and that a wikilink can hold; `fallback` where nothing is left. */
export function noteName(question: string, fallback: string): string {
  const plain = question.replace(/[\\/:*?"<>|#^[\]%]/g, " ").replace(/\p{Cc}/gu, " ");
  return snippet(plain, 80).replace(/^[.\s]+|[.…\s]+$/g, "") || fallback;
}
