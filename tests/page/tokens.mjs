/** `node tokens.mjs '{"files": [[name, source, sent], ...]}'`: which files lost more than comments and indents by what is sent. */
import { readFileSync } from "node:fs";
import ts from "typescript";

const { files } = JSON.parse(readFileSync(JSON.parse(process.argv[2]).from, "utf8"));
const printer = ts.createPrinter({ removeComments: true });

/** @param {string} source */
function printed(source) {
  const parsed = ts.createSourceFile("x.js", source, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS);
  return printer.printFile(parsed).replace(/^[ \t]+/gm, "");
}

const changed = files.filter(([, source, sent]) => printed(source) !== printed(sent)).map(([name]) => name);
console.log(JSON.stringify({ changed, checked: files.length }));
