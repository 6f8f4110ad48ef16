// Starts Azurite (`node launcher.js .../azurite.js options`) with five things changed beneath it.
//
// Three are in its store, LokiJS:
// - Azurite looks for each entity by {PartitionKey, RowKey}. The store has an index for each of the two and uses the
//   first that is named: it goes through the whole partition for every write, which costs the more the longer the
//   partition is. Row keys are nearly unique, so they are named first here.
// - When it removes what a query finds, the store sorts every index of the whole table anew, even for one entity. Azurite
//   removes what is left of overwritten blobs one by one, ten minutes after its start: with some 30,000 of them it
//   answered nobody for more than ten minutes. One entity is removed here as the store removes a single one by itself.
// - Every five seconds the store writes all that it has, if anything has changed. With 100,000 events Azurite did little
//   else. Here it rests after each time for nine times as long as that took; when it is stopped it writes in any case.
//
// What is found and what is removed is the same. Two are in its blobs:
// - A blob whose reader goes away in the middle is closed. By itself Azurite leaves the file open, until it can open no
//   more and answers every request with 500.
// - Blobs are listed from a name on (`startFrom` of List Blobs, inclusive), as Azure does; by itself Azurite leaves that
//   out, and lists them all (Azurite issue 2619). The log of a Delta table is read so.
"use strict";

const path = require("path");

const [script] = process.argv.splice(2, 1);
const beside = (name) => require(require.resolve(name, { paths: [path.dirname(script)] }));
const Loki = beside("lokijs");
const { Collection } = Loki;
const { findOne, findAndRemove } = Collection.prototype;
const { autosaveDirty, saveDatabaseInternal } = Loki.prototype;

function byRowKey(query) {
  const { RowKey, ...others } = query ?? {};
  return RowKey === undefined ? query : { RowKey, ...others };
}

Collection.prototype.findOne = function (query) {
  return findOne.call(this, byRowKey(query));
};

Collection.prototype.findAndRemove = function (query) {
  const found = this.find(byRowKey(query));
  if (found.length === 1) this.remove(found[0]);
  else if (found.length > 1) findAndRemove.call(this, query);
};

const REST = 9;
const restsUntil = new WeakMap();

Loki.prototype.saveDatabaseInternal = function (callback) {
  const began = performance.now();
  saveDatabaseInternal.call(this, (error) => {
    const ended = performance.now();
    restsUntil.set(this, ended + REST * (ended - began));
    if (callback) callback(error);
    else if (error) throw error;
  });
};

// `autosaveHandle` is null when the store asks this for the last time, as it is closed.
Loki.prototype.autosaveDirty = function () {
  const rests = this.autosaveHandle && performance.now() < (restsUntil.get(this) ?? 0);
  return !rests && autosaveDirty.call(this);
};

const { default: Extents } = beside("azurite/dist/src/common/persistence/FSExtentStore");

for (const name of ["readExtent", "readExtents"]) {
  const read = Extents.prototype[name];
  Extents.prototype[name] = async function (...options) {
    const body = await read.apply(this, options);
    const { pipe } = body;
    body.pipe = (reader, ...others) => {
      reader.once("close", () => body.destroy());
      return pipe.call(body, reader, ...others);
    };
    return body;
  };
}

const { default: Blobs } = beside("azurite/dist/src/blob/persistence/LokiBlobMetadataStore");
const { listBlobs } = Blobs.prototype;

Blobs.prototype.listBlobs = async function (context, ...options) {
  const [blobs, prefixes, nextMarker] = await listBlobs.call(this, context, ...options);
  const from = context.request.getQuery("startFrom") ?? "";
  return [blobs.filter((blob) => blob.name >= from), prefixes, nextMarker];
};

process.argv[1] = script;
require(script);
