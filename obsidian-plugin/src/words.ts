/** What the plugin says, in the language of the app. Of what the daemon says, its errors are known by their code. Never imports obsidian. */

import { de } from "./words-de";
import { en } from "./words-en";

/** A sentence for each thing to say; a language that lacks one does not compile. */
export type Words = typeof en;

/** The words of the moment; bound anew by `speak`. */
export let say: Words = en;

/** Chooses the language by Obsidian's code for it; English where we have no other. */
export function speak(language: string): void {
  say = /^de\b/i.test(language) ? de : en;
}
