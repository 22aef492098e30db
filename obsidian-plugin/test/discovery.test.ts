import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { DaemonError } from "../src/daemon-error";
import { configFolder, discover, isLoopback, startDaemon, startProgram, type Machine } from "../src/discovery";

const VAULT = "/home/me/Väult";
const HASH = createHash("sha256").update(VAULT, "utf8").digest("hex");
const RECORD = JSON.stringify({ url: "http://127.0.0.1:9/", pid: 1, vault: VAULT, version: "0.1.0" });

function machine(files: Record<string, string>, more: Partial<Machine> = {}, env: Record<string, string> = {}): Machine {
  return {
    platform: "linux",
    env: (name) => env[name],
    home: () => "/home/me",
    join: (...parts) => parts.join("/"),
    readText: (path) => files[path] ?? null,
    list: (folder) => Object.keys(files).filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1)),
    realPath: (path) => path,
    launch: () => Promise.resolve(),
    sha256Hex: (text) => createHash("sha256").update(text, "utf8").digest("hex"),
    ...more,
  };
}

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DaemonError) return error.code;
    throw error;
  }
  return "none";
}

const folder = "/home/me/.config/pai-daemon";
const found = { [`${folder}/daemons/${HASH.slice(0, 16)}.json`]: RECORD, [`${folder}/token`]: "secret\n" };
const nothing = { url: "", token: "" };

describe("discovery", () => {
  test("finds the daemon of the vault by the hash of its real path, and the token beside it", () => {
    const linked = machine(found, { realPath: () => VAULT });
    expect(discover(linked, "/home/me/link", nothing)).toEqual({ url: "http://127.0.0.1:9", token: "secret" });
  });

  test("finds it by the recorded path where the hashes differ in Unicode form", () => {
    const files = { [`${folder}/daemons/0000.json`]: RECORD, [`${folder}/token`]: "secret" };
    expect(discover(machine(files), VAULT.normalize("NFD"), nothing).url).toBe("http://127.0.0.1:9");
  });

  test("what the person set wins over what was found", () => {
    expect(discover(machine(found), VAULT, { url: " http://localhost:7/ ", token: " mine " })).toEqual({ url: "http://localhost:7", token: "mine" });
  });

  test("a daemon of another vault is not this vault's daemon", () => {
    expect(code(() => discover(machine(found), "/home/me/Other", nothing))).toBe("not-running");
  });

  test("a half-written record counts as none", () => {
    const files = { [`${folder}/daemons/${HASH.slice(0, 16)}.json`]: '{"url": "http', [`${folder}/token`]: "secret" };
    expect(code(() => discover(machine(files), VAULT, nothing))).toBe("not-running");
  });

  test("an empty token is said, not sent", () => {
    expect(code(() => discover(machine({ ...found, [`${folder}/token`]: "\n" }), VAULT, nothing))).toBe("no-token");
  });

  test("the token goes to no address beyond this machine", () => {
    for (const url of ["http://192.168.1.2:8377", "http://127.0.0.1.evil.example", "http://127.0.0.1@evil.example", "file:///etc", "nonsense"]) {
      expect(isLoopback(url)).toBe(false);
      expect(code(() => discover(machine(found), VAULT, { url, token: "" }))).toBe("not-local");
    }
    for (const url of ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"]) expect(isLoopback(url)).toBe(true);
  });

  test("each platform has its own configuration folder", () => {
    const windows = (env: Record<string, string>): string => configFolder(machine({}, { platform: "win32" }, env));
    expect(configFolder(machine({}))).toBe(folder);
    expect(configFolder(machine({}, {}, { XDG_CONFIG_HOME: "/x" }))).toBe("/x/pai-daemon");
    expect(configFolder(machine({}, { platform: "darwin" }))).toBe("/home/me/Library/Application Support/pai-daemon");
    expect(windows({ APPDATA: "C:/A" })).toBe("C:/A/pai-daemon");
    expect(windows({ APPDATA: "C:/A", PAI_CONFIG_DIR: "D:/p" })).toBe("D:/p");
  });
});

describe("starting the daemon", () => {
  const file = `${folder}/command.json`;
  const left = (command: unknown): Machine => machine({ [file]: JSON.stringify({ command }) });

  test("uses the command that the daemon left, with this vault behind it", async () => {
    const started: unknown[] = [];
    const launch = (...told: unknown[]): Promise<void> => {
      started.push(told);
      return Promise.resolve();
    };
    await startDaemon({ ...left(["/opt/pai", "start"]), launch }, VAULT);
    expect(started).toEqual([["/opt/pai", ["start", VAULT], folder]]);
  });

  test("takes no command that is not whole, or that names a program without its place", () => {
    for (const bad of [[], "pai", ["pai", "start"], ["./pai"], [3], ["/opt/pai", null], null]) expect(startProgram(left(bad))).toBeNull();
    expect(startProgram(machine({ [file]: "{" }))).toBeNull();
    expect(startProgram(machine({}))).toBeNull();
    expect(startProgram(left(["C:\\pai\\python.exe"]))).toEqual(["C:\\pai\\python.exe"]);
  });

  test("tells of a daemon that ends at once, and how to see why", async () => {
    const ends = { ...left(["/opt/pai"]), launch: () => Promise.reject(new Error("1")) };
    await expect(startDaemon(ends, VAULT)).rejects.toMatchObject({ code: "not-started", next: `Start it with: scripts/start "${VAULT}"` });
    await expect(startDaemon(machine({}), VAULT)).rejects.toMatchObject({ code: "not-running" });
  });
});
