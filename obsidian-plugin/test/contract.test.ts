import { describe, expect, test } from "vitest";
import {
  ContractError, parseAnswer, parseLinks, parseProblem, parseRelated, parseSearch, parseStatus,
} from "../src/contract";
import * as documents from "./documents";

describe("contract", () => {
  test("an answer keeps its sentences, citations and generator", () => {
    const answer = parseAnswer(documents.answer);
    expect(answer.citations.map((one) => [one.n, one.path, one.startLine, one.stale])).toEqual([
      [1, "Projects/Garden.md", 12, false],
      [2, "June.md", 12, true],
    ]);
    expect(answer.sentences[2]?.supported).toBe(false);
    expect(answer.generator).toEqual({ name: "extractive", location: "embedded", why: "" });
  });

  test("an older daemon's answer and status lack what came later", () => {
    expect([parseAnswer(documents.answer).narrowed, parseStatus(documents.status).hints]).toEqual([[], []]);
  });

  test("what a question was narrowed to, and hints with their command, are read", () => {
    const hint = { code: "language_not_covered", message: "German", command: "pai models use e5" };
    expect(parseAnswer({ ...documents.answer, narrowed: ["tag boat"] }).narrowed).toEqual(["tag boat"]);
    expect(parseStatus({ ...documents.status, hints: [hint] }).hints).toEqual([hint]);
  });

  test("a wrong field names the place it was found", () => {
    const citations = [{ n: 1, ...documents.passage, start_line: "12" }];
    expect(() => parseAnswer({ ...documents.answer, citations })).toThrow("answer.citations[0].start_line: expected a number, got string");
  });

  test("a location outside the agreed words is refused", () => {
    expect(() => parseAnswer({ ...documents.answer, generator: { name: "x", location: "moon" } })).toThrow(ContractError);
  });

  test("a body that is not an object is refused", () => {
    for (const body of [null, [], "text", 3]) expect(() => parseSearch(body)).toThrow(ContractError);
  });

  test("fields the plugin does not know are let through", () => {
    expect(parseStatus({ ...documents.status, mood: "good" }).state).toBe("indexing");
  });

  test("a status without progress or model is whole", () => {
    const status = parseStatus({ ...documents.status, progress: null, model: null });
    expect([status.progress, status.model]).toEqual([null, null]);
  });

  test("related notes may come without a passage", () => {
    expect(parseRelated({ results: [{ ...documents.related, passage: null }] })[0]?.passage).toBeNull();
  });

  test("a mention keeps the column the editor counts in", () => {
    const links = parseLinks({ path: "a.md", mentions: [documents.mention], suggestions: [documents.suggestion] });
    expect(links.mentions[0]?.columnUtf16).toBe(6);
    expect(links.suggestions[0]?.why).toBe("Both speak of watering");
  });

  test("a problem that is not a problem document still becomes one", () => {
    expect(parseProblem("<html>", 502)).toEqual({ status: 502, code: "http-502", title: "Status 502", detail: "", hint: null });
  });
});
