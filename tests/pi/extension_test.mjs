// pi calling pievt: the extension in both versions of pi, with a scripted model for the caller and for its workers.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";

import { marked, Project, versions } from "./project.mjs";
import { startStub } from "./testing.mjs";

const extension = process.env.PIEVT_EXTENSION;

class Caller extends Project {
  children = [];

  /** A failed test leaves its pi running; its error matters more than what is left of it. */
  async remove() {
    for (const child of this.children) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      if (!child.closed) await once(child, "close");
    }
    super.remove();
  }

  async prepare() {
    await this.configure();
    fs.mkdirSync(path.join(this.root, "bin"));
    fs.symlinkSync(versions[this.version], path.join(this.root, "bin", "pi"));
    this.env.PATH = `${path.join(this.root, "bin")}:${this.env.PATH}`;
    this.env.PIEVT_PROGRAM = process.env.PIEVT;
    return this;
  }

  /** pi with the extension; `prompt` goes to its stdin, or it speaks RPC. */
  pi(prompt) {
    const session = path.join(this.root, "caller.jsonl");
    const mode = prompt === undefined ? ["--mode", "rpc"] : ["--mode", "json", "-p"];
    const child = spawn(versions[this.version], [
      ...mode, "--session", session, "--model", "stub/small", "--no-extensions", "--no-skills", "-e", extension,
    ], { cwd: this.work, env: this.env, stdio: ["pipe", "pipe", "pipe"] });
    Object.assign(child, { events: [], next: 0, news: new EventEmitter(), talk: "", closed: false });
    createInterface({ input: child.stdout }).on("line", (line) => {
      try {
        child.events.push(JSON.parse(line));
      } catch {
        return; // not an event
      }
      child.news.emit("more");
    });
    this.children.push(child);
    child.on("close", () => { child.closed = true; child.news.emit("more"); });
    child.stderr.on("data", (chunk) => { child.talk += chunk; });
    if (prompt !== undefined) child.stdin.end(prompt);
    return child;
  }

  /** All events that pi prints until it ends. */
  async events(prompt) {
    const child = this.pi(prompt);
    await once(child, "close");
    return { seen: child.events, talk: child.talk };
  }

  /** Resolves with the next event of pi's that `fits`, of those nobody has waited for. */
  async line(child, fits) {
    for (;;) {
      while (child.next < child.events.length) {
        const event = child.events[child.next++];
        if (fits(event)) return event;
      }
      if (child.closed) assert.fail(`pi ended first: ${child.talk}`);
      await once(child.news, "more");
    }
  }
}

const callTool = (name, args) => `[[steps:${JSON.stringify([{ tools: [{ name, args }] }, { text: "the caller is done" }])}]]`;
const ended = (events, tool) => events.find((event) => event.type === "tool_execution_end" && event.toolName === tool);
const textOf = (event) => event.result.content.map((part) => part.text).join("");

for (const version of Object.keys(versions)) {
  test(`pi ${version} calls for jobs`, async (t) => {
    const stub = await startStub();
    t.after(() => stub.stop());
    const project = (name, body) => t.test(name, async () => {
      const caller = await new Caller(version, stub).prepare();
      try {
        await body(caller);
      } finally {
        await caller.remove();
      }
    });

    await project("two jobs run, are told of meanwhile, and their last words come back", async (caller) => {
      const { seen, talk } = await caller.events(callTool("jobs", {
        jobs: [
          { name: "first", prompt: '[[steps:[{"text":"one is done"}]]]' },
          { name: "second", prompt: '[[steps:[{"text":"two is done"}]]]' },
        ],
      }));
      const end = ended(seen, "jobs");
      assert.ok(end, talk);
      assert.equal(end.isError, false, textOf(end));
      assert.match(textOf(end), /JOBS done · 2\/2/);
      assert.match(textOf(end), /one is done/);
      assert.match(textOf(end), /two is done/);
      assert.ok(seen.some((event) => event.type === "tool_execution_update" && event.toolName === "jobs"), "progress is told");
      const run = await caller.state();
      assert.equal(run.tool, "jobs");
      assert.equal(run.jobs.length, 2);
      assert.match(run.jobs[0].model, /stub\/small/, "the caller's own model");
    });

    await project("a guard refuses before anything is written", async (caller) => {
      const { seen } = await caller.events(callTool("jobs", { jobs: [{ name: "c", prompt: "launch 5 agents to review" }] }));
      const end = ended(seen, "jobs");
      assert.equal(end.isError, true);
      assert.match(textOf(end), /jobs_plan/);
      assert.ok(!fs.existsSync(path.join(caller.work, ".pievt")));
    });

    await project("without pievt a call says what to install", async (caller) => {
      caller.env.PIEVT_PROGRAM = "/nowhere/pievt";
      const { seen } = await caller.events(callTool("job", { name: "n", prompt: "p" }));
      assert.equal(ended(seen, "job").isError, true);
      assert.match(textOf(ended(seen, "job")), /not installed/);
    });

    await project("a pievt that crashes is a result, too", async (caller) => {
      const crashing = path.join(caller.root, "crashing");
      fs.writeFileSync(crashing, "#!/bin/sh\necho broken >&2\nkill -SEGV $$\n", { mode: 0o755 });
      caller.env.PIEVT_PROGRAM = crashing;
      const { seen } = await caller.events(callTool("job", { name: "n", prompt: "p" }));
      assert.match(textOf(ended(seen, "job")), /gave no result.*broken/s);
    });

    await project("a worker has no job tools and hands in its report", async (caller) => {
      const report = { status: "completed", summary: "all is well", deliverables: [{ path: "a", kind: "note" }] };
      const worker = [{ tools: [{ name: "job_report", args: report }] }, { tools: [{ name: "jobs", args: { jobs: [] } }] }, { text: "reported" }];
      const { seen } = await caller.events(callTool("job", { name: "n", prompt: `[[steps:${JSON.stringify(worker)}]]` }));
      assert.equal(ended(seen, "job").isError, false, textOf(ended(seen, "job")));
      const log = await caller.exec(process.env.PIEVT, ["log", "last", "-o", "jsonl"]);
      assert.match(log.stdout, /ReportSubmitted/);
      assert.match(log.stdout, /all is well/);
      const run = await caller.state();
      assert.equal(run.jobs[0].attempts[0].tool_errors, 1, "the worker's call of jobs was no tool");
    });

    for (const [how, gone] of [["SIGTERM", "stop"], ["SIGINT", "stop"], ["SIGKILL", "stop"], ["SIGKILL", "continue"], ["EOF", "stop"], ["abort", "stop"]]) {
      await project(`the caller is gone by ${how}, and the run is to ${gone}`, async (caller) => {
        const holding = path.join(caller.work, "holding");
        const worker = [{ tools: [{ name: "bash", args: { command: `touch ${holding}; until [ -e go ]; do sleep 0.05; done` } }] }, { text: "went on" }];
        const child = caller.pi();
        const prompt = callTool("job", { name: "n", prompt: `[[steps:${JSON.stringify(worker)}]]`, onCallerGone: gone });
        child.stdin.write(JSON.stringify({ id: "1", type: "prompt", message: prompt }) + "\n");
        const update = await caller.line(child, (event) => event.type === "tool_execution_end" ||
          (event.type === "tool_execution_update" && event.partialResult?.details?.run && fs.existsSync(holding)));
        assert.equal(update.type, "tool_execution_update", "it runs: " + JSON.stringify(update.result));
        const run = update.partialResult.details.run;
        if (how === "EOF") child.stdin.end();
        else if (how === "abort") child.stdin.write(JSON.stringify({ id: "2", type: "abort" }) + "\n");
        else child.kill(how);
        if (how !== "abort") await once(child, "exit");
        if (gone === "continue") fs.writeFileSync(path.join(caller.work, "go"), "");
        const waited = await caller.exec(process.env.PIEVT, ["wait", run]);
        const state = await caller.state(run);
        assert.equal(state.ending, gone === "continue" ? "succeeded" : "stopped", waited.stderr);
        assert.deepEqual(marked(run), [], "nothing of it runs on");
        if (how === "abort") {
          child.stdin.end();
          await once(child, "exit");
        }
      });
    }

    await project("commands answer over RPC", async (caller) => {
      await caller.plan(['[[steps:[{"text":"x"}]]]'], 1);
      const ran = await caller.pievt("run", "plan.json", "--no-probe", "--pi", versions[version]);
      assert.equal(ran.code, 0, ran.stderr);
      const child = caller.pi();
      const said = async (command) => {
        child.stdin.write(JSON.stringify({ id: command, type: "prompt", message: command }) + "\n");
        const request = await caller.line(child, (event) => event.type === "extension_ui_request");
        return request.message ?? request.text;
      };
      assert.match(await said("/jobs-ui"), /succeeded/);
      assert.match(await said("/jobs-ui last/job-1"), /job-1/);
      assert.match(await said("/jobs-settings"), /"mask":false/);
      assert.match(await said("/jobs-clean"), /would|nothing/);
      assert.match(await said("/jobs-start tidy up"), /jobs_plan[\s\S]*tidy up/);
      child.stdin.end();
      await once(child, "exit");
    });
  });
}
