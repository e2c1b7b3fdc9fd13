// What load_test.mjs runs inside a mount of its own: the directory that is named is a small disk, and it fills up while
// two children are about to answer. Prints nothing but what went wrong.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { Project, scripted } from "./project.mjs";

const project = new Project("scripted");
fs.rmdirSync(project.work);
project.work = process.argv[2];

/** Takes all the room there is. */
function fill() {
  const filler = fs.openSync(path.join(project.work, "filler"), "a");
  for (let size = 1 << 20; size > 0; ) {
    try {
      fs.writeSync(filler, Buffer.alloc(size));
    } catch (error) {
      assert.equal(error.code, "ENOSPC");
      size >>= 1;
    }
  }
  fs.closeSync(filler);
}

try {
  assert.equal(await project.plan(["gate", "gate", ...Array(10).fill("answer")], 2), 0);
  const open = await project.closeGate();
  const supervisor = project.start("run", "plan.json", ...scripted);
  let said = "";
  supervisor.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = once(supervisor, "close");
  await project.eventNumber(2, '"AttemptLaunched"');
  fill();
  await open();
  assert.equal((await ended)[0], 3, said);
  assert.match(said, /is full: \d+ KiB are left; nothing that was recorded is lost.*: make room, then pievt resume \d/);
  const stopped = await project.state();
  assert.equal(stopped.phase, "running");
  assert.ok(stopped.jobs.every((job) => job.status !== "failed"), "the disk is not held against the jobs");
  assert.equal((await project.pievt("verify", "last")).code, 0);

  fill(); // what the log had set aside was given back
  const refused = await project.pievt("resume", "last", ...scripted);
  assert.equal(refused.code, 3, refused.stderr);
  fs.rmSync(path.join(project.work, "filler"));
  const resumed = await project.pievt("resume", "last", ...scripted);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.ok((await project.state()).jobs.every((job) => job.status === "succeeded"));
  assert.equal((await project.pievt("verify", "last")).code, 0);
  project.remove();
} catch (error) {
  console.log(error);
  process.exitCode = 1;
}
