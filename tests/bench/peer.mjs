// Embeds texts with transformers.js, asked and answered as by peer.py, on float32 or quantised weights:
// `node peer.mjs INSTALLED DTYPE MODEL TEXTS OUTPUT`. INSTALLED is the folder of node_modules.
// It has no batching of its own: one text a call, unless asked otherwise.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";

const THREADS = 2;
const [installed, dtype, folder, source, output] = process.argv.slice(2);
const { env, pipeline } = createRequire(`${installed}/`)("@huggingface/transformers");
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);

const texts = JSON.parse(readFileSync(source, "utf-8"));
const embed = await pipeline("feature-extraction", basename(folder), {
  dtype,
  device: "cpu",
  session_options: { intraOpNumThreads: THREADS, interOpNumThreads: 1 },
});
console.log(JSON.stringify({ version: env.version }));

for await (const line of createInterface({ input: process.stdin })) {
  const { batch, count } = JSON.parse(line);
  const some = texts.slice(0, count ?? texts.length);
  const step = batch ?? 1;
  const rows = [];
  const started = performance.now();
  for (let at = 0; at < some.length; at += step) {
    const found = await embed(some.slice(at, at + step), { pooling: "mean", normalize: true });
    rows.push(Float32Array.from(found.data));
  }
  const seconds = (performance.now() - started) / 1000;
  if (count === null) writeFileSync(output, Buffer.concat(rows.map((row) => Buffer.from(row.buffer))));
  console.log(JSON.stringify({ seconds }));
}
