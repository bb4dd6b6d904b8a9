// Checks an AsyncAPI document with the AsyncAPI initiative's own parser: `nox -s asyncapi`.
//
//     node tools/check_asyncapi.mjs PARSER_FOLDER DOCUMENT
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, file] = process.argv.slice(2);
const { Parser } = createRequire(`${folder}/package.json`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf-8"));
for (const { severity, code, message, path } of diagnostics) {
    console.log(["error", "warning", "info", "hint"][severity], code, path.join("."), message);
}
if (document === undefined) {
    process.exit(1);
}
console.log(`AsyncAPI ${document.version()}: ${document.channels().length} channels, ${document.operations().length} operations`);
