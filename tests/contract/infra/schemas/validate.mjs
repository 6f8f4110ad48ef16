// Holds documents against JSON schemas: node validate.mjs PACKAGES SCHEMA FILE [FILE ...]; a JSON array of what was found.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const [packages, schemaFile, ...files] = process.argv.slice(2);
const require = createRequire(join(packages, "node_modules", "/"));
const schema = JSON.parse(readFileSync(schemaFile, "utf8"));
const Ajv = require(schema.$schema.includes("2019-09") ? "ajv/dist/2019" : "ajv").default;
delete schema.$schema;
const validate = new Ajv({ strict: false, unicodeRegExp: false, logger: false }).compile(schema);
const found = [];
for (const file of files) {
  if (!validate(JSON.parse(readFileSync(file, "utf8")))) {
    const deepest = validate.errors.reduce((a, b) => (b.instancePath.length > a.instancePath.length ? b : a));
    found.push({ file: basename(file), at: deepest.instancePath, message: `${deepest.message} ${JSON.stringify(deepest.params)}` });
  }
}
console.log(JSON.stringify(found));
