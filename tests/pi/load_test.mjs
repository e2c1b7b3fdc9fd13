// The program under load and in want: children that flood it, many jobs, many children at once, a disk without room.
// The children are scripted, so that nothing but pievt is slow.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Project, scripted } from "./project.mjs";

/** Starts `pievt run` under a limit of the kernel's. */
const limited = (project, limit) => project.startProgram("prlimit", limit, process.env.PIEVT, "run", "plan.json", ...scripted);

async function end(child) {
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  return { code: (await once(child, "close"))[0], said };
}

function digest(file) {
  return createHash("sha256").update(fs.readFileSync(file)).digest("hex");
}

for (const [behaviour, anomaly] of [["line", "line_too_long"], ["garbage", "not_json"]]) {
  test(`a child that writes 24 MB of ${behaviour} is kept byte for byte`, async () => {
    const project = new Project("scripted");
    assert.equal(await project.plan([`${behaviour} 24000000`, "answer"], 2), 0);
    assert.equal((await end(project.start("run", "plan.json", ...scripted))).code, 0);
    const events = await project.events();
    const odd = events.filter(({ type }) => type === "OutputAnomalyObserved").map(({ payload }) => payload.anomaly);
    assert.deepEqual([...new Set(odd)], [anomaly]);
    assert.ok(odd.length <= 5, `${odd.length} anomalies were recorded`);
    await project.exec("sh", ["-c", `exec "$0" output last/job-1 > told`, process.env.PIEVT]);
    assert.equal(digest(path.join(project.work, "told")), digest(path.join(project.work, "said-1")));
    assert.equal((await project.pievt("verify", "last")).code, 0);
    project.remove();
  });
}

test("a hundred children at once need more files than the soft limit allows, and are started under it", async () => {
  const project = new Project("scripted");
  const count = 100;
  assert.equal(await project.plan(Array(count).fill("gate"), count), 0);
  // A store has room for 64 where nobody says more, and for want of memory shells need not wait.
  const settings = { store: { concurrency: count, childMemoryMiB: 16 } };
  fs.writeFileSync(path.join(project.work, ".pievt/config.json"), JSON.stringify(settings));
  const open = await project.closeGate();
  const ended = end(limited(project, "--nofile=128:4096"));
  await project.eventNumber(count, '"AttemptLaunched"');
  await open();
  const { code, said } = await ended;
  assert.equal(code, 0, said);
  const messages = (await project.events()).filter(({ type }) => type === "FinalMessageObserved");
  assert.deepEqual([...new Set(messages.map(({ payload }) => payload.excerpt))], ["128 of 4096 files"]);
  const run = await project.state();
  const peaks = run.jobs.map((job) => Number(job.attempts[0].resources.peak_kib));
  // Looked at about once a second, so a shell that was short-lived may have none; but never the supervisor's own.
  assert.ok(peaks.every((peak) => peak < 20_000) && peaks.some((peak) => peak > 0), `of a shell: ${peaks} KiB`);
  project.remove();
});

test("a log that may not grow ends the run with a sentence, and a resume goes on", async () => {
  const project = new Project("scripted");
  assert.equal(await project.plan(Array(120).fill("answer"), 8), 0);
  const { code, said } = await end(limited(project, "--fsize=300000"));
  assert.equal(code, 3, said);
  assert.match(said, /File too large; nothing that was recorded is lost.* then pievt resume \d/);
  const stopped = await project.state();
  assert.equal(stopped.phase, "running");
  assert.ok(stopped.jobs.every((job) => job.status !== "failed"));
  assert.equal((await project.pievt("verify", "last")).code, 0);
  const resumed = await end(project.start("resume", "last", ...scripted));
  assert.equal(resumed.code, 0, resumed.said);
  assert.equal((await project.pievt("verify", "last")).code, 0);
  project.remove();
});

test("a full disk ends the run with a sentence, and a resume goes on", async (t) => {
  const project = new Project("scripted");
  const inside = new URL("./full_disk.mjs", import.meta.url).pathname;
  const script = 'mount -t tmpfs -o size=24m pievt "$0" && echo mounted && exec "$1" "$2" "$0"';
  for (const namespaces of ["-m", "-Urm"]) {
    const { error, stdout, stderr } = await new Promise((resolve) =>
      execFile("unshare", [namespaces, "sh", "-c", script, project.work, process.execPath, inside],
        (error, stdout, stderr) => resolve({ error, stdout, stderr })));
    if (stdout === "") continue; // not allowed here
    assert.ok(error === null, stdout + stderr);
    project.remove();
    return;
  }
  project.remove();
  t.skip("this machine allows no mount of one's own");
});
