/**
 * The conversation with the daemon: requests, time limits, streams, and errors
 * turned into sentences. Sending is handed in, so that this runs without
 * Obsidian; finding the daemon is discovery's. Never imports obsidian.
 */

import type {
  Answer, Citation, Estimate, LinkSuggestions, Receipt, RefusedPair, RelatedNote, SearchMode, SearchPage, Status, Step, Waiting, WrittenLink,
} from "./contract";
import type { Ask, Compare, DecideAction, Remember, RunRoutine, Summarize, Undo } from "./contract.gen";
import {
  ContractError, parseAnswer, parseCitations, parseCited, parseComparison, parseDelta, parseEstimate, parseLinks, parseNoteLinks, parseProblem, parseReceipt, parseRefused,
  parseRelated, parseSearch, parseStatus, parseStep, parseSummary, parseWaiting,
} from "./contract";
import { DaemonError } from "./daemon-error";
import type { Connection } from "./discovery";
import type { Turn } from "./conversation";
import {
  type Decision, parseProposal, parseProposals, parseRoutines, parseRun, type Proposal, type Routines, type Run,
} from "./routines";
import { readEvents, type ServerEvent } from "./sse";

export interface HttpRequest { url: string; method: "GET" | "POST"; headers: Record<string, string>; body?: string }
export interface HttpReply { status: number; text: string }
export interface HttpStream { status: number; chunks: AsyncIterable<string> }

/** One whole exchange; rejects only where no reply came. */
export type Send = (request: HttpRequest) => Promise<HttpReply>;
/** A reply read as it arrives; rejects where no reply came or the signal fired. */
export type Stream = (request: HttpRequest, signal: AbortSignal) => Promise<HttpStream>;
/** Runs `then` after `ms`; returns how to call it off. */
export type After = (ms: number, then: () => void) => () => void;

export interface Parts {
  send: Send;
  stream: Stream;
  after: After;
  /** Called for each request, so that a restarted daemon or a new token is found at once. */
  connect: () => Promise<Connection>;
  vaultPath: string;
}

export interface Question {
  question: string;
  limit: number;
  note?: string;
  history?: Turn[];
  conversation?: string;
  /** Read no time and no tag of the question as a filter. */
  asAsked?: boolean;
}

export interface Wanted { mode: SearchMode; limit: number; typing?: boolean }

export interface AnswerEvents {
  onEstimate?: (estimate: Estimate) => void;
  onStep?: (step: Step) => void;
  onWaiting?: (waiting: Waiting) => void;
  onSources?: (citations: Citation[]) => void;
  onDelta?: (text: string) => void;
  onCited?: (n: number) => void;
}

// As the daemon's setting keep_conversations names it.
const CLIENT = "plugin";
const REPLY_S = 20;
// A generator on a slow machine reads its sources for a minute before the first word.
const ANSWER_S = 300;
// The daemon sends a comment line every few seconds, so a longer silence is a lost connection.
const SILENCE_S = 120;

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export class Daemon {
  constructor(private readonly parts: Parts) {}

  async status(): Promise<Status> {
    return this.read(parseStatus, await this.exchange("GET", "/api/status"));
  }

  async search(q: string, { mode, limit, typing }: Wanted): Promise<SearchPage> {
    return this.read(parseSearch, await this.exchange("GET", "/api/search", { q, mode, limit, typing }));
  }

  async related(near: { path: string } | { text: string }, limit: number): Promise<RelatedNote[]> {
    return this.read(parseRelated, await this.exchange("GET", "/api/related", { ...near, limit }));
  }

  async links(path: string): Promise<LinkSuggestions> {
    return this.read(parseLinks, await this.exchange("GET", "/api/links", { path }));
  }

  /** Returns the pairs of notes that are never suggested to each other. */
  async refused(): Promise<RefusedPair[]> {
    return this.read(parseRefused, await this.exchange("GET", "/api/links/refused"));
  }

  /** Never suggests these notes to each other again, or, with `undo`, does; returns all pairs that are refused. */
  async refuse(pairs: readonly RefusedPair[], { undo = false } = {}): Promise<RefusedPair[]> {
    return this.read(parseRefused, await this.exchange("POST", "/api/links/refuse", {}, { pairs, undo }));
  }

  /** Returns the links that are written in a note, and where each leads. */
  async written(path: string): Promise<WrittenLink[]> {
    return this.read(parseNoteLinks, await this.exchange("GET", `/api/notes/${path.split("/").map(encodeURIComponent).join("/")}`));
  }

  /** Keeps a fact word by word, local-only where one of the notes that it is from is; the receipt says where. */
  async remember(text: string, notes: string[]): Promise<Receipt> {
    const asked: Remember = { text, source: "obsidian", notes };
    return this.read(parseReceipt, await this.exchange("POST", "/api/memory", {}, asked));
  }

  /** Takes back one change of memory; refused where its line is another by now. */
  async undoMemory(change: string): Promise<Receipt> {
    const asked: Undo = { change };
    return this.read(parseReceipt, await this.exchange("POST", "/api/memory/undo", {}, asked));
  }

  async routines(): Promise<Routines> {
    return this.read(parseRoutines, await this.exchange("GET", "/api/routines"));
  }

  /** Runs a routine and returns when it is over. */
  async runRoutine(name: string): Promise<Run> {
    const path = `/api/routines/${name.split("/").map(encodeURIComponent).join("/")}/run`;
    return this.read(parseRun, await this.exchange("POST", path, {}, {} satisfies RunRoutine, ANSWER_S));
  }

  /** Returns the changes of notes that wait for the person. */
  async proposals(): Promise<Proposal[]> {
    return this.read(parseProposals, await this.exchange("GET", "/api/actions", { state: "proposed" }));
  }

  async decide(id: string, decision: Decision): Promise<Proposal> {
    return this.read(parseProposal, await this.exchange("POST", `/api/actions/${encodeURIComponent(id)}`, {}, { decision } satisfies DecideAction));
  }

  /** Lets the daemon look at notes again, or at all; `believe` that many of them really are gone. */
  async reindex({ paths, believe }: { paths?: string[]; believe?: boolean } = {}): Promise<void> {
    await this.exchange("POST", "/api/index", {}, { paths, confirm_removals: believe });
  }

  /** Lets what waits for its embedding go on waiting, or goes on with it. */
  async pause(pause: boolean): Promise<void> {
    await this.exchange("POST", "/api/index", {}, { pause });
  }

  /**
   * Returns the whole answer, telling of its parts as they arrive. Where streaming is
   * not possible (an older setting of allowed origins, a proxy) it asks once more
   * without it. Throws DaemonError; code "stopped" when the signal fired.
   */
  async ask(question: Question, signal: AbortSignal, events: AnswerEvents = {}): Promise<Answer> {
    const { asAsked, ...rest } = question;
    const asked: Ask = asAsked ? { ...rest, client: CLIENT, as_asked: true } : { ...rest, client: CLIENT };
    return this.write("/api/ask", asked, parseAnswer, signal, events);
  }

  /** Returns what a summary would take; no generator is told of it. Throws as ask does. */
  async estimate(of: Summarize, signal: AbortSignal): Promise<Estimate> {
    const asked: Summarize = { ...of, estimate: true };
    return this.read(parseEstimate, await untilAborted(this.exchange("POST", "/api/summarize", {}, asked), signal));
  }

  /** Returns a summary as an answer; its estimate comes first, then how far it is. Throws as ask does. */
  async summarize(of: Summarize, signal: AbortSignal, events: AnswerEvents = {}): Promise<Answer> {
    return this.write("/api/summarize", of, parseSummary, signal, events);
  }

  /** Returns what two notes share and where they differ, as an answer. Throws as ask does. */
  async compare(of: Compare, signal: AbortSignal, events: AnswerEvents = {}): Promise<Answer> {
    return this.write("/api/compare", of, parseComparison, signal, events);
  }

  private async write(
    path: string, asked: Ask | Summarize | Compare, parse: (body: unknown) => Answer, signal: AbortSignal, events: AnswerEvents,
  ): Promise<Answer> {
    const opened = await this.open("POST", path, signal, { ...asked, stream: true });
    if (opened) return this.readAnswer(opened, parse, signal, events);
    const text = await untilAborted(this.exchange("POST", path, {}, { ...asked, stream: false }, ANSWER_S), signal);
    return this.read(parse, text);
  }

  /** Resolves when the stream of events ends; false where it could not be opened. */
  async listen(signal: AbortSignal, onEvent: (event: ServerEvent) => void): Promise<boolean> {
    const chunks = await this.open("GET", "/api/events", signal);
    if (!chunks) return false;
    try {
      for await (const event of readEvents(chunks)) onEvent(event);
    } catch (error) {
      if (!signal.aborted && error instanceof ContractError) throw error;
    }
    return true;
  }

  private async readAnswer(
    chunks: AsyncIterable<string>, parse: (body: unknown) => Answer, signal: AbortSignal, events: AnswerEvents,
  ): Promise<Answer> {
    try {
      for await (const { event, data } of readEvents(this.unlessSilent(chunks))) {
        const body: unknown = JSON.parse(data);
        if (event === "done") return parse(body);
        if (event === "error") throw DaemonError.fromProblem(parseProblem(body, 500));
        if (event === "estimate") events.onEstimate?.(parseEstimate(body));
        else if (event === "progress") events.onStep?.(parseStep(body));
        else if (event === "notice") events.onWaiting?.(parseWaiting(body));
        else if (event === "sources") events.onSources?.(parseCitations(body));
        else if (event === "delta") events.onDelta?.(parseDelta(body));
        else if (event === "citation") events.onCited?.(parseCited(body));
      }
    } catch (error) {
      throw this.explain(error, signal);
    }
    throw signal.aborted ? DaemonError.stopped() : DaemonError.cutShort();
  }

  private explain(error: unknown, signal: AbortSignal): DaemonError {
    if (signal.aborted) return DaemonError.stopped();
    if (error instanceof DaemonError) return error;
    if (error instanceof ContractError || error instanceof SyntaxError) return DaemonError.unknownForm(error.message);
    return DaemonError.lost();
  }

  private async *unlessSilent(chunks: AsyncIterable<string>): AsyncGenerator<string> {
    const source = chunks[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await this.within(SILENCE_S, source.next());
        if (step.done) return;
        yield step.value;
      }
    } finally {
      // Not awaited: a source that hangs in next() would hang in return() too.
      void source.return?.();
    }
  }

  /** Opens a stream, or returns null where only a plain request can tell what is wrong. */
  private async open(
    method: "GET" | "POST", path: string, signal: AbortSignal, body?: unknown,
  ): Promise<AsyncIterable<string> | null> {
    const request = await this.request(method, path, {}, body);
    request.headers.Accept = "text/event-stream";
    let reply: HttpStream;
    try {
      reply = await this.within(ANSWER_S, this.parts.stream(request, signal));
    } catch (error) {
      if (signal.aborted) throw DaemonError.stopped();
      if (error instanceof DaemonError) throw error;
      return null;
    }
    if (reply.status < 400) return reply.chunks;
    let text = "";
    for await (const chunk of reply.chunks) text += chunk;
    throw DaemonError.fromProblem(parseProblem(parseJson(text), reply.status));
  }

  private async exchange(
    method: "GET" | "POST", path: string, query: Query = {}, body?: unknown, seconds = REPLY_S,
  ): Promise<string> {
    const request = await this.request(method, path, query, body);
    let reply: HttpReply;
    try {
      reply = await this.within(seconds, this.parts.send(request));
    } catch (error) {
      throw error instanceof DaemonError ? error : DaemonError.notRunning(this.parts.vaultPath);
    }
    if (reply.status < 400) return reply.text;
    throw DaemonError.fromProblem(parseProblem(parseJson(reply.text), reply.status));
  }

  private async request(method: "GET" | "POST", path: string, query: Query, body?: unknown): Promise<HttpRequest> {
    const { url, token } = await this.parts.connect();
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(key, String(one));
    }
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
    const target = `${url}${path}${search.size > 0 ? `?${search.toString()}` : ""}`;
    if (body === undefined) return { url: target, method, headers };
    headers["Content-Type"] = "application/json";
    return { url: target, method, headers, body: JSON.stringify(body) };
  }

  private read<T>(parse: (body: unknown) => T, text: string): T {
    try {
      return parse(JSON.parse(text));
    } catch (error) {
      if (error instanceof ContractError || error instanceof SyntaxError) throw DaemonError.unknownForm(error.message);
      throw error;
    }
  }

  private within<T>(seconds: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.parts.after(seconds * 1000, () => { reject(DaemonError.timeout(seconds)); });
      work.then(resolve, reject).finally(cancel);
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** requestUrl cannot be called off, so its reply is let go instead. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => { reject(DaemonError.stopped()); };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => { signal.removeEventListener("abort", stop); });
  });
}
