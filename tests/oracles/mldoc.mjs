// Reads {name: text} as JSON from standard input and prints {name: syntax tree}, as Logseq has mldoc parse.
import { readFileSync } from "node:fs";
import mldoc from "mldoc";

const settings = JSON.stringify({
  toc: false,
  parse_outline_only: false,
  heading_number: false,
  keep_line_break: true,
  format: "Markdown",
  heading_to_list: false,
});
const texts = JSON.parse(readFileSync(0, "utf8"));
const trees = Object.entries(texts).map(([name, text]) => [
  name,
  text.trim() === "" ? [] : JSON.parse(mldoc.Mldoc.parseJson(text, settings)),
]);
process.stdout.write(JSON.stringify(Object.fromEntries(trees)));
