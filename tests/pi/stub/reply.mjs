// Plays one step onto one HTTP response: a stream of server-sent events as an OpenAI-compatible
// provider sends it, or one of the ways in which providers and networks fail. Returns a word for
// the log saying what was played.
import { setTimeout as sleep } from "node:timers/promises";

const CREATED = 1700000000; // every answer is the same each time

// `request` is {body, seq}; `options.chunk` is the number of characters per delta when the step
// does not say.
export async function play(step, request, socket, response, options) {
  if (step.hang) return "hang";
  if (step.delayMs) await sleep(step.delayMs);
  if (step.cut === "reset" && step.cutAfter < 0) {
    socket.resetAndDestroy();
    return "reset before headers";
  }
  if (step.html) return sendHtml(step, response);
  if (step.status >= 400) return sendError(step, response);
  const frame = (fields) => ({
    id: `chatcmpl-stub-${request.seq}`,
    object: "chat.completion.chunk",
    created: CREATED,
    model: step.modelName ?? request.body.model,
    choices: [],
    ...fields,
  });
  const usage = usageOf(step, request.body);
  if (step.json || request.body.stream === false) return sendWhole(step, frame, usage, response);
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-cache",
    connection: "keep-alive",
  });
  response.flushHeaders();
  if (step.raw) {
    response.end(step.raw.join("\n") + "\n");
    return "raw lines";
  }
  const send = (fields) => response.write(`data: ${JSON.stringify(frame(fields))}\n\n`);
  const deltas = deltasOf(step, request.seq, step.chunk ?? options.chunk);
  const stopped = await stream(step, deltas, send, socket, response);
  if (stopped) return stopped;

  const finish =
    step.finish !== undefined ? step.finish : step.tools?.length ? "tool_calls" : "stop";
  send({ choices: [{ index: 0, delta: {}, finish_reason: finish }] });
  if (usage && request.body.stream_options?.include_usage !== false) send({ usage });
  response.end("data: [DONE]\n\n");
  return `ok, ${deltas.length} deltas`;
}

// Sends the deltas, as fast as the client reads or at the step's pace. Returns null when all went
// out, otherwise why not.
async function stream(step, deltas, send, socket, response) {
  for (const [sent, delta] of deltas.entries()) {
    if (response.destroyed || socket.destroyed) return "client gone";
    if (step.cut && sent >= step.cutAfter) {
      await sleep(30); // what was written so far is on its way before the connection ends
      if (step.cut === "reset") socket.resetAndDestroy();
      if (step.cut === "eof") response.end();
      return `cut (${step.cut}) after ${sent} deltas`;
    }
    if (!send({ choices: [{ index: 0, delta, finish_reason: null }] })) await drained(response);
    if (step.dripMs) await sleep(step.dripMs);
  }
  return null;
}

function drained(response) {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}

function sendHtml(step, response) {
  const status = step.status ?? 200;
  response.writeHead(status, { "content-type": "text/html" });
  response.end("<html><body><h1>Bad gateway page from a proxy</h1></body></html>");
  return `html ${status}`;
}

function sendError(step, response) {
  response.writeHead(step.status, { "content-type": "application/json", ...step.headers });
  response.end(JSON.stringify({ error: step.error ?? { message: "stub error", type: "stub" } }));
  return `http ${step.status}`;
}

function sendWhole(step, frame, usage, response) {
  const message = { role: "assistant", content: step.text ?? "" };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ ...frame({ choices, usage }), object: "chat.completion" }));
  return "one JSON document";
}

function deltasOf(step, seq, chunk) {
  const deltas = [{ role: "assistant", content: "" }];
  for (const text of pieces(step.think ?? "", chunk)) deltas.push({ reasoning_content: text });
  for (const text of pieces(step.text ?? "", chunk)) deltas.push({ content: text });
  for (const [index, tool] of (step.tools ?? []).entries()) {
    const head = {
      index,
      id: `call_${seq}_${index}`,
      type: "function",
      function: { name: tool.name, arguments: "" },
    };
    deltas.push({ tool_calls: [head] });
    for (const text of pieces(argumentsOf(tool), chunk)) {
      deltas.push({ tool_calls: [{ index, function: { arguments: text } }] });
    }
  }
  return deltas;
}

// Four characters are a token; close enough for costs that are not zero. `usage: false` sends none.
function usageOf(step, body) {
  if (step.usage === false) return undefined;
  const written =
    (step.think ?? "") + (step.text ?? "") + (step.tools ?? []).map(argumentsOf).join("");
  const usage = {
    prompt_tokens: Math.ceil(JSON.stringify(body.messages ?? []).length / 4),
    completion_tokens: Math.max(1, Math.ceil(written.length / 4)),
    prompt_tokens_details: { cached_tokens: 0 },
    ...step.usage,
  };
  return { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens };
}

function argumentsOf(tool) {
  return tool.rawArgs ?? JSON.stringify(tool.args ?? {});
}

// Cut between code points, so that no delta holds half a character.
function pieces(text, size) {
  const characters = Array.from(text);
  const result = [];
  for (let i = 0; i < characters.length; i += size)
    result.push(characters.slice(i, i + size).join(""));
  return result;
}
