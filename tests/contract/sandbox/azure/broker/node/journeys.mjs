// The journeys of the broker's tests once more, with Microsoft's JavaScript SDKs: another AMQP stack (rhea).
// node journeys.mjs FOLDER_OF_NODE_MODULES AMQP_CONNECTION_STRING HTTP_CONNECTION_STRING [websockets]
// Without UseDevelopmentEmulator=true in the connection strings everything goes over TLS, and NODE_EXTRA_CA_CERTS names the
// authority.
// Prints the name of each journey that passes; the first failure ends it with status 1.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";

const [, , folder, connectionString, administrationString, transport] = process.argv;
const require = createRequire(path.join(folder, "anywhere.js"));
const { ServiceBusClient, ServiceBusAdministrationClient } = require("@azure/service-bus");
const { EventHubConsumerClient, EventHubProducerClient, earliestEventPosition } = require("@azure/event-hubs");

const opened = [];
const webSocket = class extends require("ws") {
  constructor(...given) {
    super(...given);
    opened.push(this.url);
  }
};
const options = transport === "websockets" ? { webSocketOptions: { webSocket } } : {};
const client = new ServiceBusClient(connectionString, { ...options, retryOptions: { maxRetries: 0, timeoutInMs: 10_000 } });

/** Exactly `count` messages. */
async function take(receiver, count) {
  const taken = [];
  while (taken.length < count) {
    const more = await receiver.receiveMessages(count - taken.length, { maxWaitTimeInMs: 5_000 });
    assert.ok(more.length, `only ${taken.length} of ${count} messages came`);
    taken.push(...more);
  }
  return taken;
}

async function sendAndSettle() {
  const sender = client.createSender("node");
  await sender.sendMessages({
    body: { n: 1 },
    messageId: "m1",
    subject: "label",
    contentType: "application/json",
    applicationProperties: { text: "x", number: 5, flag: true },
  });
  const batch = await sender.createMessageBatch();
  for (const body of ["complete", "abandon", "defer", "dead"]) assert.ok(batch.tryAddMessage({ body }));
  await sender.sendMessages(batch);
  const receiver = client.createReceiver("node");
  assert.deepEqual((await receiver.peekMessages(5)).map((each) => each.body).slice(1), ["complete", "abandon", "defer", "dead"]);
  const [first, complete, abandon, defer, dead] = await take(receiver, 5);
  assert.deepEqual([first.body, first.messageId, first.subject], [{ n: 1 }, "m1", "label"]);
  assert.deepEqual(first.applicationProperties, { text: "x", number: 5, flag: true });
  assert.equal(first.deliveryCount, 0);
  assert.ok((await receiver.renewMessageLock(first)) > new Date());
  await receiver.completeMessage(first);
  await receiver.completeMessage(complete);
  await receiver.abandonMessage(abandon, { attempt: 1 });
  await receiver.deferMessage(defer, { until: "later" });
  const reason = { deadLetterReason: "Poison", deadLetterErrorDescription: "why", seenBy: "node" };
  await receiver.deadLetterMessage(dead, reason);
  const [again] = await take(receiver, 1);
  assert.deepEqual([again.body, again.deliveryCount, again.applicationProperties], ["abandon", 1, { attempt: 1 }]);
  await receiver.completeMessage(again);
  const [deferred] = await receiver.receiveDeferredMessages(defer.sequenceNumber);
  assert.deepEqual([deferred.body, deferred.applicationProperties], ["defer", { until: "later" }]);
  await receiver.completeMessage(deferred);
  const buried = client.createReceiver("node", { subQueueType: "deadLetter", receiveMode: "receiveAndDelete" });
  const [found] = await take(buried, 1);
  assert.deepEqual([found.body, found.deadLetterReason, found.deadLetterErrorDescription], ["dead", "Poison", "why"]);
  assert.equal(found.applicationProperties.seenBy, "node");
  await Promise.all([sender.close(), receiver.close(), buried.close()]);
}

async function scheduleAndCancel() {
  const sender = client.createSender("node");
  const numbers = await sender.scheduleMessages([{ body: "a" }, { body: "b" }], new Date(Date.now() + 3_600_000));
  assert.equal(numbers.length, 2);
  const receiver = client.createReceiver("node");
  assert.deepEqual((await receiver.peekMessages(5)).map((each) => each.state), ["scheduled", "scheduled"]);
  await sender.cancelScheduledMessages(numbers);
  assert.equal((await receiver.peekMessages(5)).length, 0);
  await assert.rejects(client.createSender("nowhere").sendMessages({ body: "x" }), { code: "MessagingEntityNotFound" });
  await Promise.all([sender.close(), receiver.close()]);
}

async function sessions() {
  const sender = client.createSender("node-sessions");
  const message = (sessionId) => ({ body: sessionId, sessionId });
  await sender.sendMessages([message("A"), message("B")]);
  const first = await client.acceptSession("node-sessions", "A");
  await assert.rejects(client.acceptSession("node-sessions", "A"), { code: "SessionCannotBeLocked" });
  const second = await client.acceptNextSession("node-sessions");
  assert.equal(second.sessionId, "B");
  await first.setSessionState({ step: 1 });
  assert.deepEqual(await first.getSessionState(), { step: 1 });
  assert.ok((await first.renewSessionLock()) > new Date());
  for (const receiver of [first, second]) {
    const [taken] = await take(receiver, 1);
    assert.equal(taken.body, receiver.sessionId);
    await receiver.completeMessage(taken);
  }
  await first.setSessionState(null);
  await Promise.all([first.close(), second.close(), sender.close()]);
}

async function rules() {
  const manager = client.createRuleManager("node-topic", "sub");
  const names = async () => {
    const found = [];
    for await (const rule of manager.listRules()) found.push(rule.name);
    return found;
  };
  assert.deepEqual(await names(), ["$Default"]);
  await manager.deleteRule("$Default");
  await manager.createRule("red", { applicationProperties: { color: "red" } }, { sqlExpression: "SET seen = 'yes'" });
  await manager.createRule("large", { sqlExpression: "n > 100" });
  assert.deepEqual(await names(), ["red", "large"]);
  for await (const rule of manager.listRules()) {
    if (rule.name === "red") assert.deepEqual(rule.filter.applicationProperties, { color: "red" });
    else assert.equal(rule.filter.sqlExpression, "n > 100");
  }
  const sender = client.createSender("node-topic");
  await sender.sendMessages([
    { body: "red", applicationProperties: { color: "red" } },
    { body: "neither", applicationProperties: { color: "blue", n: 5 } },
    { body: "large", applicationProperties: { n: 500 } },
  ]);
  const receiver = client.createReceiver("node-topic", "sub", { receiveMode: "receiveAndDelete" });
  const taken = await take(receiver, 2);
  assert.deepEqual(taken.map((each) => each.body), ["red", "large"]);
  assert.equal(taken[0].applicationProperties.seen, "yes");
  await manager.deleteRule("red");
  await Promise.all([sender.close(), receiver.close()]);
}

async function counts() {
  // The SDK insists on https: what is asked of the broker's port without TLS goes over http.
  const plain = {
    name: "plain",
    sendRequest: (request, next) => next(Object.assign(request, { url: request.url.replace(/^https/, "http"), allowInsecureConnection: true })),
  };
  const administration = new ServiceBusAdministrationClient(administrationString);
  if (administrationString.includes("UseDevelopmentEmulator=true")) administration.pipeline.addPolicy(plain);
  const sender = client.createSender("node");
  await sender.sendMessages([{ body: "active" }, { body: "dead" }]);
  await sender.scheduleMessages({ body: "later" }, new Date(Date.now() + 3_600_000));
  const receiver = client.createReceiver("node");
  const [, dead] = await take(receiver, 2);
  await receiver.deadLetterMessage(dead);
  const found = await administration.getQueueRuntimeProperties("node");
  assert.deepEqual(
    [found.activeMessageCount, found.deadLetterMessageCount, found.scheduledMessageCount, found.totalMessageCount],
    [1, 1, 1, 3],
  );
  const queues = [];
  for await (const queue of administration.listQueues()) queues.push(queue.name);
  assert.ok(queues.includes("node") && queues.includes("node-sessions"));
  assert.equal((await administration.getSubscriptionRuntimeProperties("node-topic", "sub")).activeMessageCount, 0);
  assert.equal((await administration.getRule("node-topic", "sub", "large")).filter.sqlExpression, "n > 100");
  assert.equal(await administration.queueExists("nowhere"), false);
  await administration.createQueue("node-made", { lockDuration: "PT20S" });
  assert.equal((await administration.getQueue("node-made")).lockDuration, "PT20S");
  await administration.deleteQueue("node-made");
  await Promise.all([sender.close(), receiver.close()]);
}

async function hubs() {
  const producer = new EventHubProducerClient(connectionString, "node-events", options);
  const properties = await producer.getEventHubProperties();
  assert.deepEqual(properties.partitionIds, ["0", "1", "2", "3"]);
  const batch = await producer.createBatch({ partitionKey: "customer-7" });
  for (let index = 0; index < 5; index += 1) assert.ok(batch.tryAdd({ body: `e${index}`, properties: { index } }));
  await producer.sendBatch(batch);
  const states = await Promise.all(properties.partitionIds.map((id) => producer.getPartitionProperties(id)));
  const keyed = states.find((state) => !state.isEmpty);
  assert.equal(keyed.lastEnqueuedSequenceNumber, 4);
  await producer.sendBatch([{ body: "to the partition" }], { partitionId: keyed.partitionId });
  const consumer = new EventHubConsumerClient("$Default", connectionString, "node-events", options);
  const read = (startPosition, count) =>
    new Promise((resolve, reject) => {
      const found = [];
      const processEvents = async (events) => {
        found.push(...events);
        if (found.length < count) return;
        setImmediate(() => subscription.close().then(() => resolve(found), reject));
      };
      const handlers = { processEvents, processError: async (error) => reject(error) };
      const subscription = consumer.subscribe(keyed.partitionId, handlers, { startPosition, maxWaitTimeInSeconds: 1 });
    });
  const all = await read(earliestEventPosition, 6);
  assert.deepEqual(all.map((each) => each.body), ["e0", "e1", "e2", "e3", "e4", "to the partition"]);
  assert.deepEqual([all[0].partitionKey, all[3].properties.index], ["customer-7", 3]);
  assert.equal((await read({ sequenceNumber: 2 }, 3))[0].body, "e3");
  assert.equal((await read({ offset: all[4].offset, isInclusive: true }, 2))[0].body, "e4");
  await Promise.all([producer.close(), consumer.close()]);
}

for (const journey of [sendAndSettle, scheduleAndCancel, sessions, rules, counts, hubs]) {
  await journey();
  console.log(journey.name);
}
await client.close();
assert.equal(opened.length > 0, transport === "websockets");
