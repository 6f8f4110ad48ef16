// Passes the requests that arrive at a hybrid connection of Azure Relay on to a system in the local network.
//
//   RELAY_NAMESPACE=contoso.servicebus.windows.net RELAY_CONNECTION=erp RELAY_KEY_NAME=listen RELAY_KEY=... \
//   TARGET_URL=http://erp.local:8080 node listener.mjs
//
// RELAY_KEY is a shared access key with the right Listen, and no other. See docs/how-to/reach-an-on-premises-erp.md.

import http from "node:http";
import https from "node:https";
import relay from "hyco-https";

const { RELAY_NAMESPACE, RELAY_CONNECTION, RELAY_KEY_NAME, RELAY_KEY, TARGET_URL } = process.env;
for (const name of ["RELAY_NAMESPACE", "RELAY_CONNECTION", "RELAY_KEY_NAME", "RELAY_KEY", "TARGET_URL"]) {
  if (!process.env[name]) {
    console.error(`${name} is not set.`);
    process.exit(2);
  }
}

// Another address than that of the namespace is only for tests against a stand-in.
const address = process.env.RELAY_ADDRESS ?? `wss://${RELAY_NAMESPACE}:443`;
const listenAt = `${address}/$hc/${RELAY_CONNECTION}?sb-hc-action=listen`;
const target = new URL(TARGET_URL);
const client = target.protocol === "https:" ? https : http;

// The relay gives a listener 60 seconds for an answer, and lets it answer neither 502 nor 504.
const ANSWER_MS = 55_000;
// A connection on which nothing happens is ended after some minutes, by the relay or by a firewall on the way.
const PING_MS = Number(process.env.RELAY_PING_SECONDS ?? 60) * 1000;
const MOST_UNANSWERED = 2;
const NOT_FOR_LISTENERS = new Set([502, 504]);
const OF_THE_CONNECTION = new Set(["connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "close"]);

const passedOn = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_CONNECTION.has(name.toLowerCase())));

const whole = (stream) =>
  new Promise((resolve, reject) => {
    const parts = [];
    stream.on("data", (part) => parts.push(part)).on("end", () => resolve(Buffer.concat(parts))).on("error", reject);
  });

// The path without the name of the hybrid connection, where it begins with that, below the path of the target.
const ownName = new RegExp(`^/${RELAY_CONNECTION.replace(/[^\w]/g, "\\$&")}(?=[/?]|$)`, "i");
const pathAtTarget = (url) => {
  const rest = url.replace(ownName, "");
  return target.pathname.replace(/\/$/, "") + (rest.startsWith("/") ? rest : `/${rest}`);
};

const ask = (method, path, headers, body) =>
  new Promise((resolve, reject) => {
    const options = { method, path, headers: { ...headers, "content-length": body.length }, timeout: ANSWER_MS };
    client
      .request(target, options, resolve)
      .on("timeout", function () { this.destroy(new Error("no answer in time")); })
      .on("error", reject)
      .end(body);
  });

const passOn = async (request, response) => {
  const path = pathAtTarget(request.url);
  let answer, body;
  try {
    answer = await ask(request.method, path, passedOn(request.headers), await whole(request));
    body = await whole(answer);
  } catch (failure) {
    console.error(`${request.method} ${path}: ${TARGET_URL} did not answer: ${failure.message}`);
    response.writeHead(503, { "content-type": "text/plain" });
    response.end("The listener could not reach the system.");
    return;
  }
  const status = NOT_FOR_LISTENERS.has(answer.statusCode) ? 503 : answer.statusCode;
  response.writeHead(status, passedOn(answer.headers));
  body.length ? response.end(body) : response.end();
};

// hyco-https has a keep-alive of its own, which waits for no answer: where the other side is gone without a word, only TCP's own
// time-out would show it, after about a quarter of an hour. What ends here, hyco-https connects again.
const keepAlive = (channel) => {
  let unanswered = 0;
  channel.on("pong", () => { unanswered = 0; }).on("message", () => { unanswered = 0; });
  const pinging = setInterval(() => {
    if (unanswered >= MOST_UNANSWERED) {
      console.error("the relay does not answer any more: connecting again");
      channel.terminate();
      return;
    }
    unanswered += 1;
    channel.ping();
  }, PING_MS);
  channel.on("close", () => clearInterval(pinging));
};

const server = relay.createRelayedServer(
  {
    server: listenAt,
    token: () => relay.createRelayToken(listenAt, RELAY_KEY_NAME, RELAY_KEY), // called anew every hour
  },
  passOn,
);
server
  .on("listening", () => {
    console.log(`listening at ${RELAY_CONNECTION}, for ${TARGET_URL}`);
    keepAlive(server.controlChannel);
  })
  .on("error", (failure) => console.error(`the relay cannot be reached: ${failure.message ?? failure}`))
  .listen();
