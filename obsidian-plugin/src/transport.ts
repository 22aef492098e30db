/** How bytes leave the app: requestUrl for whole replies (no CORS), fetch for streams (requestUrl cannot stream). */

import { requestUrl } from "obsidian";
import type { After, Send, Stream } from "./daemon";

export const send: Send = async ({ url, method, headers, body }) => {
  const reply = await requestUrl({ url, method, headers, throw: false, ...(body === undefined ? {} : { body }) });
  return { status: reply.status, text: reply.text };
};

export const stream: Stream = async ({ url, method, headers, body }, signal) => {
  // requestUrl hands over whole replies only; an answer is read as it is written.
  const reply = await window.fetch(url, { method, headers, signal, cache: "no-store", ...(body === undefined ? {} : { body }) });
  return { status: reply.status, chunks: textOf(reply) };
};

async function* textOf(reply: Response): AsyncGenerator<string> {
  if (!reply.body) return;
  const reader = reply.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    // Without this a stopped answer would go on being written by the daemon.
    await reader.cancel().catch(() => undefined);
  }
}

export const after: After = (ms, then) => {
  const timer = window.setTimeout(then, ms);
  return () => { window.clearTimeout(timer); };
};
