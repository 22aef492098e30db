import { describe, expect, test } from "vitest";
import { faults, read, withRelease } from "../release.mjs";

describe("a release", () => {
  test("keeps the rules of the store as it stands", async () => {
    const { manifest, versions, ...agreed } = await read();
    expect(faults(manifest, agreed)).toEqual([]);
    expect(versions[manifest.version]).toBe(manifest.minAppVersion);
  });

  test.each([
    [{ id: "obsidian-pai" }, "the id neither"],
    [{ id: "pai-plugin" }, "the id neither"],
    [{ id: "Pai_daemon" }, "the id is of"],
    [{ name: "PAI for Obsidian" }, "the name"],
    [{ description: "" }, "the description has at most"],
    [{ description: "Answers from your notes" }, "the description ends"],
    [{ description: "This plugin answers." }, "the description begins"],
    [{ description: "Answers in Obsidian." }, "the description has no emoji"],
    [{ description: "Answers 🌱." }, "the description has no emoji"],
    [{ description: `${"A".repeat(250)}.` }, "the description has at most"],
    [{ version: "v0.1" }, "the version is three"],
    [{ version: "0.2.0" }, "the version is that of package.json"],
    [{ minAppVersion: "latest" }, "minAppVersion"],
    [{ author: "" }, "the author"],
    [{ isDesktopOnly: undefined }, "isDesktopOnly"],
  ])("is refused with %o", async (part, rule) => {
    const { manifest, versions: _, ...agreed } = await read();
    expect(faults({ ...manifest, ...part }, agreed).some((told) => told.startsWith(rule))).toBe(true);
  });

  test("is added to the versions that there were", () => {
    const versions = withRelease({ "0.1.0": "1.11.4" }, { version: "0.2.0", minAppVersion: "1.12.0" });
    expect(versions).toEqual({ "0.1.0": "1.11.4", "0.2.0": "1.12.0" });
  });
});
