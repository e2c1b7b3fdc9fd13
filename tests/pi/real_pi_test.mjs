// The real pi against the scripted model: the facts about pi that the supervisor is built on, checked
// on both pinned versions, so that a change of pins shows here first and says what became different.
//
// PIEVT_PI_0_73 and PIEVT_PI_1_5 name the two programs; ctest sets them (CMakeLists.txt).
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { startStub } from "./testing.mjs";

const here = (name) => new URL(name, import.meta.url).pathname;
const versions = [
  { version: "0.73.1", program: process.env.PIEVT_PI_0_73, last: "agent_end" },
  { version: "1.5.2", program: process.env.PIEVT_PI_1_5, last: "agent_settled" },
];

let stub;
before(async () => {
  stub = await startStub();
});
after(() => stub.stop());

for (const { version, program, last } of versions) {
  describe(`pi ${version}`, () => {
    let root;
    before(() => {
      assert.ok(program, "PIEVT_PI_0_73 and PIEVT_PI_1_5 must name the installed programs");
      root = fs.mkdtempSync(path.join(os.tmpdir(), "pievt-pi-"));
      for (const name of ["home", "tmp", "work"]) fs.mkdirSync(path.join(root, name));
      fs.writeFileSync(path.join(root, "work/input.txt"), "alpha\n");
      const config = ["--dir", path.join(root, "agent"), "--base-url", stub.baseUrl];
      execFileSync(process.execPath, [here("gen-config.mjs"), ...config, "--key", version]);
    });
    after(() => fs.rmSync(root, { recursive: true }));

    // One run in json mode with the prompt on stdin. Resolves when pi has exited and both pipes are
    // read to their end: {code, signal, events, of(type)}.
    function run(prompt) {
      const args = ["--mode", "json", "-p", "--model", "stub/text", "--session"];
      const child = spawn(program, [...args, path.join(root, `${Math.random()}.jsonl`)], {
        cwd: path.join(root, "work"),
        env: {
          PATH: process.env.PATH,
          HOME: path.join(root, "home"),
          TMPDIR: path.join(root, "tmp"),
          PI_CODING_AGENT_DIR: path.join(root, "agent"),
          PI_OFFLINE: "1",
        },
        stdio: ["pipe", "pipe", "inherit"],
      });
      child.stdin.end(prompt);
      const chunks = [];
      child.stdout.on("data", (chunk) => chunks.push(chunk));
      return new Promise((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (code, signal) => {
          const lines = Buffer.concat(chunks).toString("utf8").split("\n").filter(Boolean);
          const events = lines.map((line) => JSON.parse(line));
          resolve({ code, signal, events, of: (type) => events.filter((e) => e.type === type) });
        });
      });
    }

    const finalMessage = (result) =>
      result.of("message_end").findLast((e) => e.message.role === "assistant").message;
    const requests = async (key) => {
      const log = await (await fetch(`${stub.origin}/__log`)).json();
      return log.requests.filter((entry) => entry.behaviour === key).length;
    };
    before(() => fetch(`${stub.origin}/__reset`, { method: "POST" }));

    test("a plain answer: header, stop with text and usage, the last event, exit 0", async () => {
      const result = await run("Say hello. [[stub:text]]");
      assert.equal(result.code, 0);
      assert.equal(result.events[0].type, "session");
      assert.equal(result.events[0].cwd, fs.realpathSync(path.join(root, "work")));
      assert.equal(finalMessage(result).stopReason, "stop");
      assert.match(finalMessage(result).content[0].text, /^Hello from the stub/);
      assert.ok(finalMessage(result).usage.totalTokens > 0);
      assert.equal(result.events.at(-1).type, last);
    });

    test("tools read and write files in the working directory", async () => {
      const result = await run("[[stub:read-write path=input.txt to=out/notes.txt content=seen]]");
      assert.equal(result.code, 0);
      assert.deepEqual(
        result.of("tool_execution_end").map((e) => [e.toolName, e.isError]),
        [
          ["read", false],
          ["write", false],
        ],
      );
      assert.equal(fs.readFileSync(path.join(root, "work/out/notes.txt"), "utf8"), "seen\n");
    });

    test("calls of one turn run side by side: one waits for what the other writes", async () => {
      execFileSync("mkfifo", [path.join(root, "work/pipe")]);
      const bash = (command) => ({ name: "bash", args: { command } });
      const tools = [bash("cat pipe"), bash("echo through the pipe > pipe")];
      const result = await run(`[[steps:${JSON.stringify([{ tools }, { text: "Both ended." }])}]]`);
      const [reader] = result.of("turn_end")[0].toolResults;
      assert.equal(reader.content[0].text.trim(), "through the pipe");
      assert.equal(finalMessage(result).stopReason, "stop");
    });

    test("two rate limits are outlived by pi's own retries", async () => {
      const result = await run("[[stub:http-429-twice]]");
      assert.equal(result.of("auto_retry_start").length, 2);
      assert.equal(result.of("auto_retry_end").at(-1).success, true);
      assert.equal(finalMessage(result).stopReason, "stop");
      assert.equal(await requests("http-429-twice"), 3);
    });

    test("a provider that fails for good is an error in the stream and exit 0 all the same", async () => {
      const result = await run("[[stub:http-500-forever]]");
      assert.equal(result.code, 0);
      assert.equal(result.of("auto_retry_end").at(-1).success, false);
      assert.equal(finalMessage(result).stopReason, "error");
      assert.equal(await requests("http-500-forever"), 4);
    });

    test("an empty answer is a stop without content", async () => {
      const result = await run("[[stub:empty]]");
      assert.equal(result.code, 0);
      assert.equal(finalMessage(result).stopReason, "stop");
      assert.deepEqual(finalMessage(result).content, []);
    });
  });
}
