// The main job, whole: the program, the real pi in both versions, the scripted model. The example plan of the
// documentation must end as it says it does, and the record must tell the story afterwards.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Project, marked, versions } from "./project.mjs";
import { startStub } from "./testing.mjs";

const example = new URL("../../docs/examples/chapter-review/", import.meta.url).pathname;
let stub;
before(async () => { stub = await startStub(); });
after(() => stub.stop());

for (const version of Object.keys(versions)) {
  test(`the chapter review on pi ${version}`, async () => {
    const project = await new Project(version, stub).configure();
    fs.cpSync(example, project.work, { recursive: true });
    assert.equal((await project.pievt("init")).code, 0);
    const run = await project.pievt("run", "plan.json", "-o", "json", ...project.pi);
    assert.equal(run.code, 1, run.stderr);
    const state = JSON.parse(run.stdout).run;
    const jobs = Object.fromEntries(state.jobs.map((job) => [job.id, job]));
    const told = Object.fromEntries(state.jobs.map((job) => [job.id, [job.status, job.failure, job.attempts.length]]));
    assert.deepEqual(told, {
      outline: ["succeeded", "none", 1],
      glossary: ["succeeded", "none", 1],
      "cross-check": ["succeeded", "none", 1],
      dates: ["succeeded", "none", 1],
      figures: ["failed", "provider_transient", 2],
      style: ["failed", "empty_final", 2],
      index: ["failed", "acceptance_failed", 1],
      translation: ["failed", "deadline_exceeded", 1],
    });
    assert.equal(jobs["cross-check"].attempts[0].tool_calls, 2);
    assert.equal(jobs.dates.attempts[0].provider_retries, 2);
    assert.ok(Number(jobs.outline.usage.cost_nanodollars) > 0, "what was paid for is known");
    assert.ok(fs.existsSync(path.join(project.work, "notes/glossary.md")));
    assert.equal(state.pi_version, version);

    const replayed = JSON.parse((await project.pievt("replay", "last", "-o", "json")).stdout).run;
    const shown = JSON.parse((await project.pievt("show", "last", "-o", "json")).stdout).run;
    assert.deepEqual(replayed, shown);
    const middle = await project.pievt("show", "last", "--at", "60", "-o", "json");
    assert.equal(JSON.parse(middle.stdout).run.phase, "running");
    const said = await project.pievt("cat", "last/glossary");
    assert.equal(said.stdout.trim(), "The glossary has one term.");
    const output = await project.pievt("output", "last/glossary");
    assert.ok(output.stdout.startsWith('{"type":"session"'));
    assert.ok(output.stdout.trimEnd().split("\n").every((line) => JSON.parse(line).type));
    const verified = await project.pievt("verify", "last");
    assert.equal(verified.code, 0, verified.stdout);
    assert.deepEqual(marked(state.run_id), []);
    assert.ok(!fs.existsSync(path.join(project.work, ".pievt/attempts", state.run_id, "glossary/1/stdout")));
    project.remove();
  });
}

test("a model that does not answer costs one request, not a batch", async () => {
  const project = await new Project("1.5.2", stub).configure();
  const plan = { name: "wrong model", defaults: { model: "nobody/none" }, jobs: [{ id: "a", prompt: "Say hello." }] };
  fs.writeFileSync(path.join(project.work, "plan.json"), JSON.stringify(plan));
  await project.pievt("init");
  const run = await project.pievt("run", "plan.json", "-o", "json", ...project.pi);
  assert.equal(run.code, 1, run.stderr);
  const state = JSON.parse(run.stdout).run;
  assert.equal(state.ending, "stopped");
  assert.match(state.reason, /does not answer/);
  assert.equal(state.jobs[0].attempts?.length ?? 0, 0);
  project.remove();
});

test("a pi that is missing, too old or not executable is refused before anything is recorded", async () => {
  const project = await new Project("1.5.2", stub).configure();
  fs.writeFileSync(path.join(project.work, "plan.json"), '{"name": "x", "jobs": [{"id": "a", "prompt": "hello"}]}');
  fs.writeFileSync(path.join(project.work, "old"), "#!/bin/sh\necho 0.60.0\n", { mode: 0o755 });
  fs.writeFileSync(path.join(project.work, "text"), "not a program\n", { mode: 0o644 });
  await project.pievt("init");
  for (const [program, code, words] of [["nopi", 6, /no program nopi/], ["./old", 3, /0\.73\.0/], ["./text", 2, /chmod/]]) {
    const run = await project.pievt("run", "plan.json", "--pi", program);
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stderr, words);
  }
  assert.equal((await project.pievt("show", "last")).code, 6);
  project.remove();
});

test("Ctrl-C once drains, a resume finishes the rest", async () => {
  const project = await new Project("1.5.2", stub).configure();
  const prompt = "Slowly. [[stub:drip chunk=4 ms=150 text='one two three four five six']]";
  const jobs = ["a", "b", "c", "d"].map((id) => ({ id, prompt }));
  const plan = { name: "drain", concurrency: 2, defaults: { model: "stub/small" }, jobs };
  fs.writeFileSync(path.join(project.work, "plan.json"), JSON.stringify(plan));
  await project.pievt("init");
  const supervisor = project.start("run", "plan.json", ...project.pi);
  const gone = new Promise((resolve) => supervisor.once("exit", resolve));
  await project.eventNumber(33);
  supervisor.kill("SIGINT");
  assert.equal(await gone, 130);
  const stopped = JSON.parse((await project.pievt("show", "last", "-o", "json")).stdout).run;
  assert.equal(stopped.ending, "stopped");
  assert.ok(stopped.jobs.some((job) => job.status === "cancelled"));
  assert.ok(stopped.jobs.every((job) => job.status !== "failed"), "what ran was allowed to end");
  assert.equal((await project.pievt("resume", "last", ...project.pi)).code, 0);
  const ended = JSON.parse((await project.pievt("show", "last", "-o", "json")).stdout).run;
  assert.ok(ended.jobs.every((job) => job.status === "succeeded"));
  assert.equal((await project.pievt("verify", "last")).code, 0);
  project.remove();
});
