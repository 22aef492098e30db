/** Starts the page: the frame of the app, then the shipped main.js, unchanged, with this stand-in behind its require. */

import * as commands from "@codemirror/commands";
import * as state from "@codemirror/state";
import * as view from "@codemirror/view";
import { installDom } from "./dom";
import { drawFiles, frame } from "./frame";
import * as obsidian from "./index";
import { nodeModules } from "./node";
import { server } from "./server";

interface Loaded { default: new (app: obsidian.App, manifest: obsidian.PluginManifest) => obsidian.Plugin }

async function loadPlugin(app: obsidian.App, modules: Record<string, unknown>): Promise<obsidian.Plugin> {
  const [code, manifest] = await Promise.all([
    fetch("/plugin/main.js").then((reply) => reply.text()),
    fetch("/plugin/manifest.json").then((reply) => reply.json() as Promise<obsidian.PluginManifest>),
  ]);
  const module = { exports: {} as Loaded };
  const require = (name: string): unknown => {
    const found = modules[name];
    if (!found) throw new Error(`Cannot find module '${name}'`);
    return found;
  };
  performance.mark("plugin-begins");
  // Named, so that a profile can tell its work from that of the page.
  new Function("require", "module", "exports", `${code}\n//# sourceURL=plugin/main.js`)(require, module, module.exports);
  const plugin = new module.exports.default(app, manifest);
  await plugin.onload();
  performance.measure("plugin-load", "plugin-begins");
  return plugin;
}

async function boot(): Promise<void> {
  installDom();
  const setup = server.setup();
  Object.assign(window, { process: { env: { PAI_CONFIG_DIR: setup.config } } });
  const app = new obsidian.App(setup, frame(setup.vaultName));
  drawFiles(app);
  const plugin = await loadPlugin(app, {
    obsidian, "@codemirror/commands": commands, "@codemirror/state": state, "@codemirror/view": view, ...nodeModules(setup),
  });
  app.workspace.layoutIsReady();
  Object.assign(window, { app, plugin, booted: true });
}

void boot();
