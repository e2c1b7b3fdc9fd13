// The HTTP side of the scripted model: routes, the request log and the only state there is, the
// counters of steps that fail a number of times and then work.
//
//   POST .../chat/completions   an answer (select.mjs chooses, reply.mjs plays)
//   GET  .../models             the behaviours, as models
//   GET  /health                "ok"
//   GET  /__log                 {open, requests}: what was asked and how it went; the newest 5000
//   POST /__reset               forget counters and log
import { createHash } from "node:crypto";
import http from "node:http";
import { BEHAVIOURS } from "./behaviours.mjs";
import { play } from "./reply.mjs";
import { select } from "./select.mjs";

const LOG_MAX = 5000;

// options: {chunk, bodies: keep request bodies in the log, onDone(entry): called when a response
// ended}. The server is returned before it listens; it has no timeouts of its own, because hanging
// is one of its trades.
export function makeServer(options) {
  const state = { counters: new Map(), requests: [], open: 0, seq: 0 };
  const server = http.createServer(async (request, response) => {
    request.on("error", () => {}); // a client that goes away is not our failure
    response.on("error", () => {});
    try {
      await route(request, await readAll(request), response, state, options);
    } catch (error) {
      if (!response.headersSent)
        sendJson(response, 500, { error: { message: `stub failed: ${error.stack}` } });
      else response.destroy();
    }
  });
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

async function route(request, raw, response, state, options) {
  const { pathname } = new URL(request.url, "http://127.0.0.1");
  const asked = `${request.method} ${pathname}`;
  if (asked === "GET /health") return response.end("ok");
  if (asked === "GET /__log")
    return sendJson(response, 200, { open: state.open, requests: state.requests });
  if (asked === "POST /__reset") {
    state.counters.clear();
    state.requests.length = 0;
    return response.end("ok");
  }
  if (request.method === "GET" && pathname.endsWith("/models")) {
    const data = Object.keys(BEHAVIOURS).map((id) => ({ id, object: "model", owned_by: "stub" }));
    return sendJson(response, 200, { object: "list", data });
  }
  if (request.method !== "POST" || !pathname.endsWith("/chat/completions")) {
    return sendJson(response, 404, { error: { message: `not found: ${asked}` } });
  }
  const body = parseObject(raw);
  if (!body)
    return sendJson(response, 400, { error: { message: "the request is not a JSON object" } });
  return chat(request, body, raw.length, response, state, options);
}

async function chat(request, body, bytes, response, state, options) {
  const choice = select(body);
  const entry = {
    seq: ++state.seq,
    t: Date.now(),
    model: body.model,
    behaviour: choice.name,
    step: choice.step,
    bytes,
  };
  entry.roles = (body.messages ?? []).map((m) => String(m?.role)[0]).join("");
  entry.tools = (body.tools ?? []).map((t) => t.function?.name ?? t.name);
  if (options.bodies) entry.body = body;
  state.requests.push(entry);
  if (state.requests.length > LOG_MAX) state.requests.shift();
  state.open++;
  response.on("close", () => {
    state.open--;
    entry.ms = Date.now() - entry.t;
    if (!response.writableEnded && !entry.result?.includes("reset")) entry.clientClosed = true;
    options.onDone?.(entry);
  });
  const step = effective(choice, request, body, entry, state.counters);
  entry.result = await play(step, { body, seq: entry.seq }, request.socket, response, options);
}

// A step may stand for another: once the conversation is compacted, or once it has failed often
// enough.
function effective(choice, request, body, entry, counters) {
  const { spec } = choice;
  if (spec.whenCompacted && choice.compacted) return spec.whenCompacted;
  if (!spec.times) return spec;
  const who = [request.headers.authorization, body.model, choice.key, choice.step, choice.userText];
  const id = createHash("sha256").update(JSON.stringify(who)).digest("hex");
  entry.time = (counters.get(id) ?? 0) + 1;
  counters.set(id, entry.time);
  return entry.time <= spec.times ? spec : (spec.then ?? { text: "OK after retry" });
}

async function readAll(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function parseObject(raw) {
  try {
    const value = JSON.parse(raw);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function sendJson(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
