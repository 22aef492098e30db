import { describe, expect, test } from "vitest";
import { parseAnswer } from "../src/contract";
import {
  answeredBy, answerPieces, linesOf, marked, placeOf, snippet, spoken, streamPieces, toCallout, toMarkdown, withAlias,
  questionOf, setOff, supportedText,
} from "../src/results";
import * as documents from "./documents";

const answer = parseAnswer(documents.answer);

describe("links", () => {
  test("an alias replaces the one there and cannot end the link", () => {
    expect(withAlias("[[Garden#Watering|old]]", "a ]] | [b")).toBe("[[Garden#Watering|a b]]");
    expect(withAlias("[[Garden]]", "")).toBe("[[Garden]]");
  });

  test("a place names the title once", () => {
    expect(placeOf({ title: "Garden", headingPath: ["Garden", "Watering"] })).toBe("Garden › Watering");
    expect(linesOf({ startLine: 3, endLine: 3, page: null })).toBe("Line 3");
  });

  test("a passage of a PDF is placed by its page", () => {
    expect(linesOf({ startLine: 40, endLine: 52, page: 7 })).toBe("Page 7");
  });
});

describe("answers", () => {
  test("give up for memory what a note supports, and not the rest", () => {
    const sentences = [
      { text: "Every day. [1]", citations: [1], supported: true }, { text: "Bees like it.", citations: [], supported: false },
    ];
    expect(supportedText({ ...answer, sentences })).toBe("Every day.");
  });

  test("pieces keep paragraphs, citations and missing support", () => {
    expect(answerPieces(answer)).toEqual([
      { kind: "text", text: "Every second day.", supported: true },
      { kind: "cite", n: 1 },
      { kind: "break", text: "\n\n" },
      { kind: "text", text: "In June daily.", supported: true },
      { kind: "cite", n: 2 },
      { kind: "break", text: " " },
      { kind: "text", text: "Bees like it.", supported: false },
    ]);
  });

  test("a citation that was not handed over is not drawn", () => {
    expect(answerPieces({ ...answer, citations: [] }).some((piece) => piece.kind === "cite")).toBe(false);
  });

  test("streamed text turns markers into citations and holds half a marker back", () => {
    expect(streamPieces("Daily. [1] And [")).toEqual([
      { kind: "text", text: "Daily.", supported: true },
      { kind: "cite", n: 1 },
      { kind: "text", text: " And", supported: true },
    ]);
    expect(streamPieces("See [2](http://x)").some((piece) => piece.kind === "cite")).toBe(false);
  });

  test("a callout quotes every line, links its citations and ends with a line break", () => {
    expect(toCallout(answer, "How often\ndo I water?")).toBe(
      [
        "> [!quote] How often do I water?",
        "> Every second day. [[Garden#Watering|1]]",
        ">",
        "> In June daily. [[June|2]] Bees like it. *(not in the notes)*",
        ">",
        "> 1. [[Garden#Watering|Garden › Watering]]",
        "> 2. [[June|June]]",
        "",
      ].join("\n"),
    );
  });

  test("sources are numbered in the order they are used", () => {
    const sentences = [{ text: "In June daily.", citations: [2], supported: true }];
    const text = toMarkdown({ ...answer, answer: "In June daily. [2]", sentences });
    expect(text).toBe("In June daily. [[June|1]]\n\n1. [[June|June]]");
  });

  test("an answer that was not found is a warning without sources", () => {
    const none = { ...answer, found: false, answer: "The notes do not say.", sentences: [], citations: [] };
    expect(toCallout(none, "Why?")).toBe("> [!warning] Why?\n> The notes do not say.\n");
  });

  test("a callout is set off by one empty line on each side", () => {
    expect(setOff("> a\n", "Why?", "next")).toBe("\n\n> a\n");
    expect(setOff("> a\n", "Why?", "")).toBe("\n\n> a");
    expect(setOff("> a\n", "", null)).toBe("\n> a\n");
  });

  test("a task quoted in an answer does not become a task of the note", () => {
    const text = "- [ ] #task Water the garden";
    const quoted = { ...answer, answer: text, sentences: [{ text, citations: [], supported: true }], citations: [] };
    expect(toCallout(quoted, "What is due?")).toContain("\n> - #task Water the garden\n");
  });

  test("who answered is said with the place", () => {
    expect(answeredBy({ name: "extractive", location: "embedded" })).toBe("Sentences of your notes, without a language model");
    expect(answeredBy({ name: "llama", location: "remote" })).toBe("Answered by llama, on another machine");
  });
});

describe("words", () => {
  test("highlights count code points, not UTF-16 units", () => {
    expect(marked({ text: "🌱🌱 tomato here", highlights: [[3, 9]] }, 100)).toEqual([
      { text: "🌱🌱 ", marked: false },
      { text: "tomato", marked: true },
      { text: " here", marked: false },
    ]);
  });

  test("a long passage begins shortly before its first highlight", () => {
    const text = `${"a ".repeat(200)}tomato`;
    const parts = marked({ text, highlights: [[400, 406]] }, 100);
    expect([parts[0]?.text, parts.at(-1)?.text]).toEqual(["…", "tomato"]);
  });

  test("the headings of a passage are not repeated in its words", () => {
    const text = "# 🌱 Garden\n\n## Water\n\nTomatoes drink";
    expect(marked({ text, highlights: [[2, 10], [22, 30]] }, 100)).toEqual([
      { text: "Tomatoes", marked: true },
      { text: " drink", marked: false },
    ]);
    expect(marked({ text: "# Only", highlights: [] }, 100)).toEqual([{ text: "# Only", marked: false }]);
  });

  test("a line's marks are no part of the question on it", () => {
    for (const line of ["Why?", "## Why?", "- Why?", "> - [ ] Why?", "2. Why?"]) expect(questionOf(line)).toBe("Why?");
  });

  test("a snippet is one line and ends at a word", () => {
    expect(snippet("one\n two three", 9)).toBe("one two…");
  });

  test("durations are said as a person says them", () => {
    expect([0.2, 59, 180, 5400].map(spoken)).toEqual(["1 s", "59 s", "3 min", "1.5 h"]);
  });
});
