import { describe, expect, test } from "vitest";
import { parseStatus, type Status } from "../src/contract";
import { Daemon, type Parts } from "../src/daemon";
import { DaemonError } from "../src/daemon-error";
import { barText } from "../src/status-bar";
import { StatusFeed } from "../src/status-feed";
import * as documents from "./documents";

const status = parseStatus(documents.status);

function shown(part: Partial<Status>): string {
  return barText({ status: { ...status, ...part }, error: null });
}

/** A feed with a clock that only moves when the test calls the newest plan. */
function feedOf(send: Parts["send"]): { feed: StatusFeed; plans: { ms: number; run: () => void }[] } {
  const plans: { ms: number; run: () => void }[] = [];
  const daemon = new Daemon({
    send,
    stream: () => Promise.reject(new TypeError("Failed to fetch")),
    after: () => () => undefined,
    connect: () => Promise.resolve({ url: "http://127.0.0.1:1", token: "t" }),
    vaultPath: "/v",
  });
  const feed = new StatusFeed(daemon, (ms, run) => {
    plans.push({ ms, run });
    return () => undefined;
  });
  return { feed, plans };
}

describe("the status bar", () => {
  test("shows progress with the time left", () => {
    expect(shown({})).toBe("pai: 42 % · 3 min left");
  });

  test("is quiet when ready and plain when not", () => {
    expect(shown({ state: "ready", progress: null, pendingChunks: 0 })).toBe("pai: ready");
    expect(shown({ state: "ready", progress: null, pendingChunks: 3 })).toBe("pai: updating…");
    expect(shown({ state: "held", progress: null })).toBe("pai: waiting for you");
    expect(shown({ state: "error" })).toBe("pai: needs attention");
    expect(barText(null)).toBe("pai: connecting…");
    expect(barText({ status: null, error: DaemonError.notRunning("/v") })).toBe("pai: not running");
  });
});

describe("the feed", () => {
  test("looks more often while the daemon works than when it rests", async () => {
    const rest = { ...documents.status, state: "ready", progress: null };
    const busy = feedOf(() => Promise.resolve({ status: 200, text: JSON.stringify(documents.status) }));
    const quiet = feedOf(() => Promise.resolve({ status: 200, text: JSON.stringify(rest) }));
    await busy.feed.refresh();
    await quiet.feed.refresh();
    expect([busy.plans.at(-1)?.ms, quiet.plans.at(-1)?.ms]).toEqual([2_000, 30_000]);
  });

  test("tells that the daemon is down and goes on looking", async () => {
    const seen: string[] = [];
    const { feed, plans } = feedOf(() => Promise.reject(new Error("refused")));
    feed.subscribe(({ error }) => seen.push(error?.code ?? "up"));
    await feed.refresh();
    expect([seen, plans.length]).toEqual([["not-running"], 1]);
  });

  test("tells nothing once it is disposed of", async () => {
    const seen: unknown[] = [];
    const { feed, plans } = feedOf(() => Promise.resolve({ status: 200, text: JSON.stringify(documents.status) }));
    feed.subscribe((pulse) => seen.push(pulse));
    const looking = feed.refresh();
    feed.dispose();
    await looking;
    expect([seen.length, plans.length]).toEqual([0, 0]);
  });
});
