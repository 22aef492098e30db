import { describe, expect, test } from "vitest";
import { type After, Daemon, type HttpRequest, type Parts, type Send, type Stream } from "../src/daemon";
import { DaemonError } from "../src/daemon-error";
import * as documents from "./documents";

const never: After = () => () => undefined;

function daemon(parts: Partial<Parts>): Daemon {
  const unused = (): never => { throw new TypeError("Failed to fetch"); };
  return new Daemon({
    send: unused,
    stream: unused,
    after: never,
    connect: () => Promise.resolve({ url: "http://127.0.0.1:1", token: "secret" }),
    vaultPath: "/my vault",
    ...parts,
  });
}

function replies(status: number, body: unknown, seen: HttpRequest[] = []): Send {
  return (request) => {
    seen.push(request);
    return Promise.resolve({ status, text: typeof body === "string" ? body : JSON.stringify(body) });
  };
}

function streams(...chunks: string[]): Stream {
  return () => Promise.resolve({ status: 200, chunks: chunked(chunks) });
}

async function* chunked(chunks: string[]): AsyncGenerator<string> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

async function failure(work: Promise<unknown>): Promise<DaemonError> {
  const error: unknown = await work.then(() => null, (reason: unknown) => reason);
  if (!(error instanceof DaemonError)) throw new Error(`expected a DaemonError, got ${String(error)}`);
  return error;
}

describe("requests", () => {
  test("carry the token and an encoded query", async () => {
    const seen: HttpRequest[] = [];
    await daemon({ send: replies(200, { results: [] }, seen) }).related({ path: "Ä & B/c?.md" }, 5);
    expect(seen[0]?.url).toBe("http://127.0.0.1:1/api/related?path=%C3%84+%26+B%2Fc%3F.md&limit=5");
    expect(seen[0]?.headers.Authorization).toBe("Bearer secret");
  });

  test("without a reply say how to start the daemon", async () => {
    const error = await failure(daemon({}).status());
    expect(error.advice).toBe('The daemon is not running. Start it with: scripts/start "/my vault"');
  });

  test("with a refused token say where the right one is", async () => {
    const error = await failure(daemon({ send: replies(401, { status: 401, code: "unauthorized", title: "No" }) }).status());
    expect([error.code, error.message]).toEqual(["unauthorized", "The daemon refused the token."]);
  });

  test("pass the daemon's own detail and hint on", async () => {
    const problem = { type: "x", title: "Held", status: 503, code: "held", detail: "Half of the notes are gone.", hint: "Confirm it." };
    expect((await failure(daemon({ send: replies(503, problem) }).status())).advice).toBe("Half of the notes are gone. Confirm it.");
  });

  test("answered in an unknown form say so", async () => {
    expect((await failure(daemon({ send: replies(200, "<html>") }).status())).code).toBe("contract");
    expect((await failure(daemon({ send: replies(200, {}) }).status())).message).toContain("status.vault");
  });

  test("give up after their time limit", async () => {
    const after: After = (ms, then) => {
      expect(ms).toBe(20_000);
      queueMicrotask(then);
      return () => undefined;
    };
    const error = await failure(daemon({ send: () => new Promise(() => undefined), after }).status());
    expect(error.code).toBe("timeout");
  });
});

describe("asking", () => {
  const question = { question: "How often?", limit: 4 };
  const { signal } = new AbortController();

  test("tells of sources, text and citations before the whole answer", async () => {
    const told: unknown[] = [];
    const stream = streams(
      event("sources", { citations: documents.answer.citations, revision: 7 }),
      ": keep-alive\n\n",
      'event: delta\ndata: {"text":"Every ',
      'second day. [1]"}\n\nevent: citation\r\ndata: {"n":1}\r',
      "\n\r\n",
      event("done", documents.answer),
    );
    const answer = await daemon({ stream }).ask(question, signal, {
      onSources: (citations) => told.push(citations.length),
      onDelta: (text) => told.push(text),
      onCited: (n) => told.push(n),
    });
    expect(told).toEqual([2, "Every second day. [1]", 1]);
    expect(answer.found).toBe(true);
  });

  test("falls back to one plain request where the stream cannot be opened", async () => {
    const seen: HttpRequest[] = [];
    const answer = await daemon({ send: replies(200, documents.answer, seen) }).ask(question, signal);
    expect(answer.revision).toBe(7);
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({ client: "plugin", question: "How often?", limit: 4, stream: false });
  });

  test("does not ask twice when the daemon refused the stream", async () => {
    const seen: HttpRequest[] = [];
    const stream: Stream = () => Promise.resolve({ status: 429, chunks: chunked(['{"status":429,"code":"busy","title":"Busy"}']) });
    const error = await failure(daemon({ stream, send: replies(200, documents.answer, seen) }).ask(question, signal));
    expect([error.message, seen.length]).toEqual(["The daemon is busy.", 0]);
  });

  test("reports an error event of the stream", async () => {
    const stream = streams(event("error", { status: 503, code: "generator", title: "Down", detail: "Ollama does not answer." }));
    expect((await failure(daemon({ stream }).ask(question, signal))).message).toBe("Ollama does not answer.");
  });

  test("says when the stream ends before the answer", async () => {
    const stream = streams(event("delta", { text: "Every" }));
    expect((await failure(daemon({ stream }).ask(question, signal))).code).toBe("cut-short");
  });

  test("says when a document in the stream is broken", async () => {
    expect((await failure(daemon({ stream: streams("event: done\ndata: {}\n\n") }).ask(question, signal))).code).toBe("contract");
  });

  test("stops with the signal, streaming or not", async () => {
    const stream: Stream = (_request, inner) =>
      new Promise((_resolve, reject) => { inner.addEventListener("abort", () => { reject(new Error("aborted")); }); });
    expect((await failure(daemon({ stream }).ask(question, AbortSignal.timeout(5)))).code).toBe("stopped");
    const plain = daemon({ send: () => new Promise(() => undefined) }).ask(question, AbortSignal.timeout(5));
    expect((await failure(plain)).code).toBe("stopped");
  });
});

describe("listening", () => {
  test("hands events on and returns when they end", async () => {
    const seen: string[] = [];
    const opened = await daemon({ stream: streams(event("revision", { revision: 4 })) })
      .listen(new AbortController().signal, ({ event: name, data }) => seen.push(`${name} ${data}`));
    expect([opened, seen]).toEqual([true, ['revision {"revision":4}']]);
  });

  test("is false where the stream cannot be opened", async () => {
    expect(await daemon({}).listen(new AbortController().signal, () => undefined)).toBe(false);
  });
});

describe("a summary", () => {
  const written = { ...documents.answer, about: "Boat", summary: "Oil it. [1]" };

  test("tells its estimate, then how far it is, and is read as an answer", async () => {
    const told: string[] = [];
    const generator = { name: "some-model", location: "local" };
    const stream = streams(
      event("estimate", { notes: 3, calls: 4, seconds: 12.5, kept_back: 1, generator }),
      event("progress", { done: 1, total: 4, note: "Engine.md", left_s: null }),
      event("done", written),
    );
    const answer = await daemon({ stream }).summarize({ path: "Boat" }, new AbortController().signal, {
      onEstimate: ({ notes, seconds, keptBack }) => { told.push(`${String(notes)} ${String(seconds)} ${String(keptBack)}`); },
      onStep: ({ done, total, note }) => { told.push(`${String(done)}/${String(total)} ${note}`); },
    });
    expect(told).toEqual(["3 12.5 1", "1/4 Engine.md"]);
    expect([answer.question, answer.answer, answer.found]).toEqual(["Boat", "Oil it. [1]", true]);
  });

  test("that is stopped says so, also before its first word", async () => {
    const controller = new AbortController();
    const stream = streams(event("estimate", { notes: 1, calls: 0, seconds: null, kept_back: 0, generator: { name: "x", location: "local" } }));
    const work = daemon({ stream }).summarize({}, controller.signal, { onEstimate: () => { controller.abort(); } });
    expect((await failure(work)).code).toBe("stopped");
  });
});

describe("memory", () => {
  const fact = { text: "I row.", path: "Memory/Me.md", line: 3 };

  test("is told the words and the notes they are from, and its receipt is taken back by its name", async () => {
    const seen: HttpRequest[] = [];
    const served = daemon({ send: replies(200, { outcome: "remembered", fact, undo: "c1", near: [] }, seen) });
    const receipt = await served.remember("I row.", ["Day.md"]);
    await served.undoMemory(receipt.undo ?? "");
    expect(seen.map(({ url, body }) => [new URL(url).pathname, body])).toEqual([
      ["/api/memory", '{"text":"I row.","source":"obsidian","notes":["Day.md"]}'], ["/api/memory/undo", '{"change":"c1"}'],
    ]);
  });
});
