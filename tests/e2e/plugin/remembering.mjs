// Keeping facts. It writes into the vault, as it is asked to, so it comes last.

import { strict as assert } from "node:assert";

const FACT = "The spare key of the boat hangs behind the blue door.";

export async function remembering({ driver, page, daemon, question, short }) {
  const texts = async () => (await daemon("/api/memory", {})).facts.map(({ text }) => text);

  await driver.claim("Remember this keeps the line without its list mark, shows a receipt, and undo takes it back", async () => {
    await driver.restart();
    await driver.open(short);
    await driver.typeAtEnd(`\n\n- ${FACT}`);
    await driver.run("remember");
    await page.locator(".notice", { hasText: `Remembered: ${FACT}` }).waitFor();
    assert.deepEqual(await texts(), [FACT]);
    await page.click(".pai-undo-fact");
    await page.locator(".notice", { hasText: "Taken back" }).waitFor();
    assert.deepEqual(await texts(), []);
  });

  await driver.claim("what is known is not kept twice, and offers no undo", async () => {
    await driver.run("remember");
    await page.locator(".notice .pai-undo-fact").waitFor();
    await driver.run("remember");
    await page.locator(".notice", { hasText: `Known already: ${FACT}` }).waitFor();
    assert.equal(await page.locator(".pai-undo-fact").count(), 1);
    assert.deepEqual(await texts(), [FACT]);
    await driver.looks("remember");
  });

  await driver.claim("an answer can be remembered from its panel, without the numbers of its sources", async () => {
    await driver.restart();
    await driver.ask(question);
    await page.locator(".pai-actions .pai-remember").waitFor();
    await page.click(".pai-remember");
    await page.locator(".notice .pai-undo-fact").waitFor();
    const [text, ...rest] = (await texts()).filter((one) => one !== FACT);
    assert.equal(rest.length, 0);
    assert.ok(text.length > 10 && !/\[\d+\]|\n/.test(text), text);
  });
}
