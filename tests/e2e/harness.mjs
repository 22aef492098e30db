// Serves the stand-in, the shipped plugin, and the test's vault and configuration
// folder, read-only; passes on what requestUrl asks, as the app does: without Origin.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const pluginSource = join(root, "obsidian-plugin");
// One lock file for both: what the page is built and driven with is installed beside the plugin's sources.
const installed = createRequire(join(pluginSource, "package.json"));

export function tool(name) {
  return installed(name);
}

async function bundle() {
  const { outputFiles } = await tool("esbuild").build({
    entryPoints: [join(here, "obsidian-stand-in", "boot.ts")],
    nodePaths: [join(pluginSource, "node_modules")],
    tsconfigRaw: {},
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

function notesIn(vault) {
  const found = [];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else found.push(relative(vault, path).split(sep).join("/"));
    }
  };
  walk(vault);
  return found;
}

/** The whole vault as one hash: what a test compares to prove that nothing was written. */
export function fingerprint(folder) {
  const hash = createHash("sha256");
  const walk = (at) => {
    for (const entry of readdirSync(at, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(at, entry.name);
      hash.update(relative(folder, path));
      if (entry.isDirectory()) walk(path);
      else hash.update(readFileSync(path));
    }
  };
  walk(folder);
  return hash.digest("hex");
}

function orNull(read) {
  try {
    return read();
  } catch {
    return null;
  }
}

function proxy({ url, method = "GET", headers = {}, body }) {
  return new Promise((resolve) => {
    const outgoing = httpRequest(url, { method, headers }, (incoming) => {
      const chunks = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.on("end", () => resolve({ status: incoming.statusCode, text: Buffer.concat(chunks).toString("utf8") }));
    });
    outgoing.on("error", (error) => resolve({ status: 0, text: "", error: error.code ?? error.message }));
    outgoing.end(body);
  });
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

export class Harness {
  /** Requests that went by way of requestUrl. */
  proxied = [];
  /** The same, with what was asked. */
  asked = [];
  /** What saveData was given; kept here, as nothing is written into the vault. */
  data = null;
  saves = 0;
  /** Texts to hand out in place of files, to stand for a wrong token or a daemon that went away. */
  overrides = new Map();

  /** Replies to give in place of the daemon's, by path of the API. */
  replies = new Map();

  constructor(vault, config, plugin = join(root, "pai_daemon", "plugin")) {
    Object.assign(this, { vault: realpathSync(vault), config: realpathSync(config), plugin });
  }

  async start(port) {
    const page = new Map([
      ["/", ["text/html", readFileSync(join(here, "obsidian-stand-in", "index.html"))]],
      ["/app.css", ["text/css", readFileSync(join(here, "obsidian-stand-in", "app.css"))]],
      ["/app.js", ["text/javascript", await bundle()]],
    ]);
    for (const name of ["main.js", "manifest.json", "styles.css"]) {
      const type = { js: "text/javascript", json: "application/json", css: "text/css" }[name.split(".").pop()];
      page.set(`/plugin/${name}`, [type, readFileSync(join(this.plugin, name))]);
    }
    this.server = createServer((request, response) => void this.answer(request, response, page));
    await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  async answer(request, response, page) {
    const url = new URL(request.url, this.origin);
    const found = page.get(url.pathname);
    if (found) {
      response.writeHead(200, { "Content-Type": `${found[0]}; charset=utf-8` }).end(found[1]);
      return;
    }
    const value = await this.ask(url.pathname.replace("/_harness/", ""), url.searchParams, request);
    response.writeHead(value === undefined ? 404 : 200, { "Content-Type": "application/json" }).end(JSON.stringify(value ?? null));
  }

  async ask(name, query, request) {
    const path = query.get("path") ?? "";
    if (name === "setup") return this.setup();
    if (name === "sha256") return { value: createHash("sha256").update(query.get("text"), "utf8").digest("hex") };
    if (name === "read") return { value: this.overrides.get(path) ?? this.inside(path, () => readFileSync(path, "utf8")) };
    if (name === "list") return { value: this.inside(path, () => readdirSync(path)) };
    if (name === "realpath") return { value: orNull(() => realpathSync(path)) };
    if (name === "proxy") return this.pass(await bodyOf(request));
    if (name === "data") return this.keep(await bodyOf(request));
    return undefined;
  }

  setup() {
    const { vault, config, data } = this;
    return { vault, vaultName: basename(vault), config, home: dirname(config), files: notesIn(vault), data };
  }

  inside(path, read) {
    const within = [this.vault, this.config].some((folder) => path === folder || path.startsWith(folder + sep));
    return within && orNull(() => statSync(path)) ? orNull(read) : null;
  }

  pass(asked) {
    const { pathname, search } = new URL(asked.url);
    this.proxied.push(pathname);
    this.asked.push(`${pathname}${search}`);
    const known = this.replies.get(pathname);
    if (known) return { status: 200, text: JSON.stringify(known) };
    return proxy(asked);
  }

  keep(data) {
    this.data = data;
    this.saves += 1;
    return {};
  }
}
