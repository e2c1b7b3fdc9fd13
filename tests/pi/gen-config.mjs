#!/usr/bin/env node
// Writes a complete pi agent directory (what PI_CODING_AGENT_DIR names) whose only provider is the
// stub. The same files serve pi 0.73 and 1.5. Nothing in it is secret and nothing in it reaches the
// network.
//
//   gen-config.mjs --dir DIR --base-url http://127.0.0.1:PORT/v1
//       [--models a,b,large:3:15]    ids, each with dollars per million input and output
//                                    tokens (1 and 2 if not said);
//                                    without it, every behaviour of the stub is a model
//       [--key stub-key]             the bearer key; the stub counts "fail N times" per key
//       [--max-retries 3]            pi's own retries
//       [--base-delay 50]            ms before the first of them, doubled each time
//       [--provider-retries 0]       retries inside pi 0.73's HTTP client, which no event tells of
//       [--timeout-ms N]             pi's limit until response headers (none if not said)
//       [--idle-timeout-ms N]        pi 1.5's limit for a silent stream (five minutes)
//       [--compaction on|off] [--context 128000] [--max-tokens 8192]
//
// Writes models.json and settings.json, mode 0600, directory 0700.
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { BEHAVIOURS } from "./stub/behaviours.mjs";

const { values: options } = parseArgs({
  options: {
    dir: { type: "string" },
    "base-url": { type: "string" },
    models: { type: "string" },
    key: { type: "string", default: "stub-key" },
    "max-retries": { type: "string", default: "3" },
    "base-delay": { type: "string", default: "50" },
    "provider-retries": { type: "string", default: "0" },
    "timeout-ms": { type: "string" },
    "idle-timeout-ms": { type: "string" },
    compaction: { type: "string", default: "on" },
    context: { type: "string", default: "128000" },
    "max-tokens": { type: "string", default: "8192" },
  },
});
if (!options.dir || !options["base-url"]) {
  console.error(
    "usage: gen-config.mjs --dir DIR --base-url URL [options]; the head of this file lists them",
  );
  process.exit(2);
}

const everyBehaviour = [
  ...Object.keys(BEHAVIOURS),
  "long-65536x64",
  "long-65536x16",
  "long-32768x16",
  "long-8192x16",
  "drip-4x100",
].join(",");

function model(text) {
  const [id, input = "1", output = "2"] = text.split(":");
  const cost = {
    input: Number(input),
    output: Number(output),
    cacheRead: Number(input) / 10,
    cacheWrite: 0,
  };
  return {
    id,
    name: `stub ${id}`,
    reasoning: false,
    input: ["text"],
    contextWindow: Number(options.context),
    maxTokens: Number(options["max-tokens"]),
    cost,
  };
}

const list = (options.models ?? everyBehaviour).split(",").map(model);
const models = {
  providers: {
    stub: {
      baseUrl: options["base-url"],
      api: "openai-completions",
      // A literal; pi 0.73 would first look up a key in capital letters as an environment variable.
      apiKey: options.key,
      compat: {
        supportsDeveloperRole: false,
        supportsReasoningEffort: false,
        supportsStore: false,
        maxTokensField: "max_tokens",
      },
      models: list,
    },
  },
};
const settings = {
  defaultProvider: "stub",
  defaultModel: list[0].id,
  defaultThinkingLevel: "off",
  quietStartup: true,
  enableInstallTelemetry: false,
  compaction: {
    enabled: options.compaction === "on",
    reserveTokens: 16384,
    keepRecentTokens: 20000,
  },
  retry: {
    enabled: Number(options["max-retries"]) > 0,
    maxRetries: Number(options["max-retries"]),
    baseDelayMs: Number(options["base-delay"]),
    provider: {
      maxRetries: Number(options["provider-retries"]),
      ...(options["timeout-ms"] ? { timeoutMs: Number(options["timeout-ms"]) } : {}),
    },
  },
  ...(options["idle-timeout-ms"] ? { httpIdleTimeoutMs: Number(options["idle-timeout-ms"]) } : {}),
};

function save(name, value) {
  fs.writeFileSync(path.join(options.dir, name), JSON.stringify(value, null, 2) + "\n", {
    mode: 0o600,
  });
}
fs.mkdirSync(options.dir, { recursive: true, mode: 0o700 });
save("models.json", models);
save("settings.json", settings);
