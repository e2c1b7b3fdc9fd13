// What bounds an attempt and a run, on the real pi: a provider that asks for patience, a session that goes on, money
// and tokens that are spent, silence.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Project, marked, versions } from "./project.mjs";
import { startStub } from "./testing.mjs";

let stub;
before(async () => { stub = await startStub(); });
after(() => stub.stop());

async function projectWith(version, plan) {
  const project = await new Project(version, stub).configure();
  fs.writeFileSync(path.join(project.work, "plan.json"), JSON.stringify(plan));
  assert.equal((await project.pievt("init")).code, 0);
  return project;
}

async function events(project, type) {
  const told = await project.pievt("log", "last", "-o", "jsonl");
  return told.stdout.trimEnd().split("\n").map((line) => JSON.parse(line)).filter((event) => event.type === type);
}

for (const version of Object.keys(versions)) {
  test(`a provider that asks for patience gets it, and the session goes on, pi ${version}`, async () => {
    const retry = { maxAttempts: 2, backoffMs: { initial: 1, jitter: false }, session: "resume" };
    const project = await projectWith(version, {
      defaults: { model: "stub/small", retry },
      jobs: [{ id: "patient", prompt: "Say hello. [[stub:http-429-wait wait=2s times=4]]" }],
    });
    const run = await project.pievt("run", "plan.json", "--no-probe", "-o", "json", ...project.pi);
    assert.equal(run.code, 0, run.stderr);
    const [first, second] = JSON.parse(run.stdout).run.jobs[0].attempts;
    assert.equal(first.failure, "provider_transient");
    assert.equal(Number(first.retry_after_ms), 2000);
    assert.ok(Number(second.requested_ns) - Number(first.exited_ns) >= 2e9, "it waited");
    assert.equal(second.session_from, 1);
    assert.equal(second.session_id, first.session_id);
    const log = await (await fetch(`${stub.origin}/__log`)).json();
    const last = log.requests.at(-1);
    assert.equal([...last.roles].filter((role) => role === "u").length, 2, `one conversation: ${last.roles}`);
    assert.equal((await project.pievt("verify", "last")).code, 0);
    project.remove();
  });

  test(`silence ends an attempt where the plan says so, pi ${version}`, async () => {
    const project = await projectWith(version, {
      defaults: { model: "stub/small", retry: { maxAttempts: 1 } },
      jobs: [{ id: "hangs", prompt: "Think. [[stub:hang]]", silence: { provider: "1500ms" } }],
    });
    const run = await project.pievt("run", "plan.json", "--no-probe", "-o", "json", ...project.pi);
    assert.equal(run.code, 1, run.stderr);
    const state = JSON.parse(run.stdout).run;
    assert.equal(state.jobs[0].failure, "provider_stalled");
    assert.equal(state.jobs[0].attempts[0].stop_reason, "silent");
    assert.equal((await events(project, "SilenceObserved")).length, 1);
    assert.deepEqual(marked(state.run_id), []);
    project.remove();
  });
}

test("a budget that is spent stops the run, and resuming it is the decision to spend as much again", async () => {
  const jobs = ["a", "b", "c"].map((id) => ({ id, prompt: "Say hello. [[stub:text]]" }));
  const plan = { concurrency: 1, budget: { tokens: 1 }, defaults: { model: "stub/small" }, jobs };
  const project = await projectWith("1.5.2", plan);
  const run = await project.pievt("run", "plan.json", "--no-probe", ...project.pi);
  assert.equal(run.code, 1, run.stderr);
  const stopped = await project.state();
  assert.equal(stopped.ending, "stopped");
  assert.match(stopped.reason, /^the run's budget is spent: \d+ of 1 tokens$/);
  assert.equal(stopped.limit, "tokens");
  assert.equal((await events(project, "LimitReached")).length, 1);
  const attempts = (state) => state.jobs.reduce((sum, job) => sum + (job.attempts?.length ?? 0), 0);
  assert.equal(attempts(stopped), 1);
  await project.pievt("resume", "last", "--no-probe", ...project.pi);
  assert.equal(attempts(await project.state()), 2);
  assert.equal((await project.pievt("verify", "last")).code, 0);
  project.remove();
});
