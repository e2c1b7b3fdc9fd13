// Two batches on the real pi in one store: the second supervisor appends through the first, takes its place when it is
// killed, and does not notice otherwise. A run has one supervisor: a second one is refused while it lives.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Project, marked } from "./project.mjs";
import { startStub } from "./testing.mjs";

const plan = (name) => ({
  name,
  concurrency: 2,
  defaults: { model: "stub/small", timeout: "60s" },
  jobs: [
    { id: "drip", prompt: "Slowly. [[stub:drip chunk=4 ms=150 text='one two three four five six seven eight nine ten']]" },
    { id: "tool", prompt: "A slow tool. [[stub:tool-bash cmd='echo started; sleep 1; echo finished']]" },
    { id: "plain", prompt: "Just answer. [[stub:text text='here']]" },
    { id: "later", prompt: "Just answer. [[stub:text text='there']]", dependsOn: ["drip"] },
  ],
});

let stub;
before(async () => { stub = await startStub(); });
after(() => stub.stop());

for (const version of ["0.73.1", "1.5.2"]) {
  test(`two supervisors share a store, and one is killed, pi ${version}`, async () => {
    const project = await new Project(version, stub).configure();
    for (const name of ["first", "second"])
      fs.writeFileSync(path.join(project.work, `${name}.json`), JSON.stringify(plan(name)));
    assert.equal((await project.pievt("init")).code, 0);

    const first = project.start("run", "first.json", ...project.pi);
    const firstGone = once(first, "exit");
    await project.eventNumber(1, '"RunStarted"');
    const second = project.start("run", "second.json", ...project.pi);
    const secondGone = once(second, "exit");
    await project.eventNumber(2, '"RunStarted"');

    const refused = await project.pievt("resume", "first", ...project.pi);
    assert.equal(refused.code, 3, refused.stderr);
    assert.match(refused.stderr, new RegExp(`supervised by pievt run \\(process ${first.pid}\\) since`));

    first.kill("SIGKILL");
    assert.equal((await firstGone)[1], "SIGKILL", "the first batch was over before it could be interrupted");
    assert.equal((await secondGone)[0], 0, "the second batch goes on by itself");
    const resumed = await project.pievt("resume", "first", "-o", "json", ...project.pi);
    assert.equal(resumed.code, 0, resumed.stderr);

    for (const name of ["first", "second"]) {
      const events = await project.events(name);
      assert.equal(events.at(-1).type, "RunFinished", name);
      const finished = events.filter(({ type }) => type === "JobFinished").map(({ job }) => job);
      assert.deepEqual(finished.toSorted(), ["drip", "later", "plain", "tool"], name);
      assert.deepEqual(marked((await project.state(name)).run_id), []);
    }
    const verified = await project.pievt("verify", "--all");
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    project.remove();
  });
}
