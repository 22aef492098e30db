import { describe, expect, it } from "vitest";
import type { HttpRequest } from "../src/daemon";
import { patiently } from "../src/patience";

const REQUEST: HttpRequest = { url: "http://127.0.0.1/api/search", method: "GET", headers: {} };

/** Returns a patient Send over a daemon that gives these statuses, and how long it has waited. */
function asked(statuses: number[]) {
  const waited: number[] = [];
  const after = (ms: number, then: () => void) => {
    waited.push(ms);
    then();
    return () => undefined;
  };
  const send = patiently(() => Promise.resolve({ status: statuses.shift() ?? 0, text: "" }), after, () => 1);
  return { waited, send };
}

describe("patiently", () => {
  it("comes again to a busy daemon, ever more calmly", async () => {
    const { waited, send } = asked([429, 429, 200]);
    expect((await send(REQUEST)).status).toBe(200);
    expect(waited).toEqual([1500, 3000]);
  });

  it("gives up on one that stays busy", async () => {
    const { waited, send } = asked([429, 429, 429, 429, 200]);
    expect((await send(REQUEST)).status).toBe(429);
    expect(waited).toHaveLength(3);
  });

  it("takes any other refusal at once", async () => {
    const { waited, send } = asked([503, 200]);
    expect((await send(REQUEST)).status).toBe(503);
    expect(waited).toEqual([]);
  });
});
