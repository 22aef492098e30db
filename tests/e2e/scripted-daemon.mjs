// A daemon that answers as it is told: what a real one does only on a bad day. It speaks
// the contract and nothing more; which replies are true is left to the tests of the daemon.

import { createServer } from "node:http";

export const passage = {
  path: "Note.md", title: "Note", heading_path: ["Note"], text: "A passage of the note.", start_line: 1, end_line: 1, start_char: 0,
  end_char: 22, block_id: null, content_hash: "h", stale: false, score: 0.9, scores: { semantic: 0.9, text: null },
  highlights: [[2, 9]], link: "[[Note]]", uri: "obsidian://open", page: null,
};
export const suggestion = { path: "Note.md", title: "Note", confidence: 0.4, why: "near in meaning", link: "[[Note]]", linked: false, passage };
export const related = { path: "Note.md", title: "Note", score: 0.9, why: "near in meaning", link: "[[Note]]", linked: false, passage };
export const answer = {
  question: "q", answer: "It stands in the note. [1]", found: true,
  sentences: [{ text: "It stands in the note.", citations: [1], supported: true }], citations: [{ ...passage, n: 1 }],
  generator: { name: "some-model", location: "local", why: "the largest that runs here" }, stages: ["search", "write"], warnings: [],
  revision: 1, took_ms: 900, narrowed: [], asked: "q", template: "", usage: null,
};
const status = {
  version: "0.1.0", vault: { name: "vault", path: "/vault" }, state: "ready", message: null, revision: 1, notes: 2, chunks: 3,
  pending_chunks: 0, progress: null, problems: [], work: {}, languages: {}, hints: [],
  model: { name: "some-embedder", execution_provider: "CPUExecutionProvider", next: null },
  generator: { name: "some-model", location: "local", why: "" }, watcher: { mode: "native", reason: null },
  memory: { rss_bytes: 1 }, disk: { index_bytes: 1, free_bytes: 1 },
};

export function frame(event, data) {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Sends a text in pieces that end anywhere, also within a letter. */
export async function drip(response, text, { bytes = 7, pauseMs = 1 } = {}) {
  const whole = Buffer.from(text);
  for (let at = 0; at < whole.length && !response.destroyed; at += bytes) {
    response.write(whole.subarray(at, at + bytes));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

export class ScriptedDaemon {
  /** What to do in place of the usual, by path of the API: (response, url, body). */
  scripts = new Map();
  asked = [];

  async start(origin) {
    this.origin = origin;
    this.server = createServer((request, response) => void this.answer(request, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  /** Ends every connection at once, as a kill does. */
  kill() {
    this.server.closeAllConnections();
  }

  async answer(request, response) {
    const url = new URL(request.url, this.url);
    response.setHeader("Access-Control-Allow-Origin", this.origin);
    response.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type");
    if (request.method === "OPTIONS") {
      response.writeHead(204).end();
      return;
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString("utf8")) : null;
    this.asked.push(`${url.pathname}${url.search}`);
    const script = this.scripts.get(url.pathname) ?? [...this.scripts].find(([path]) => path.endsWith("*") && url.pathname.startsWith(path.slice(0, -1)))?.[1];
    if (script) await script(response, url, body);
    else this.usual(response, url, body);
  }

  usual(response, { pathname }, body) {
    if (pathname === "/api/events") response.writeHead(200, { "Content-Type": "text/event-stream" }).write(":\n\n");
    else if (pathname === "/api/ask" && body.stream) stream(response).end(frame("done", { ...answer, question: body.question }));
    else json(response, this.document(pathname));
  }

  document(pathname) {
    if (pathname === "/api/status") return status;
    if (pathname === "/api/search") return { query: "", mode: "hybrid", stages: [], revision: 1, pending_chunks: 0, took_ms: 1, results: [passage] };
    if (pathname === "/api/related") return { path: "Note.md", revision: 1, results: [related] };
    if (pathname === "/api/links") return { path: "Note.md", content_hash: "h", revision: 1, mentions: [], suggestions: [suggestion] };
    if (pathname.startsWith("/api/links/refuse")) return { pairs: [], changed: 0, unknown: [] };
    if (pathname.startsWith("/api/notes/")) return { links: [] };
    return answer;
  }
}

export function json(response, value, code = 200) {
  response.writeHead(code, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

export function stream(response) {
  return response.writeHead(200, { "Content-Type": "text/event-stream" });
}
