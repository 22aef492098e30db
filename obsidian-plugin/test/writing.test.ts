import { describe, expect, test } from "vitest";
import { parseAnswer } from "../src/contract";
import { Conversation, type Exchange, noteName } from "../src/conversation";
import { linkAt } from "../src/mentions";
import { listPairs, readPairs } from "../src/pairs";
import { paragraphAt } from "../src/paragraph";
import { candidatesFor, isRepairable, repairEdit } from "../src/repairs";
import { comparison, summaryOfFolder, summaryOfTag } from "../src/task";
import { triggered } from "../src/trigger";
import * as documents from "./documents";

describe("a conversation", () => {
  const answer = parseAnswer(documents.answer);
  const exchanged = (question: string): Exchange => ({ question, answer, task: { kind: "ask", question } });

  test("tells the daemon its latest turns, without the numbers of their citations", () => {
    const conversation = new Conversation();
    for (let n = 0; n < 10; n++) conversation.add(exchanged(`Question ${String(n)}`));
    const history = conversation.history();
    expect([history.length, history[0]?.content]).toEqual([16, "Question 2"]);
    expect(history[1]).toEqual({ role: "assistant", content: "Every second day.\n\nIn June daily. Bees like it." });
  });

  test("becomes a note with a heading for each question and its sources as links", () => {
    const conversation = new Conversation();
    conversation.add(exchanged("How often\ndo I water?"));
    expect(conversation.toNote()).toMatch(/^## How often do I water\?\n\nEvery second day\. \[\[Garden#Watering\|1\]\][\s\S]*\n2\. \[\[June\|June\]\]\n$/);
  });

  test("forgets an answer that is asked for again, and all of them", () => {
    const conversation = new Conversation();
    const exchange = exchanged("Why?");
    conversation.add(exchange);
    conversation.add(exchanged("And?"));
    conversation.drop(exchange);
    expect(conversation.exchanges.map(({ question }) => question)).toEqual(["And?"]);
    conversation.clear();
    expect(conversation.history()).toEqual([]);
  });

  test("is named by its question, as any file system and any link can take it", () => {
    expect(noteName("What is [[this]]? a/b: <c>#d", "Talk")).toBe("What is this a b c d");
    expect(noteName("...???", "Talk")).toBe("Talk");
    expect(noteName("../../etc", "Talk")).toBe("etc");
  });
});

describe("the paragraph at the cursor", () => {
  const lines = ["# Head", "one", "two", "", "> quoted", ">", "three", "```"];
  const at = (line: number): string => paragraphAt(line, (n) => lines[n] ?? null);

  test("ends at empty lines, headings and fences", () => {
    expect([0, 2, 3, 4, 6].map(at)).toEqual(["# Head", "one\ntwo", "", "> quoted", "three"]);
  });

  test("fits into an address, whatever is written in it", () => {
    for (const letter of ["あ", "🌱", "\uD800"]) {
      const text = paragraphAt(0, (n) => (n === 0 ? letter.repeat(100_000) : null));
      expect(encodeURIComponent(text).length).toBeLessThanOrEqual(6_000);
    }
  });
});

describe("a mention at the cursor", () => {
  const mention = { text: "garden", line: 2, columnUtf16: 6, target: "G.md", title: "Garden", link: "[[Garden|garden]]", sure: true, why: "called so" };

  test("is linked where the daemon saw it, and on a line where it stands as well", () => {
    expect(linkAt([mention], 1, 8, "in my garden")).toMatchObject({ line: 1, from: 6, to: 12 });
    expect(linkAt([mention], 7, 3, "a garden again")).toEqual({ line: 7, from: 2, to: 8, text: "[[Garden|garden]]" });
  });

  test("is no part of a word and in no link", () => {
    expect(linkAt([mention], 7, 3, "a gardener")).toBeNull();
    expect(linkAt([mention], 7, 5, "[[a garden]]")).toBeNull();
    expect(linkAt([mention], 7, 0, "a garden")).toBeNull();
  });
});

describe("pairs that an earlier version kept", () => {
  test("are listed for the daemon, each once", () => {
    expect(listPairs({ "a.md": ["b.md", "c.md"], "b.md": ["c.md"] })).toEqual([
      { path: "a.md", other: "b.md" }, { path: "a.md", other: "c.md" }, { path: "b.md", other: "c.md" },
    ]);
  });

  test("are read from any data without trust", () => {
    for (const bad of [null, 3, [], { a: "b" }]) expect(listPairs(readPairs(bad))).toEqual([]);
    expect(readPairs({ a: ["b", 3, "a"] })).toEqual({ a: ["b"] });
  });
});

describe("a link that leads nowhere", () => {
  const found = [
    { path: "Boat/Engine service.md", title: "Engine service", link: "[[Engine service]]" },
    { path: "Garden.md", title: "Garden", link: "[[Garden]]" },
  ];

  test("is repaired by the note that is written most alike", () => {
    expect(candidatesFor("Engine servcie", found).map(({ path }) => path)).toEqual(["Boat/Engine service.md"]);
    expect(candidatesFor("Old/engine-service", found)).toHaveLength(1);
    expect(candidatesFor("Taxes", found)).toEqual([]);
  });

  test("keeps its heading and its words when it is repaired", () => {
    const [note] = candidatesFor("Engine servcie", found);
    if (!note) throw new Error("no candidate");
    const broken = { kind: "wikilink", target: "Engine servcie", line: 3 };
    const edit = repairEdit(broken, note, "see [[Engine servcie#Oil|oil]] and [[Garden]]", "A.md");
    expect(edit).toEqual({ line: 2, from: 6, to: 20, text: "Engine service" });
    expect(repairEdit(broken, note, "gone", "A.md")).toBeNull();
    expect(repairEdit({ ...broken, target: "a.b", line: 1 }, note, "[[axb]]", "A.md")).toBeNull();
  });

  test("is repaired in the Markdown form as well, by the way from its own note", () => {
    const note = { path: "Boat/Engine (old) #1.md", title: "Engine", link: "[[Engine (old) #1]]" };
    const repaired = (text: string, from: string, target = "Boat/Engin.md"): string | null => {
      const edit = repairEdit({ kind: "markdown", target, line: 1 }, note, text, from);
      return edit && `${text.slice(0, edit.from)}${edit.text}${text.slice(edit.to)}`;
    };
    expect(repaired("see [it](Boat/Engin.md#Oil) and [b](b.md)", "A.md")).toBe("see [it](Boat/Engine%20%28old%29%20%231.md#Oil) and [b](b.md)");
    expect(repaired("[it](Boat/Engin.md \"why\")", "Boat/Log.md")).toBe("[it](Engine%20%28old%29%20%231.md \"why\")");
    expect(repaired("[it](<My boat.md>)", "Home/Deep/A.md", "My boat.md")).toBe("[it](<../../Boat/Engine%20%28old%29%20%231.md>)");
    expect(repaired("[it](My%20boat.md)", "A.md", "My boat.md")).toBe("[it](Boat/Engine%20%28old%29%20%231.md)");
    expect(repaired("[it](100%.md)", "A.md", "100%.md")).toBe("[it](Boat/Engine%20%28old%29%20%231.md)");
    expect(repaired("Boat/Engin.md, [it](other.md)", "A.md")).toBeNull();
  });

  test("is offered for notes, and not for pictures, places of the same note or addresses of blocks", () => {
    const may = (kind: string, target: string): boolean => isRepairable({ kind, target });
    expect([may("wikilink", "A"), may("markdown", "a.md"), may("markdown", "v1. Plan")]).toEqual([true, true, true]);
    expect([may("markdown", "a.png"), may("wikilink", ""), may("block", "x")]).toEqual([false, false, false]);
  });
});

describe("completing a link by meaning", () => {
  test("begins behind its characters and ends where they are far", () => {
    expect(triggered("see ;;boat eng", 14, ";;")).toEqual({ from: 4, query: "boat eng" });
    expect(triggered("see ;;b", 7, ";;")).toBeNull();
    expect(triggered(";;", 1, ";;")).toBeNull();
    expect(triggered("a; b;; c", 8, ";;")).toBeNull();
    expect(triggered(`;;${"x".repeat(90)}`, 92, ";;")).toBeNull();
    expect(triggered("see ;;boat", 10, "")).toBeNull();
  });
});

describe("a summary", () => {
  test("is of the folder of a note, and of all notes at the top of the vault", () => {
    expect(summaryOfFolder("Boat/Care/Engine.md")).toMatchObject({ title: "Summary of Boat/Care", of: { path: "Boat/Care" } });
    expect(summaryOfFolder("Engine.md")).toMatchObject({ title: "Summary of all notes", of: {} });
  });

  test("is of a tag with or without its #, and of none where none is named", () => {
    expect(summaryOfTag(" #boat/care ")).toMatchObject({ title: "Summary of #boat/care", of: { tag: "boat/care" } });
    expect(summaryOfTag(" # ")).toBeNull();
  });

  test("of two notes names both", () => {
    expect(comparison("A/One.md", "Two.md")).toMatchObject({ title: "One and Two, compared", of: { first: "A/One.md", second: "Two.md" } });
  });
});
