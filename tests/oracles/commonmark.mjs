// Prints, as JSON, what the reference implementation of CommonMark makes of each example of its specification.
//
// examples: {number, section, markdown, blocks: [[kind, depth, first line, last line]], code: [text], links: [destination]}
// hidden: texts in which commonmark.js finds `[[Hidden]] #hidden` within code and nowhere else.

import { Parser } from "commonmark";
import spec from "commonmark-spec";

const BLOCKS = {
  block_quote: "quote",
  code_block: "code",
  heading: "heading",
  html_block: "html",
  item: "item",
  list: "list",
  paragraph: "paragraph",
  thematic_break: "rule",
};
const HIDDEN = "[[Hidden]] #hidden";
const parser = new Parser();

function* nodes(markdown) {
  const walker = parser.parse(markdown).walker();
  let depth = -1;
  for (let event = walker.next(); event; event = walker.next()) {
    const { entering, node } = event;
    if (node.type === "document") continue;
    if (entering) yield { node, depth: depth + 1 };
    if (node.isContainer) depth += entering ? 1 : -1;
  }
}

function describe(markdown) {
  const found = { blocks: [], code: [], links: [] };
  for (const { node, depth } of nodes(markdown)) {
    if (node.type in BLOCKS) {
      const [[first], [last]] = node.sourcepos;
      found.blocks.push([BLOCKS[node.type], depth, first, last]);
    } else if (node.type === "code") found.code.push(node.literal);
    else if (node.type === "link" || node.type === "image") found.links.push(node.destination);
  }
  return found;
}

function isHidden(markdown) {
  const literals = [...nodes(markdown)].map(({ node }) => node);
  const inCode = literals.filter(({ type, literal }) => /^code/.test(type) && literal.includes(HIDDEN));
  return inCode.length === 1 && markdown.split(HIDDEN).length === 2;
}

function* withHidden(markdown) {
  for (const { node } of nodes(markdown)) {
    if (!/^code/.test(node.type) || !node.literal.trim()) continue;
    const literal = node.literal.trim();
    if (markdown.split(literal).length !== 2) continue;
    const changed = markdown.replace(literal, () => HIDDEN);
    if (isHidden(changed)) yield changed;
  }
}

const examples = spec.tests.map(({ number, section, markdown }) => {
  const text = markdown.replaceAll("→", "\t");
  return { number, section, markdown: text, ...describe(text) };
});
const hidden = examples.flatMap(({ markdown }) => [...withHidden(markdown)]);
process.stdout.write(JSON.stringify({ examples, hidden }));
