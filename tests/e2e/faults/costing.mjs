// What a summary will take, said and agreed to before it begins.

import { strict as assert } from "node:assert";
import { answer, frame, json, stream } from "../scripted-daemon.mjs";

export async function costing({ driver, page, daemon }) {
  await driver.claim("a summary that is long or leaves this machine begins only where the person says so", async () => {
    const remote = { ...answer.generator, location: "remote" };
    const cost = { notes: 3, calls: 4, seconds: 5, kept_back: 1, generator: answer.generator };
    for (const [estimate, isAsked] of [[{ ...cost, generator: remote }, true], [{ ...cost, seconds: 90 }, true], [{ ...cost, seconds: null, calls: 40 }, true], [cost, false]]) {
      let isBegun = false;
      daemon.scripts.set("/api/summarize", (response, _url, body) => {
        if (body.estimate) return json(response, estimate);
        isBegun = true;
        return stream(response).write(frame("estimate", estimate));
      });
      await driver.run("summarize-folder");
      await page.locator(".pai-turn:last-child .pai-answer", { hasText: "3 notes" }).waitFor();
      assert.equal(await page.locator(".pai-begin").count(), isAsked ? 1 : 0);
      assert.equal(isBegun, !isAsked);
      if (estimate.generator === remote) await driver.looks("summary-asks");
      if (isAsked) await page.click(".pai-begin");
      while (!isBegun) await driver.pause();
      await page.click(".pai-stop");
      await page.locator(".pai-turn:last-child", { hasText: "Stopped before the end" }).waitFor();
    }
    daemon.scripts.set("/api/summarize", (response) => { json(response, { ...cost, generator: remote }); });
    await driver.run("summarize-folder");
    await page.waitForSelector(".pai-begin");
    await page.click(".pai-stop");
    await page.waitForSelector(".pai-begin", { state: "detached" });
    assert.equal(daemon.asked.at(-1), "/api/summarize", "stopped, it was never begun");
  });

  await driver.claim("a summary shows its estimate, then how far it is, and stops where that is wanted", async () => {
    let open = false;
    daemon.scripts.set("/api/summarize", (response, _url, body) => {
      if (body.estimate) {
        json(response, { notes: 3, calls: 4, seconds: 5, kept_back: 1, generator: answer.generator });
        return;
      }
      stream(response).write(frame("estimate", { notes: 3, calls: 4, seconds: 90, kept_back: 1, generator: answer.generator }));
      open = true;
      response.on("close", () => { open = false; });
      setTimeout(() => response.write(frame("progress", { done: 1, total: 4, notes: 3, note: "Note.md", text: "", left_s: 60 })), 400);
    });
    await driver.run("summarize-folder");
    await page.locator(".pai-answer", { hasText: "3 notes, about 2 min. Answered by some-model, on this machine. 1 passage stays" }).waitFor();
    await page.locator(".pai-answer", { hasText: "1 of 4: Note.md, 1 min left" }).waitFor();
    await page.click(".pai-stop");
    await page.locator(".pai-turn:last-child", { hasText: "Stopped before the end" }).waitFor();
    await page.waitForTimeout(100);
    assert.equal(open, false, "the daemon still writes");
  });
}
