/** One source or note in a list: number, place, words, staleness; opens on click, drags out as a wikilink. */

import type { UserEvent } from "obsidian";
import type { MarkedText } from "./results";
import { say } from "./words";

export interface Row {
  number?: number;
  place: string;
  detail: string;
  words: MarkedText[];
  badge?: { text: string; why: string };
  link: string;
  open: (event: UserEvent) => void;
  insert?: () => void;
}

export function drawRow(parent: HTMLElement, row: Row): HTMLElement {
  const el = parent.createDiv({ cls: "pai-row", attr: { role: "link", tabindex: "0", draggable: "true" } });
  const head = el.createDiv({ cls: "pai-row-head" });
  if (row.number !== undefined) head.createSpan({ cls: "pai-number", text: String(row.number) });
  head.createSpan({ cls: "pai-row-place", text: row.place });
  if (row.badge) head.createSpan({ cls: "pai-badge", text: row.badge.text, attr: { "aria-label": row.badge.why } });
  if (row.insert) drawInsert(head, row.insert);
  drawMarked(el.createDiv({ cls: "pai-row-words" }), row.words);
  if (row.detail) el.createDiv({ cls: "pai-row-detail", text: row.detail });
  el.addEventListener("click", row.open);
  el.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === el) row.open(event);
  });
  el.addEventListener("dragstart", (event) => event.dataTransfer?.setData("text/plain", row.link));
  return el;
}

export function drawMarked(parent: HTMLElement, words: MarkedText[]): void {
  for (const part of words) {
    if (part.marked) parent.createEl("mark", { text: part.text });
    else parent.appendText(part.text);
  }
}

function drawInsert(head: HTMLElement, insert: () => void): void {
  const button = head.createEl("button", { cls: "pai-row-insert", text: say.link, attr: { "aria-label": say.linkWhy } });
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    insert();
  });
}
