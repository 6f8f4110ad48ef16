// Starts Azurite (`node by_row_key.js .../azurite.js options`) with one thing changed beneath it.
//
// Azurite looks for each entity by {PartitionKey, RowKey}. Its store, LokiJS, has an index for each of the two and uses
// the first that is named: it goes through the whole partition for every write, which costs the more the longer the
// partition is. Row keys are nearly unique, so they are named first here. What is found is the same.
"use strict";

const path = require("path");

const [script] = process.argv.splice(2, 1);
const { Collection } = require(require.resolve("lokijs", { paths: [path.dirname(script)] }));
const findOne = Collection.prototype.findOne;

Collection.prototype.findOne = function (query) {
  const { RowKey, ...others } = query ?? {};
  return findOne.call(this, RowKey === undefined ? query : { RowKey, ...others });
};

process.argv[1] = script;
require(script);
