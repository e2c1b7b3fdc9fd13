// A run that is controlled from outside: pievtd, and the verbs wait, pause, resume, stop, cancel, add and set, on the real
// pi and with scripted children that wait at a gate. Whatever is asked for is in the record with who asked.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { Project, marked, scripted } from "./project.mjs";
import { startStub } from "./testing.mjs";

let stub;
before(async () => { stub = await startStub(); });
after(() => stub.stop());

const statuses = (state) => Object.fromEntries(state.jobs.map((job) => [job.id, job.status]));

async function detached(project, ...args) {
  const started = await project.pievt("run", "plan.json", "--detach", "-o", "json", ...args);
  assert.equal(started.code, 0, started.stderr);
  return JSON.parse(started.stdout);
}

async function asked(project, ...args) {
  const answer = await project.pievt(...args, "-o", "json");
  assert.equal(answer.code, 0, `${args}: ${answer.stderr}`);
  return JSON.parse(answer.stdout);
}

function status(pid, field) {
  return new RegExp(`^${field}:\\s*(\\S+)`, "m").exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1];
}

for (const version of ["0.73.1", "1.5.2"]) {
  test(`a detached run is nobody's child and is waited for, pi ${version}`, async () => {
    const project = await new Project(version, stub).configure();
    const slow = "Slowly. [[stub:drip chunk=4 ms=150 text='one two three four five six']]";
    await project.plan([slow, "Just answer. [[stub:text text='here']]"], 2);
    const { run, pid } = await detached(project, "--no-probe", ...project.pi);
    // The starter has ended. Nothing of it is left to the daemon.
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    assert.notEqual(Number(stat[3]), process.pid, "its session is its own");
    assert.equal(Number(stat[4]), 0, "it has no terminal");
    assert.equal(fs.readlinkSync(`/proc/${pid}/cwd`), "/");
    assert.equal(fs.readFileSync(`/proc/${pid}/comm`, "utf8"), "pievtd\n");
    assert.equal(status(pid, "Umask"), "0077");
    const planned = (await project.events(run))[0];
    assert.equal(planned.type, "RunPlanned", "it was durable before the starter was told");
    assert.equal(planned.payload.asked_by.program, "pievt run");

    const waited = await project.pievt("wait", run, "-o", "json");
    assert.equal(waited.code, 0, waited.stderr);
    assert.deepEqual(JSON.parse(waited.stdout).runs.map((each) => each.status), ["succeeded"]);
    assert.ok((await project.state(run)).jobs.every((job) => job.status === "succeeded"));
    assert.deepEqual(marked(run), []);
    assert.equal((await project.pievt("verify", "last")).code, 0);
    project.remove();
  });
}

test("a plan that is wrong and a pi that is missing are told to the starter", async () => {
  const project = new Project("1.5.2", stub);
  await project.plan(["answer"], 1);
  const missing = await project.pievt("run", "plan.json", "--detach", "--no-probe", "--pi", "nopi");
  assert.equal(missing.code, 6, missing.stderr);
  assert.match(missing.stderr, /no program nopi/);
  assert.equal((await project.pievt("show", "last")).code, 6, "nothing was planned");
  fs.writeFileSync(path.join(project.work, "plan.json"), '{"jobs":[{"id":"a"}]}');
  assert.equal((await project.pievt("run", "plan.json", "--detach")).code, 2);
  project.remove();
});

test("pause, add, set, cancel, resume: each does what it says, and is in the record", async () => {
  const project = new Project("1.5.2", stub);
  await project.plan(["gate", "gate", "answer", "answer"], 2);
  const plan = JSON.parse(fs.readFileSync(path.join(project.work, "plan.json")));
  plan.jobs[2].dependsOn = ["job-1"];
  plan.jobs[3].dependsOn = [{ job: "job-1", when: "finished" }];
  fs.writeFileSync(path.join(project.work, "plan.json"), JSON.stringify(plan));
  const openGate = await project.closeGate();
  const { run, pid } = await detached(project, ...scripted);
  await project.eventNumber(2, '"AttemptLaunched"');

  assert.equal((await asked(project, "pause", run, "--reason", "the provider is down")).changed, true);
  assert.equal((await asked(project, "pause", run)).changed, false, "twice is once");
  assert.equal((await asked(project, "set", run, "--concurrency", "3")).changed, true);
  assert.equal((await asked(project, "set", `${run}/job-4`, "--priority=5")).changed, true);
  fs.writeFileSync(path.join(project.work, "more.json"), '{"id":"more","prompt":"answer","dependsOn":["job-4"]}');
  assert.equal((await asked(project, "add", run, "--job", "more.json")).changed, true);
  const again = await project.pievt("add", run, "--job", "more.json");
  assert.equal(again.code, 2, again.stderr);
  assert.match(again.stderr, /already/);

  assert.equal((await asked(project, "cancel", `${run}/job-1`, "--reason", "not needed")).changed, true);
  await project.eventNumber(1, '"JobFinished"');
  let state = await project.state(run);
  assert.equal(state.phase, "paused");
  assert.equal(state.concurrency_now, 3);
  assert.equal(state.jobs[0].status, "cancelled");
  assert.ok(state.jobs[4].attempts === undefined || state.jobs[4].attempts.length === 0, "paused starts nothing");

  assert.equal((await asked(project, "resume", run)).changed, true);
  await openGate();
  const waited = await project.pievt("wait", run);
  assert.equal(waited.code, 1, "one was cancelled, so not every job succeeded");
  state = await project.state(run);
  assert.deepEqual(statuses(state), {
    "job-1": "cancelled", "job-2": "succeeded", "job-3": "skipped", "job-4": "succeeded", more: "succeeded",
  });
  const events = await project.events(run);
  for (const type of ["RunPaused", "ThrottleChanged", "JobRevised", "JobCancelRequested", "RunResumed"]) {
    const event = events.find((each) => each.type === type);
    assert.equal(event.payload.asked_by.uid, process.getuid(), type);
    assert.match(event.payload.asked_by.program, /^pievt (pause|set|cancel|resume)$/, type);
    assert.notEqual(event.payload.asked_by.pid, pid, type);
  }
  const late = await project.pievt("stop", run);
  assert.equal(late.code, 1, late.stderr);
  assert.match(late.stderr, /has ended/);
  project.remove();
});

test("stop drains, stop --now ends what runs, in the foreground as well", async () => {
  const project = new Project("1.5.2", stub);
  await project.plan(["gate", "answer"], 1);
  let openGate = await project.closeGate();
  const foreground = project.start("run", "plan.json", ...scripted);
  const gone = once(foreground, "exit");
  await project.eventNumber(1, '"AttemptLaunched"');
  assert.equal((await asked(project, "stop")).changed, true, "the only one that is supervised");
  await project.eventNumber(1, '"JobFinished"');
  await openGate();
  assert.equal((await gone)[0], 1);
  assert.deepEqual(statuses(await project.state()), { "job-1": "succeeded", "job-2": "cancelled" });

  assert.equal((await project.pievt("resume", "last", ...scripted)).code, 0, "the cancelled one goes on");
  openGate = await project.closeGate();
  const { run } = await detached(project, ...scripted);
  await project.eventNumber(3, '"AttemptLaunched"');
  assert.equal((await asked(project, "stop", run, "--now")).changed, true);
  assert.equal((await project.pievt("wait", run)).code, 1);
  assert.deepEqual(statuses(await project.state(run)), { "job-1": "cancelled", "job-2": "cancelled" });
  assert.deepEqual(marked(run), []);
  await openGate();
  project.remove();
});

test("a paused run whose daemon is killed is paused, and a resume takes it over", async () => {
  const project = new Project("1.5.2", stub);
  await project.plan(["gate", "answer"], 1);
  const openGate = await project.closeGate();
  const { run, pid } = await detached(project, ...scripted);
  await project.eventNumber(1, '"AttemptLaunched"');
  await asked(project, "pause", run);
  const waiting = project.start("wait", run);
  const told = once(waiting, "exit");
  process.kill(pid, "SIGKILL");
  assert.equal((await told)[0], 1, "who waits is told that it is interrupted");
  assert.equal((await project.state(run)).phase, "paused");
  const unsupervised = await project.pievt("pause", run);
  assert.equal(unsupervised.code, 1);
  assert.match(unsupervised.stderr, /interrupted/);

  const resumed = await project.pievt("resume", run, "--detach", "-o", "json", ...scripted);
  assert.equal(resumed.code, 0, resumed.stderr);
  await openGate();
  assert.equal((await project.pievt("wait", run)).code, 0);
  const state = await project.state(run);
  assert.equal(state.recoveries, 1);
  assert.deepEqual(statuses(state), { "job-1": "succeeded", "job-2": "succeeded" });
  assert.ok(state.jobs.every((job) => job.attempts.length === 1), "nothing ran twice");
  project.remove();
});

test("pause and then Ctrl-C lets what runs end, and once more stops it", async () => {
  const project = new Project("1.5.2", stub);
  await project.plan(["gate", "answer"], 1);
  const openGate = await project.closeGate();
  const foreground = project.start("run", "plan.json", ...scripted);
  const gone = once(foreground, "exit");
  await project.eventNumber(1, '"AttemptLaunched"');
  await asked(project, "pause");
  foreground.kill("SIGINT");
  await project.eventNumber(1, '"JobFinished"');
  assert.equal((await project.state()).phase, "stopping");
  foreground.kill("SIGINT");
  assert.equal((await gone)[0], 130);
  assert.deepEqual(statuses(await project.state()), { "job-1": "cancelled", "job-2": "cancelled" });
  await openGate();
  project.remove();
});

test("two detached runs in one store; wait --any, --timeout", async () => {
  const project = new Project("1.5.2", stub);
  await project.plan(["gate"], 1);
  const openGate = await project.closeGate();
  const first = await detached(project, ...scripted);
  fs.writeFileSync(path.join(project.work, "plan.json"), '{"name":"quick","jobs":[{"id":"q","prompt":"answer"}]}');
  const second = await detached(project, ...scripted);
  assert.notEqual(first.pid, second.pid);
  const any = await project.pievt("wait", "--any", first.run, second.run, "-o", "json");
  assert.equal(any.code, 0, any.stderr);
  assert.deepEqual(JSON.parse(any.stdout).runs.map((each) => each.status), ["running", "succeeded"]);
  assert.equal((await project.pievt("wait", first.run, "--timeout", "10ms")).code, 4);
  await openGate();
  assert.equal((await project.pievt("wait", first.run, second.run)).code, 0);
  assert.equal((await project.pievt("verify", "--all")).code, 0);
  project.remove();
});

test("a rerun keeps everything, names what it repeats, and the lineage shows both", async () => {
  const project = new Project("1.5.2", stub);
  await project.plan(["answer", "silent", "answer"], 2);
  const plan = JSON.parse(fs.readFileSync(path.join(project.work, "plan.json")));
  plan.jobs[1].metadata = { chapter: "2" };
  plan.jobs[1].dependsOn = ["job-1"];
  plan.jobs[2].dependsOn = ["job-2"];
  fs.writeFileSync(path.join(project.work, "plan.json"), JSON.stringify(plan));
  assert.equal((await project.pievt("run", "plan.json", ...scripted)).code, 1);
  const old = await project.state();
  assert.equal(old.jobs[1].status, "failed");
  assert.equal(old.jobs[2].status, "skipped");
  fs.rmSync(path.join(project.work, "plan.json"));

  const preview = await project.pievt("rerun", "last", "--failed", "--dry-run", "-o", "json");
  assert.deepEqual(JSON.parse(preview.stdout).jobs.map((job) => job.id), ["job-2", "job-3"]);
  const refused = await project.pievt("rerun", "last", "--job", "job-3", "--dry-run");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /--job job-2/);
  fs.writeFileSync(path.join(project.work, "better.txt"), "answer\n");
  const rerun = await project.pievt("rerun", "last", "--failed", "--prompt", "better.txt", "--model", "stub/other",
    "-o", "json", ...scripted);
  assert.equal(rerun.code, 0, rerun.stderr);
  const state = JSON.parse(rerun.stdout).run;
  assert.equal(state.parent_run, old.run_id);
  assert.deepEqual(state.jobs.map((job) => job.declared.rerun_of), [`${old.run_id}/job-2`, `${old.run_id}/job-3`]);
  assert.deepEqual(state.jobs[0].declared.metadata, [{ key: "chapter", value: "2" }]);
  assert.equal(state.jobs[0].declared.depends_on?.length ?? 0, 0, "what it needed has succeeded");
  assert.equal(state.jobs[1].declared.depends_on[0].job, 1);
  assert.ok(state.jobs.every((job) => job.model === "stub/other"));
  const { declared } = old.jobs[1];
  for (const key of ["retry", "timeout_ms", "cwd", "acceptance"])
    assert.deepEqual(state.jobs[0].declared[key], declared[key], key);

  const lineage = JSON.parse((await project.pievt("runs", "--lineage", "last", "-o", "json")).stdout);
  assert.deepEqual(lineage.runs.map((run) => [run.run, run.parent_run]),
    [[old.run_id, ""], [state.run_id, old.run_id]]);
  project.remove();
});

// What docs/control.md says of frames, by somebody who only read that.
class Client {
  constructor(project, run) {
    const socket = path.join(project.work, ".pievt", "attempts", run, "SOCKET");
    this.socket = net.connect(socket);
    this.bytes = Buffer.alloc(0);
    this.socket.on("data", (data) => { this.bytes = Buffer.concat([this.bytes, data]); });
  }
  static text(text) {
    const bytes = Buffer.from(text);
    return Buffer.concat([Buffer.from(Uint32Array.of(bytes.length).buffer), bytes]);
  }
  send(kind, ...fields) {
    const message = Buffer.concat([Buffer.of(kind), ...fields]);
    this.socket.write(Buffer.concat([Buffer.from(Uint32Array.of(message.length).buffer), message]));
  }
  async next() {
    while (this.bytes.length < 4 || this.bytes.length < 4 + this.bytes.readUInt32LE(0)) await once(this.socket, "data");
    const size = this.bytes.readUInt32LE(0);
    const message = this.bytes.subarray(4, 4 + size);
    this.bytes = this.bytes.subarray(4 + size);
    return message;
  }
}

test("a program that holds a run is missed when it is gone", async () => {
  const project = new Project("1.5.2", stub);
  await project.plan(["gate", "answer"], 1);
  const openGate = await project.closeGate();
  const { run, pid } = await detached(project, ...scripted);
  await project.eventNumber(1, '"AttemptLaunched"');
  const client = new Client(project, run);
  client.send(1, Buffer.from(Uint32Array.of(1).buffer), Client.text(run), Client.text("a test"));
  const welcome = await client.next();
  assert.equal(welcome[0], 2);
  assert.equal(welcome.readUInt32LE(1), pid);
  client.send(3, Buffer.from(BigUint64Array.of(77n).buffer), Buffer.of(9, 1));
  const answer = await client.next();
  assert.equal(answer[0], 4);
  assert.equal(answer.readBigUInt64LE(1), 77n);
  assert.equal(answer[9], 0, "held");
  client.socket.destroy();
  assert.equal((await project.pievt("wait", run)).code, 1);
  const state = await project.state(run);
  assert.equal(state.ending, "stopped");
  assert.match(state.reason, /called for it is gone/);
  const stop = (await project.events(run)).find(({ type }) => type === "RunStopRequested");
  assert.equal(stop.payload.asked_by.pid, process.pid);
  assert.equal(stop.payload.asked_by.program, "a test");
  assert.deepEqual(marked(run), []);
  await openGate();
  project.remove();
});

test("commands of the settings hear of the end, and of what needs people", async () => {
  const project = new Project("1.5.2", stub);
  await project.plan(["answer"], 1);
  const tell = (name) => ({ run: ["sh", "-c", `cat > ${name}.json; echo heard`], timeout: "20s" });
  fs.writeFileSync(path.join(project.work, ".pievt", "config.json"),
    JSON.stringify({ hooks: { onFinish: tell("finish"), onAttention: tell("attention") } }));
  const { run, pid } = await detached(project, ...scripted);
  assert.equal((await project.pievt("wait", run)).code, 0);
  await project.eventNumber(1, '"HookFinished"');
  const told = JSON.parse(fs.readFileSync(path.join(project.work, "finish.json")));
  assert.equal(told.schema, "pievt.hook");
  assert.equal(told.hook, "onFinish");
  assert.equal(told.run.run_id, run);
  assert.equal(told.run.ending, "succeeded");
  assert.ok(!fs.existsSync(path.join(project.work, "attention.json")), "nothing needed anybody");
  const over = (await project.events(run)).find(({ type }) => type === "HookFinished");
  assert.equal(over.payload.exit_code, 0);
  assert.notEqual(pid, 0);
  project.remove();
});
