// Reads an OData service with the libraries of others: node check.mjs PACKAGES ROOT; a JSON object of what was found.
// OASIS's own parser reads $metadata, its converter makes schemas of it, Ajv holds the rows against them; o.js asks.
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, root] = process.argv.slice(2);
const load = createRequire(join(packages, "node_modules", "/"));
const { xml2json } = load("odata-csdl");
const { csdl2openapi } = load("odata-openapi");
const { default: Ajv } = load("ajv/dist/2020.js");
const { default: formats } = load("ajv-formats");
const { o } = load("odata");

const messages = [];
const xml = await (await fetch(`${root}$metadata`)).text();
const csdl = xml2json(xml, { strict: true, messages });
const openapi = csdl2openapi(csdl, { messages, openapiVersion: "3.1.0" });
const ajv = formats(new Ajv({ strict: false, allErrors: true }));
ajv.addSchema({ $id: "api", components: openapi.components });

const client = o(root);
const found = { messages, sets: {}, faults: [] };
const namespace = csdl.$EntityContainer.split(".").slice(0, -1).join(".");
for (const [name, set] of Object.entries(csdl[namespace].Container)) {
  if (!set.$Collection) continue;
  const type = set.$Type;
  const validate = ajv.compile({ $ref: `api#/components/schemas/${type}` });
  const rows = await client.get(name).query({ $top: 20, $orderby: Object.keys(csdl[namespace][type.split(".").pop()]).filter((it) => !it.startsWith("$"))[1] });
  found.sets[name] = rows.length;
  for (const row of rows) {
    if (!validate(row)) found.faults.push({ name, row, errors: validate.errors });
    const key = csdl[namespace][type.split(".").pop()].$Key[0];
    const one = await client.get(`${name}(${row[key]})`).query();
    if (one[key] !== row[key]) found.faults.push({ name, row, one });
  }
}
console.log(JSON.stringify(found));
