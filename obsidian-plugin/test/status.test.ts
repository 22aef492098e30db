import { describe, expect, test } from "vitest";
import { parseStatus, type Status } from "../src/contract";
import { Daemon, type Parts } from "../src/daemon";
import { DaemonError } from "../src/daemon-error";
import { barText } from "../src/status-bar";
import { fits, troubles } from "../src/remedies";
import { type Pulse, StatusFeed } from "../src/status-feed";
import { speak } from "../src/words";
import * as documents from "./documents";

const status = parseStatus(documents.status);

function shown(part: Partial<Status>): string {
  return barText({ status: { ...status, ...part }, error: null }, "0.1.0");
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
    expect(shown({ state: "error", code: "vault_unavailable" })).toBe("pai: vault missing");
    expect(shown({ state: "error", code: "disk_full" })).toBe("pai: disk full");
    expect(shown({ state: "paused" })).toBe("pai: paused");
    expect(barText(null, "0.1.0")).toBe("pai: connecting…");
    expect(barText({ status: null, error: DaemonError.notRunning("/v") }, "0.1.0")).toBe("pai: not running");
  });
});

describe("remedies", () => {
  const chosen = { version: "0.1.0", vaultPath: "/my \"v\"", hasToken: true, hasAddress: false, canStart: false };
  const kinds = (pulse: Pulse): string[][] => troubles(pulse, chosen).map(({ remedies }) => remedies.map(({ kind }) => kind));

  test("a loss that waits for the person can be believed or looked at again", () => {
    expect(kinds({ status: { ...status, state: "held", message: "9 notes are gone." }, error: null })).toEqual([["look", "believe"]]);
  });

  test("a daemon that is down is started by a command that fits the vault", () => {
    const [first] = troubles({ status: null, error: DaemonError.notRunning("/v") }, chosen);
    expect(first?.remedies).toEqual([{ kind: "copy", command: 'scripts/start "/my \\"v\\""' }]);
  });

  test("a daemon that was started here before is started by a button as well", () => {
    const [first] = troubles({ status: null, error: DaemonError.notRunning("/v") }, { ...chosen, canStart: true });
    expect(first?.remedies.map(({ kind }) => kind)).toEqual(["start", "copy"]);
  });

  test("a pause ends with one click", () => {
    expect(kinds({ status: { ...status, state: "paused", message: "Paused." }, error: null })).toEqual([["resume"]]);
  });

  test("what is wrong is said in the language of the app, or else in the daemon's words", () => {
    const told = (code: string | null): string | undefined =>
      troubles({ status: { ...status, state: "error", message: "The disk.", code }, error: null }, chosen)[0]?.message;
    speak("de");
    expect([told("disk_full"), told("of_tomorrow"), told(null)]).toEqual(["Auf der Platte ist kein Platz mehr.", "The disk.", "The disk."]);
    const problem = { status: 507, code: "disk_full", title: "Disk full", detail: "No room.", hint: "Free some." };
    expect(DaemonError.fromProblem(problem).advice).toBe("Auf der Platte ist kein Platz mehr. Schaffe Platz; es geht dann von selbst weiter.");
    speak("en");
    expect([told("disk_full"), DaemonError.fromProblem(problem).advice]).toEqual(["The disk.", "No room. Free some."]);
  });

  test("a refused token can be cleared only where one was pasted", () => {
    const error = new DaemonError("unauthorized", "No.");
    expect(kinds({ status: null, error })).toEqual([["forgetToken"]]);
    expect(troubles({ status: null, error }, { ...chosen, hasToken: false })[0]?.remedies).toEqual([]);
  });

  test("a hint comes with its command, and a healthy daemon has no trouble", () => {
    const hints = [{ code: "x", message: "Better for German.", command: "pai models use e5" }];
    expect(kinds({ status: { ...status, hints }, error: null })).toEqual([["copy"]]);
    expect(kinds({ status, error: null })).toEqual([]);
  });

  test("versions fit within a major one, and before 1.0 within a minor one", () => {
    expect([fits("0.1.0", "0.1.9"), fits("0.1.0", "0.2.0"), fits("1.0.0", "1.9.0"), fits("1.0.0", "2.0.0")]).toEqual([true, false, true, false]);
    expect(shown({ state: "ready", version: "0.2.0" })).toBe("pai: version mismatch");
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

  test("looks less and less often while the daemon is down, and at once when the person returns", async () => {
    let asked = 0;
    const { feed, plans } = feedOf(() => {
      asked += 1;
      return Promise.reject(new Error("refused"));
    });
    for (let round = 0; round < 8; round++) await feed.refresh();
    expect(plans.map(({ ms }) => ms / 1000)).toEqual([5, 5, 10, 20, 40, 60, 60, 60]);
    await feed.wake();
    expect(asked).toBe(9);
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
