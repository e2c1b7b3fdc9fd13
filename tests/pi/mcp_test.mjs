// pievt mcp with the official client: calls, progress, cancelling, a client that is gone, and pi 1.5 as a client.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import test from "node:test";

import { marked, Project, versions } from "./project.mjs";
import { startStub } from "./testing.mjs";

const require = createRequire(path.join(process.env.PIEVT_MCP_CLIENT, "x.js"));
const load = (name) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}`)));
const { Client } = await load("client/index.js");
const { StdioClientTransport } = await load("client/stdio.js");

const says = (text) => `[[steps:${JSON.stringify([{ text }])}]]`;

test("pievt mcp", async (t) => {
  const stub = await startStub();
  t.after(() => stub.stop());

  const session = (name, body, env = {}) => t.test(name, async () => {
    const project = await new Project("1.5.2", stub).configure();
    const client = new Client({ name: "test", version: "1" });
    const transport = new StdioClientTransport({
      command: process.env.PIEVT, args: ["mcp", "--pi", versions["1.5.2"], "--no-probe"],
      cwd: project.work, env: { ...project.env, ...env }, stderr: "inherit",
    });
    try {
      await client.connect(transport);
      await body({ client, transport, project });
    } finally {
      await client.close();
      project.remove();
    }
  });
  const job = (prompt, more = {}) => ({ name: "job", arguments: { name: "n", prompt, model: "stub/small", ...more } });
  const held = (project) => {
    const holding = path.join(project.work, "holding");
    const command = `touch ${holding}; until [ -e go ]; do sleep 0.05; done`;
    return { holding, prompt: `[[steps:${JSON.stringify([{ tools: [{ name: "bash", args: { command } }] }, { text: "x" }])}]]` };
  };
  const runs = async (project) => JSON.parse((await project.pievt("runs", "-o", "json")).stdout).items;

  await session("a call answers with what its job said, and history can be read", async ({ client, project }) => {
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((tool) => tool.name), ["job", "jobs", "jobs_plan", "runs", "show"]);
    const told = [];
    const answer = await client.callTool(job(says("from the worker")), undefined, { onprogress: (progress) => told.push(progress) });
    assert.equal(answer.isError, false, JSON.stringify(answer.content));
    assert.match(answer.content[0].text, /from the worker/);
    assert.ok(told.length > 0, "progress is told");
    assert.equal(answer.structuredContent.jobs[0].final, "from the worker");
    assert.match((await client.callTool({ name: "runs", arguments: {} })).content[0].text, new RegExp(answer.structuredContent.run));
    assert.match((await client.callTool({ name: "show", arguments: { run: answer.structuredContent.run } })).content[0].text, /"t001"/);
    assert.equal((await runs(project)).length, 1);
  });

  await session("a guard's answer is an error the model can read", async ({ client }) => {
    const answer = await client.callTool({ name: "jobs", arguments: { jobs: [{ name: "c", prompt: "launch 5 agents" }] } });
    assert.equal(answer.isError, true);
    assert.match(answer.content[0].text, /jobs_plan/);
  });

  await session("two calls at once do not wait for each other", async ({ client }) => {
    const answers = await Promise.all([client.callTool(job(says("a"))), client.callTool(job(says("b")))]);
    assert.deepEqual(answers.map((answer) => answer.structuredContent.jobs[0].final), ["a", "b"]);
  });

  await session("a cancelled call stops its run", async ({ client, project }) => {
    const { holding, prompt } = held(project);
    const abort = new AbortController();
    let run;
    await assert.rejects(client.callTool(job(prompt), undefined, {
      signal: abort.signal,
      onprogress: ({ message }) => {
        run ??= /run (\S+)/.exec(message)?.[1];
        if (fs.existsSync(holding)) abort.abort("enough");
      },
    }));
    await project.pievt("wait", run);
    assert.equal((await project.state(run)).ending, "stopped");
    assert.deepEqual(marked(run), []);
  });

  await session("a client that is gone stops its run, and one that said so does not", async ({ client, transport, project }) => {
    const { holding, prompt } = held(project);
    const found = [];
    const calls = ["stop", "continue"].map((gone) => new Promise((resolve) => {
      client.callTool(job(prompt, { onCallerGone: gone }), undefined, {
        onprogress: ({ message }) => {
          const run = /run (\S+)/.exec(message)?.[1];
          if (run) found.push([gone, run]);
          if (fs.existsSync(holding)) resolve();
        },
      }).catch(() => {});
    }));
    await Promise.all(calls);
    process.kill(transport.pid, "SIGKILL");
    const of = Object.fromEntries(found);
    await project.pievt("wait", of.stop);
    assert.equal((await project.state(of.stop)).ending, "stopped");
    fs.writeFileSync(path.join(project.work, "go"), "");
    await project.pievt("wait", of.continue);
    assert.equal((await project.state(of.continue)).ending, "succeeded");
  });

  await session("detach answers at once", async ({ client, project }) => {
    const answer = await client.callTool(job(held(project).prompt, { detach: true }));
    assert.equal(answer.isError, false);
    const { run } = answer.structuredContent;
    assert.equal((await project.state(run)).ending, "unknown");
    fs.writeFileSync(path.join(project.work, "go"), "");
    await project.pievt("wait", run);
    assert.equal((await project.state(run)).ending, "succeeded");
  });

  await session("inside a worker nothing is begun", async ({ client, project }) => {
    const answer = await client.callTool(job(says("x")));
    assert.equal(answer.isError, true);
    assert.match(answer.content[0].text, /worker/);
    assert.ok(!fs.existsSync(path.join(project.work, ".pievt")));
  }, { PIEVT_ATTEMPT: "r/1/1" });

  await t.test("pi 1.5 calls it as one of its own tools", async () => {
    const project = await new Project("1.5.2", stub).configure();
    try {
      const server = { command: process.env.PIEVT, args: ["mcp", "--pi", versions["1.5.2"], "--no-probe"], exposure: "direct" };
      fs.writeFileSync(path.join(project.env.PI_CODING_AGENT_DIR, "mcp.json"), JSON.stringify({ mcpServers: { pievt: server } }));
      const steps = [{ tools: [{ name: "mcp__pievt__job", args: { name: "n", prompt: says("over MCP"), model: "stub/small" } }] }, { text: "done" }];
      const child = spawn(versions["1.5.2"], ["--mode", "json", "-p", "--session", path.join(project.root, "s.jsonl"),
        "--model", "stub/small"], { cwd: project.work, env: project.env, stdio: ["pipe", "pipe", "inherit"] });
      child.stdin.end(`[[steps:${JSON.stringify(steps)}]]`);
      let out = "";
      child.stdout.on("data", (chunk) => { out += chunk; });
      await once(child, "close");
      const end = out.split("\n").filter(Boolean).map((line) => JSON.parse(line)).find((event) => event.type === "tool_execution_end");
      assert.match(JSON.stringify(end), /over MCP/);
    } finally {
      project.remove();
    }
  });
});
