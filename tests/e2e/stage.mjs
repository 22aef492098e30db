// A vault and a daemon made up for one run of the page: faults and benches need no real ones.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Driver } from "./driver.mjs";
import { Harness } from "./harness.mjs";
import { ScriptedDaemon } from "./scripted-daemon.mjs";

/** Sets the stage with notes by path, runs `play` on it, and leaves nothing behind. */
export async function onStage(notes, play, shots) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pai-stage-")));
  const [vault, config] = [join(folder, "vault"), join(folder, "config")];
  mkdirSync(vault);
  mkdirSync(join(folder, "other-vault"));
  writeFileSync(join(folder, "other-vault", "Note.md"), "# A note of the other vault\n");
  mkdirSync(join(config, "daemons"), { recursive: true });
  for (const [path, text] of Object.entries(notes)) writeFileSync(join(vault, path), text);
  const harness = new Harness(vault, config);
  await harness.start(0);
  const daemon = new ScriptedDaemon();
  await daemon.start(harness.origin);
  writeFileSync(join(config, "token"), "secret");
  const record = join(config, "daemons", `${createHash("sha256").update(vault).digest("hex").slice(0, 16)}.json`);
  writeFileSync(record, JSON.stringify({ url: daemon.url, vault }));
  const driver = new Driver(harness, shots);
  try {
    await driver.start();
    return await play({ driver, page: driver.page, daemon, harness });
  } finally {
    await driver.stop();
    await daemon.stop();
    await harness.stop();
    rmSync(folder, { recursive: true });
  }
}
