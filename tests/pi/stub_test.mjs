// The scripted model server by itself, without pi: which answer a request gets, that every behaviour
// can be played, and that the process comes and goes as its callers rely on.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { BEHAVIOURS } from "./stub/behaviours.mjs";
import { select } from "./stub/select.mjs";
import { startStub } from "./testing.mjs";

const user = (content) => ({ role: "user", content });
const answered = { role: "assistant", content: "..." };
const choose = (messages, model = "stub/text") => select({ model, messages });

test("a directive in the prompt beats the model id", () => {
  assert.equal(choose([user("Please [[stub:empty]]")], "tool-bash").name, "empty");
  assert.equal(choose([user("Please")], "tool-bash").name, "tool-bash");
  assert.equal(choose([user("Please")], "large").spec.text, BEHAVIOURS.text({})[0].text);
});

test("arguments come from directives, quoted or not, and from model ids", () => {
  const { spec } = choose([user("[[stub:read-two a=\"x y.md\" b='z w.md']]")]);
  assert.deepEqual(
    spec.tools.map((tool) => tool.args.path),
    ["x y.md", "z w.md"],
  );
  assert.equal(choose([user("")], "long-100x7").spec.text.length, 100);
  assert.equal(choose([user("")], "late?ms=5").spec.delayMs, 5);
});

test("the step is the number of answers since the prompt that chose the behaviour", () => {
  const prompt = user([{ type: "text", text: "[[stub:tools-seq]]" }]);
  const conversation = [user("[[stub:empty]]"), answered, prompt, answered, answered];
  assert.equal(choose(conversation).step, 2);
  assert.equal(choose(conversation).spec.text, "Step 3.");
  assert.equal(choose([prompt, ...Array(9).fill(answered)]).spec.text, "Nothing more to do.");
  assert.equal(choose([user("[[stub:tool-loop]]"), ...Array(99).fill(answered)]).step, 99);
});

test("written steps are JSON and may hold brackets of their own", () => {
  const steps = [
    { tools: [{ name: "bash", args: { command: "[[ -d x ]] && ls" } }] },
    { text: "ok" },
  ];
  assert.deepEqual(choose([user(`go [[steps:${JSON.stringify(steps)}]] on`)]).spec, steps[0]);
  assert.equal(choose([user("[[steps:[{]]")]).name, "text");
});

test("pi's request for a summary is answered with one, whatever the conversation says", () => {
  const system = { role: "system", content: "You are a context summarization assistant." };
  assert.equal(choose([system, user("[[stub:http-400]]")]).name, "summary");
});

test("the README lists every behaviour", () => {
  const readme = fs.readFileSync(new URL("./README.md", import.meta.url), "utf8");
  const missing = Object.keys(BEHAVIOURS).filter((name) => !readme.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});

let stub;
let folder;
before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "pievt-stub-"));
  stub = await startStub(["--port-file", path.join(folder, "port")]);
});
after(async () => {
  await stub.stop();
  fs.rmSync(folder, { recursive: true });
});

function ask(model, prompt, signal) {
  return fetch(`${stub.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer k" },
    body: JSON.stringify({ model, stream: true, messages: [user(prompt)] }),
    signal,
  });
}

test("the port file holds the port as soon as the server says it listens", () => {
  assert.equal(fs.readFileSync(path.join(folder, "port"), "utf8"), `${stub.port}\n`);
  assert.deepEqual(fs.readdirSync(folder), ["port"]);
});

test("an answer is a stream of deltas, a finish reason and the usage", async () => {
  const lines = (await (await ask("m", '[[stub:text text="twenty characters..."]]')).text())
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice("data: ".length)));
  const text = lines.map((line) => line.choices[0]?.delta.content ?? "").join("");
  assert.equal(text, "twenty characters...");
  assert.equal(lines.at(-2).choices[0].finish_reason, "stop");
  assert.equal(lines.at(-1).usage.completion_tokens, 5);
});

test("a failure that passes is counted per prompt and key, and reset on request", async () => {
  const statuses = async (prompt, times) => {
    const seen = [];
    for (let i = 0; i < times; i++) {
      const response = await ask("m", prompt);
      await response.text();
      seen.push(response.status);
    }
    return seen;
  };
  assert.deepEqual(await statuses("[[stub:http-429-twice]]", 3), [429, 429, 200]);
  assert.deepEqual(await statuses("[[stub:http-429-twice]] [[key:b]]", 2), [429, 429]);
  await fetch(`${stub.origin}/__reset`, { method: "POST" });
  assert.deepEqual(await statuses("[[stub:http-429-twice]]", 1), [429]);
});

test("bad requests are refused and logged nowhere", async () => {
  const post = (body) => fetch(`${stub.baseUrl}/chat/completions`, { method: "POST", body });
  assert.equal((await post("{")).status, 400);
  assert.equal((await post("[]")).status, 400);
  assert.equal((await fetch(`${stub.baseUrl}/elsewhere`)).status, 404);
});

// Behaviours that never end an answer, or break the connection; each must do just that.
const endless = ["hang", "hang-stream"];
const broken = ["reset", "reset-once", "reset-headers"];

test("every other behaviour plays to its end", async () => {
  const quick = "ms=1 bytes=500";
  for (const name of Object.keys(BEHAVIOURS)) {
    if (endless.includes(name) || broken.includes(name)) continue;
    const response = await ask("m", `[[stub:${name} ${quick}]]`);
    assert.ok((await response.text()).length > 0, name);
  }
});

test("a reset is a reset", async () => {
  for (const name of broken) {
    await assert.rejects(async () => (await ask("m", `[[stub:${name}]]`)).text(), undefined, name);
  }
});

test("a silent provider stays silent until the client goes, and the log says who went", async () => {
  const control = new AbortController();
  const answer = ask("m", "[[stub:hang]] [[key:silent]]", control.signal);
  const log = async () => (await fetch(`${stub.origin}/__log`)).json();
  while (!(await log()).requests.some((entry) => entry.result === "hang"));
  control.abort();
  await assert.rejects(answer, { name: "AbortError" });
  while ((await log()).open > 0);
  assert.equal((await log()).requests.at(-1).clientClosed, true);
});

test("with --die-with-parent the server ends when its stdin does", async () => {
  const program = new URL("./stub-llm.mjs", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, "--die-with-parent"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.stdin.end();
  assert.deepEqual(await once(child, "exit"), [0, null]);
});
