// Makes a release for the community store and for BRAT: a folder with the three files that
// a release on GitHub carries, tagged by the version alone. It is refused where a rule of
// the store is broken, and nothing is uploaded.
//   npm run release [FOLDER]      (default: release/VERSION)

import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { argv, stdout } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const NUMBERS = /^\d+\.\d+\.\d+$/;
const MOST_LETTERS = 250;

/** Returns what the store would refuse of a manifest, in words; nothing where all is well. */
export function faults(manifest, { version, daemonVersion }) {
  const { id = "", name = "", description = "" } = manifest;
  const rules = [
    [/^[a-z]+(-[a-z]+)*$/.test(id), "the id is of lowercase letters and single hyphens"],
    [!/obsidian/i.test(id) && !/plugin$/.test(id), "the id neither holds “obsidian” nor ends with “plugin”"],
    [name !== "" && !/obsidian|plugin/i.test(name), "the name holds neither “obsidian” nor “plugin”"],
    [description !== "" && description.length <= MOST_LETTERS, `the description has at most ${MOST_LETTERS} letters`],
    [/[.?!)]$/.test(description), "the description ends as a sentence does"],
    [/^[A-Z]/.test(description) && !/^this (is a )?plugin/i.test(description), "the description begins with what it does"],
    [!/obsidian/i.test(description) && !/\p{Extended_Pictographic}/u.test(description), "the description has no emoji and no “Obsidian”"],
    [NUMBERS.test(manifest.version ?? ""), "the version is three numbers"],
    [NUMBERS.test(manifest.minAppVersion ?? ""), "minAppVersion is three numbers"],
    [Boolean(manifest.author), "the author is named"],
    [typeof manifest.isDesktopOnly === "boolean", "isDesktopOnly is said"],
    [manifest.version === version, `the version is that of package.json, ${version}`],
    [manifest.version === daemonVersion, `the version is that of the daemon, ${daemonVersion}`],
  ];
  return rules.filter(([holds]) => !holds).map(([, rule]) => rule);
}

/** Returns versions.json with this release in it: which version of the app each needs, oldest first. */
export function withRelease(versions, { version, minAppVersion }) {
  return { ...versions, [version]: minAppVersion };
}

/** Returns the manifest, the versions that it must agree with, and those that were released. */
export async function read() {
  const [manifest, own, versions] = await Promise.all(
    ["manifest.json", "package.json", "versions.json"].map(async (name) => JSON.parse(await readFile(join(here, name), "utf8"))),
  );
  const daemon = await readFile(join(here, "..", "pai_daemon", "__init__.py"), "utf8");
  return { manifest, versions, version: own.version, daemonVersion: /__version__ = "([^"]+)"/.exec(daemon)?.[1] ?? "" };
}

async function release(folder) {
  const { manifest, versions, ...agreed } = await read();
  const broken = faults(manifest, agreed);
  if (broken.length > 0) {
    console.error(`manifest.json: ${broken.join("; ")}.`);
    process.exitCode = 1;
    return;
  }
  // Builds as the wheel ships it, so that both are the same bytes.
  await import("./esbuild.config.mjs");
  const out = resolve(folder ?? join(here, "release", manifest.version));
  await mkdir(out, { recursive: true });
  const built = join(here, "..", "pai_daemon", "plugin");
  for (const name of ["main.js", "manifest.json", "styles.css"]) await copyFile(join(built, name), join(out, name));
  await writeFile(join(here, "versions.json"), `${JSON.stringify(withRelease(versions, manifest), null, 2)}\n`);
  stdout.write(`${out}\nRelease these three files under the tag ${manifest.version}.\n`);
}

if (argv[1] && import.meta.url === pathToFileURL(resolve(argv[1])).href) await release(argv[2]);
