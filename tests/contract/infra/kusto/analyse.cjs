// What Microsoft's language service for Kusto says of queries: it knows the language, and the tables that it is given.
// Arguments: the folder of the packages, and a file {"tables": {name: columns}, "queries": {name: text}}.
// Prints {name: {"wrong": [...], "columns": [...]}}: what is wrong with a query, and what its answer has.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const [packages, file] = process.argv.slice(2);
for (const name of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
  require(join(packages, 'node_modules', '@kusto', 'language-service-next', name));
}
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

const given = JSON.parse(readFileSync(file, 'utf8'));
const tables = Object.entries(given.tables).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, columns, ''));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor3('here', null, tables, false));
const answers = {};
for (const [name, text] of Object.entries(given.queries)) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const columns = code.ResultType && code.ResultType.Columns ? Bridge.toArray(code.ResultType.Columns) : [];
  answers[name] = {
    wrong: Bridge.toArray(code.GetDiagnostics()).map((it) => `${it.Severity}: ${it.Message} (at ${it.Start})`),
    columns: columns.map((it) => `${it.Name}: ${it.Type.Name}`),
  };
}
process.stdout.write(JSON.stringify(answers));
