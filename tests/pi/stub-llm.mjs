#!/usr/bin/env node
// A scripted model server for tests and the demo: an OpenAI-compatible provider (chat completions,
// streamed) whose every answer and failure is written down in advance. It needs no package, listens
// on loopback only and spends nothing. README.md explains how a prompt chooses an answer.
//
//   stub-llm.mjs [--port N] [--port-file FILE] [--log FILE] [--bodies] [--chunk N] [--quiet]
//                [--die-with-parent]
//
//   --port N            0 (the default) takes a free one
//   --port-file FILE    the port, when the server is ready; the file appears whole or not at all
//   --log FILE          one JSON line per finished request; --bodies adds the request bodies
//   --chunk N           characters per streamed delta, 16 unless a step says otherwise
//   --quiet             no line per request on stderr
//   --die-with-parent   end when stdin ends: give it a pipe, and no way for the parent to
//                       die leaves a server behind
//
// When ready it prints one line on stdout:
// {"event":"listening","port":...,"pid":...,"baseUrl":"..."}. SIGTERM and SIGINT end it with exit
// code 0.
import fs from "node:fs";
import { parseArgs } from "node:util";
import { makeServer } from "./stub/server.mjs";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "port-file": { type: "string" },
    log: { type: "string" },
    bodies: { type: "boolean", default: false },
    chunk: { type: "string", default: "16" },
    quiet: { type: "boolean", default: false },
    "die-with-parent": { type: "boolean", default: false },
  },
});

function report(entry) {
  if (options.log) fs.appendFileSync(options.log, JSON.stringify(entry) + "\n");
  if (options.quiet) return;
  const asked = `#${entry.seq} ${entry.model} ${entry.behaviour}/${entry.step}`;
  const gone = entry.clientClosed ? ", client closed" : "";
  process.stderr.write(`[stub] ${asked}: ${entry.result} (${entry.ms} ms${gone})\n`);
}

const server = makeServer({ chunk: Number(options.chunk), bodies: options.bodies, onDone: report });
server.on("error", (error) => {
  console.error(`stub-llm: ${error.message}`);
  process.exit(1);
});
server.listen(Number(options.port), "127.0.0.1", () => {
  const { port } = server.address();
  if (options["port-file"]) {
    const unfinished = `${options["port-file"]}.${process.pid}`;
    fs.writeFileSync(unfinished, `${port}\n`);
    fs.renameSync(unfinished, options["port-file"]);
  }
  const ready = {
    event: "listening",
    port,
    pid: process.pid,
    baseUrl: `http://127.0.0.1:${port}/v1`,
  };
  process.stdout.write(JSON.stringify(ready) + "\n");
});
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
if (options["die-with-parent"]) process.stdin.on("close", () => process.exit(0)).resume();
