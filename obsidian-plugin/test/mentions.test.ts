import { describe, expect, test } from "vitest";
import type { Mention } from "../src/contract";
import { afterEdit, editFor, editsFor, type LineEdit } from "../src/mentions";

const lines = ["first", "🌱 my garden and the garden wall", "garden"];
const read = (line: number): string | null => lines[line] ?? null;

function mention(line: number, columnUtf16: number, text = "garden"): Mention {
  return { text, line, columnUtf16, target: "Garden.md", title: "Garden", link: `[[Garden|${text}]]`, sure: true, why: "called so" };
}

function applied(line: string, edits: LineEdit[]): string {
  return [...edits].sort((a, b) => b.from - a.from).reduce((text, edit) => text.slice(0, edit.from) + edit.text + text.slice(edit.to), line);
}

describe("mentions", () => {
  test("the edit covers exactly the mention's span", () => {
    const edit = editFor(mention(2, 6), read);
    expect(edit && applied(lines[1] ?? "", [edit])).toBe("🌱 my [[Garden|garden]] and the garden wall");
  });

  test("a mention whose text moved or whose line is gone is refused", () => {
    expect(editFor(mention(2, 7), read)).toBeNull();
    expect(editFor(mention(9, 0), read)).toBeNull();
  });

  test("a mention behind an accepted one on its line moves with it", () => {
    const edit = editFor(mention(2, 6), read);
    if (!edit) throw new Error("the first mention stands");
    const [second, third] = afterEdit([mention(2, 6), mention(2, 21), mention(3, 0)], edit);
    const now = applied(lines[1] ?? "", [edit]);
    expect(second && now.slice(second.columnUtf16, second.columnUtf16 + 6)).toBe("garden");
    expect(third?.columnUtf16).toBe(0);
  });

  test("all at once links each that stands and counts the rest", () => {
    const { edits, missed } = editsFor([mention(2, 6), mention(2, 6, "garden and"), mention(2, 21), mention(2, 1)], read);
    expect(missed).toBe(2);
    expect(applied(lines[1] ?? "", edits)).toBe("🌱 my [[Garden|garden]] and the [[Garden|garden]] wall");
  });
});
