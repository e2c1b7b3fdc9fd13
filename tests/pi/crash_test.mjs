// kill -9 of the supervisor, at ten moments of a batch on the real pi. Afterwards `pievt resume` must end the batch, no job
// may ever have run twice at once, and the log must tell the whole story.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Project, marked } from "./project.mjs";
import { startStub } from "./testing.mjs";

const plan = {
  name: "crash",
  concurrency: 3,
  defaults: { model: "stub/small", timeout: "30s", retry: { maxAttempts: 2, backoffMs: { initial: 100, jitter: false } } },
  jobs: [
    { id: "drip", prompt: "Slowly. [[stub:drip chunk=4 ms=120 text='one two three four five six seven eight']]" },
    { id: "tool", prompt: "A slow tool. [[stub:tool-bash cmd='echo started; sleep 1; echo finished']]" },
    { id: "limit", prompt: "Too many requests. [[stub:http-429-twice text='in the end']]" },
    { id: "down", prompt: "The provider fails. [[stub:http-500-forever]]" },
    { id: "plain", prompt: "Just answer. [[stub:text text='here']]" },
    { id: "silent", prompt: "Say nothing. [[stub:hang]]", timeout: "3s", retry: { maxAttempts: 1 } },
  ],
};
// Event numbers of the store at which the supervisor is killed: while probing, starting, streaming, in tools, in backoff.
const moments = [18, 24, 30, 36, 43, 50, 58, 66, 75, 84];

let stub;
before(async () => { stub = await startStub(); });
after(() => stub.stop());

function check(events) {
  const open = new Map();
  const finished = new Map();
  for (const { type, job, attempt } of events) {
    const key = job ?? "_probe";
    if (type === "AttemptLaunchRequested" && job) {
      assert.ok(!open.has(key), `attempt ${attempt} of ${key} began while another was open`);
      assert.ok(!finished.has(key), `${key} was started after its end`);
      open.set(key, attempt);
    }
    if (type === "AttemptClassified" && job) {
      assert.equal(open.get(key), attempt, `${key} ended an attempt that was not open`);
      open.delete(key);
    }
    if (type === "JobFinished") {
      assert.ok(!finished.has(key), `${key} finished twice`);
      finished.set(key, true);
    }
  }
  assert.equal(finished.size, plan.jobs.length);
  assert.equal(events.at(-1).type, "RunFinished");
}

let adopted = 0;
for (const [index, moment] of moments.entries()) {
  // The older pi takes twice as long to start.
  const version = index % 3 === 1 ? "0.73.1" : "1.5.2";
  test(`killed at event ${moment}, pi ${version}`, async () => {
    const project = await new Project(version, stub).configure();
    fs.writeFileSync(path.join(project.work, "plan.json"), JSON.stringify(plan));
    assert.equal((await project.pievt("init")).code, 0);
    const supervisor = project.start("run", "plan.json", ...project.pi);
    const gone = once(supervisor, "exit");
    await project.eventNumber(moment);
    supervisor.kill("SIGKILL");
    assert.equal((await gone)[1], "SIGKILL", "the batch was over before it could be interrupted");

    const resumed = await project.pievt("resume", "last", "-o", "json", ...project.pi);
    assert.equal(resumed.code, 1, resumed.stderr);
    const state = JSON.parse(resumed.stdout).run;
    const events = await project.events();
    check(events);
    assert.equal(events.filter(({ type }) => type === "RunRecovered").length, 1);
    adopted += events.filter(({ type }) => type === "AttemptAdopted").length;
    const status = Object.fromEntries(state.jobs.map((job) => [job.id, job.status]));
    assert.deepEqual(status, {
      drip: "succeeded", tool: "succeeded", limit: "succeeded", down: "failed", plain: "succeeded", silent: "failed",
    });
    const verified = await project.pievt("verify", "last");
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    assert.deepEqual(marked(state.run_id), []);
    project.remove();
  });
}

test("some of them found children to take over", () => assert.ok(adopted > 0));
