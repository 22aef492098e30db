/** The paragraph around a line of the editor. Never imports obsidian. */

import type { ReadLine } from "./mentions";

// The text goes into an address, which the daemon takes up to 8 kB of; a letter can need nine characters there.
const ADDRESS_CHARACTERS = 6_000;
const LINES = 60;

/** Returns the text from the empty line or heading above `line` to the one below; empty on an empty line. */
export function paragraphAt(line: number, readLine: ReadLine): string {
  const here = readLine(line) ?? "";
  if (isGap(here)) return "";
  const lines = [here];
  if (!isHeading(here)) {
    for (let at = line - 1; line - at <= LINES && continues(readLine(at)); at--) lines.unshift(readLine(at) ?? "");
    for (let at = line + 1; at - line <= LINES && continues(readLine(at)); at++) lines.push(readLine(at) ?? "");
  }
  return fitting(lines.join("\n").trim());
}

function continues(line: string | null): boolean {
  return line !== null && !isGap(line) && !isHeading(line);
}

function isGap(line: string): boolean {
  return /^[\s>]*$/.test(line) || /^\s*(?:---|```)/.test(line);
}

function isHeading(line: string): boolean {
  return /^#{1,6}\s/.test(line);
}

function fitting(text: string): string {
  let end = Math.min(text.length, ADDRESS_CHARACTERS);
  while (end > 0 && encodeURIComponent(whole(text, end)).length > ADDRESS_CHARACTERS) end = Math.floor(end * 0.8);
  return whole(text, end);
}

/** Without halves of characters that take two units: no address can hold them. */
function whole(text: string, end: number): string {
  return text.slice(0, end).replace(/\p{Surrogate}/gu, "");
}
