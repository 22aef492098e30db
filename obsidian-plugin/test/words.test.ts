import { describe, expect, test } from "vitest";
import { RecentQueries } from "../src/recent-queries";
import { de } from "../src/words-de";
import { en } from "../src/words-en";
import { say, speak } from "../src/words";

describe("recent queries", () => {
  test("are newest first, once each, and few", () => {
    let kept: unknown = ["old", 3];
    const recent = new RecentQueries({ load: () => kept, save: (queries) => { kept = queries; } });
    for (let n = 0; n < 20; n++) recent.add(`q${String(n)}`);
    recent.add(" q18 ");
    recent.add(" ");
    expect([recent.list().length, recent.list().slice(0, 2)]).toEqual([12, ["q18", "q19"]]);
  });
});

describe("languages", () => {
  test("follow the app's, and English stands in for those we lack", () => {
    speak("de-AT");
    expect(say.ask).toBe("Den Vault fragen");
    speak("fr");
    expect(say.ask).toBe("Ask your vault");
  });

  test("say each thing in words, with every value that they are given", () => {
    const told = (word: unknown): string[] => {
      if (typeof word === "function") return [(word as (...values: string[]) => string)("§1", "§2", "§3")];
      return typeof word === "string" ? [word] : Object.values(word as object).flatMap(told);
    };
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      // English says these in the daemon's own words.
      if (key === "problems") continue;
      const values = (text: string): string[] => (text.match(/§\d/g) ?? []).sort();
      expect(told(de[key]).map(values), key).toEqual(told(en[key]).map(values));
      for (const text of told(de[key])) expect(text.trim(), key).not.toBe("");
    }
  });
});
