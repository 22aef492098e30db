// Builds src/main.ts into the folder the Python package ships. With --check it
// builds in memory and fails where the shipped files differ from the sources.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "pai_daemon", "plugin");
const checking = process.argv.includes("--check");

const { outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.ts"],
  outfile: "main.js",
  bundle: true,
  write: false,
  format: "cjs",
  platform: "browser",
  target: "es2022",
  charset: "utf8",
  // Names and lines stay, so that who installs it can read it.
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
  banner: { js: "/* Built from obsidian-plugin/src of pai-daemon; change it there. */" },
  external: [
    "obsidian", "electron",
    "@codemirror/autocomplete", "@codemirror/collab", "@codemirror/commands", "@codemirror/language", "@codemirror/lint",
    "@codemirror/search", "@codemirror/state", "@codemirror/view", "@lezer/common", "@lezer/highlight", "@lezer/lr",
    ...builtinModules,
  ],
});

const files = new Map([["main.js", outputFiles[0].text]]);
for (const name of ["manifest.json", "styles.css"]) files.set(name, await readFile(join(here, name), "utf8"));

const stale = [];
await mkdir(out, { recursive: true });
for (const [name, text] of files) {
  const target = join(out, name);
  if (!checking) await writeFile(target, text);
  else if ((await readFile(target, "utf8").catch(() => null)) !== text) stale.push(name);
}
if (stale.length > 0) {
  console.error(`pai_daemon/plugin differs from obsidian-plugin: ${stale.join(", ")}. Run: npm run build`);
  process.exitCode = 1;
}
