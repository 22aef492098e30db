import { describe, expect, it } from "vitest";
import type { Estimate } from "../src/contract";
import { isWeighty } from "../src/task";

function estimate(part: Partial<Estimate>): Estimate {
  return { notes: 3, calls: 4, seconds: 5, keptBack: 0, generator: { name: "some-model", location: "local", why: "" }, ...part };
}

describe("a summary", () => {
  it("begins by itself where it is short and stays on this machine", () => {
    expect(isWeighty(estimate({}))).toBe(false);
    expect(isWeighty(estimate({ seconds: 60 }))).toBe(false);
    expect(isWeighty(estimate({ seconds: 0, calls: 1_000 }))).toBe(false);
  });

  it("is asked about where another machine would read the notes, however short it is", () => {
    expect(isWeighty(estimate({ seconds: 1, generator: { name: "some-model", location: "remote", why: "" } }))).toBe(true);
  });

  it("is asked about where it is long, or has many parts and nobody knows", () => {
    expect(isWeighty(estimate({ seconds: 61 }))).toBe(true);
    expect(isWeighty(estimate({ seconds: null, calls: 7 }))).toBe(true);
    expect(isWeighty(estimate({ seconds: null, calls: 6 }))).toBe(false);
  });
});
