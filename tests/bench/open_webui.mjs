// Goes through the README's recipe for Open WebUI in a browser, as a person would, and tells what was seen as one
// JSON document. Run by tests/bench/open_webui.py. PAI_BENCH_TOLD: its settings, in JSON; see `told` below.

import { strict as assert } from "node:assert";
import { Driver } from "../e2e/driver.mjs";

// origin: of Open WebUI. recipe: steps, url, model and header, as the README has them. token: of the daemon.
// question, followUp: what is asked. source, passage: what a source is called, and what stands in it. shots: a folder.
const told = JSON.parse(process.env.PAI_BENCH_TOLD);
const { origin, recipe } = told;
const person = { name: "Ann", email: "ann@example.org", password: "a long pass phrase, 1 of 9" };
const SOURCES = /^\d+ Sources?$/;
const figures = {};

const driver = new Driver({ origin }, told.shots);
await driver.start();
const { page } = driver;
const foreign = [];
page.on("request", (request) => {
  if (!/^(http:\/\/127\.0\.0\.1:|data:|blob:)/.test(request.url())) foreign.push(request.url());
});

const since = (started) => (performance.now() - started) / 1000;
const button = (name, within = page) => within.getByRole("button", { name, exact: true });
// The settings are a dialog themselves.
const overSettings = () => page.getByRole("dialog").nth(1);
const answer = () => page.locator(".chat-assistant").last();
const sources = () => page.getByText(SOURCES).last();

async function signUp() {
  await page.goto(origin);
  // What greets the first person who comes has one button.
  await page.getByRole("button").first().click();
  await page.fill("#name", person.name);
  await page.fill("#email", person.email);
  await page.fill("#password", person.password);
  await button("Create Admin Account").click();
  await button("Okay, Let's Go!").click();
}

/** Opens the page of settings that the recipe names, as far as its last step, which opens a dialog. */
async function openConnections() {
  const [settings, connections] = recipe.steps;
  await button("User menu").first().click();
  await page.getByRole("menuitem", { name: settings, exact: true }).click();
  await page.getByRole("tab", { name: connections, exact: true }).click();
}

/** Adds the connection, and returns the seconds from its being saved until the model is in the list. */
async function connect() {
  await openConnections();
  // The one that is there from the start leads to a program that is not here.
  await page.getByRole("switch", { name: "Enabled" }).first().click();
  await button(recipe.steps.at(-1)).click();
  const dialog = overSettings();
  await dialog.getByPlaceholder("API Base URL").fill(recipe.url);
  await dialog.getByPlaceholder("API Key").fill(told.token);
  await driver.shot("open-webui-connection");
  const saved = performance.now();
  await button("Save", dialog).click();
  await dialog.waitFor({ state: "hidden" });
  await button("Back").click();
  await choose();
  return since(saved);
}

/** Has the connection tell the header of the recipe too. */
async function addHeader() {
  await openConnections();
  await button("Configure").last().click();
  const dialog = overSettings();
  await button("Advanced", dialog).click();
  await dialog.getByPlaceholder("Enter additional headers in JSON format").fill(recipe.header);
  await button("Save", dialog).click();
  await dialog.waitFor({ state: "hidden" });
  await button("Back").click();
}

/** Chooses the model of the recipe in a new chat. */
async function choose() {
  await page.getByRole("link", { name: "New Chat", exact: true }).first().click();
  await page.locator("#model-selector-model-button").click();
  await page.getByRole("option", { name: `Select ${recipe.model} model`, exact: true }).click();
}

/** Asks, and returns how the answer came: seconds until the first text, a source and all of it; how often it grew. */
async function ask(question) {
  const before = await page.locator(".chat-assistant").count();
  await page.locator("#chat-input").fill(question);
  const asked = performance.now();
  await page.keyboard.press("Enter");
  await page.waitForFunction((count) => document.querySelectorAll(".chat-assistant").length > count, before);
  const found = { grew: 0 };
  for (let last = "", open = true; open; ) {
    const now = await answer().innerText();
    if (now.length > last.length) {
      found.whole_s = since(asked);
      found.first_s ??= found.whole_s;
      found.grew += 1;
      last = now;
    }
    if ((await page.getByText(SOURCES).count()) > before) found.sources_s ??= since(asked);
    // It stands there until Open WebUI has its title, tags and questions to follow as well.
    open = found.grew === 0 || (await button("Stop").count()) > 0;
    assert.ok(since(asked) < 60, `no end of an answer: ${last}`);
    await driver.pause();
  }
  return found;
}

/** Returns the chat that is open, as the server has stored it. */
function stored() {
  return page.evaluate(async () => {
    const reply = await fetch(`/api/v1/chats/${location.pathname.split("/").pop()}`, { headers: { Authorization: `Bearer ${localStorage.token}` } });
    return (await reply.json()).chat;
  });
}

/** Returns what is stored of each answer's sources: its names, its text. */
async function storedSources() {
  const { messages } = (await stored()).history;
  return Object.values(messages).filter(({ role }) => role === "assistant").map(({ sources: found = [] }) => found);
}

try {
  await signUp();
  figures.listed_s = await connect();
  figures.plain = await ask(told.question);
  await driver.shot("open-webui-answer");

  await page.reload();
  await sources().click();
  await page.getByText(told.source, { exact: true }).last().waitFor();
  figures.stored = (await storedSources())[0].map(({ source }) => source.name);
  figures.followUp = await ask(told.followUp);

  await addHeader();
  await choose();
  figures.cards = await ask(told.question);
  await page.reload();
  await sources().click();
  await driver.shot("open-webui-sources");
  await page.getByRole("button", { name: told.source }).last().click();
  await page.getByRole("dialog").getByText(told.passage).waitFor();
  await driver.shot("open-webui-passage");
  figures.card_texts = (await storedSources())[0].map(({ document }) => document.join("\n"));
  figures.title = (await stored()).title;
  figures.foreign = foreign;
  console.log(JSON.stringify(figures));
} catch (error) {
  await driver.shot("open-webui-failure");
  throw error;
} finally {
  await driver.stop();
}
