// What supervising costs: processor time of `pievt run` itself beside that of its children, and its largest memory, on the
// real pi with the scripted model. Needs what `make setup` and `make build` leave behind:
//
//   build/pi/0.73.1/bin/node bench/supervisor.mjs [--pievt build/release/tools/pievt] [--keep] [case ...]
//
// Children's time is what the record says (the kernel's own count at their end). pievt's is read from /proc while it
// lives, the last time at most 5 ms before its end. pi's probe and its start are children's time like the rest.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

const root = new URL("..", import.meta.url).pathname;
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { pievt: { type: "string", default: path.join(root, "build/release/tools/pievt") }, keep: { type: "boolean" } },
});
process.env.PIEVT = path.resolve(options.pievt);
process.env.PIEVT_PI_0_73 ??= path.join(root, "build/pi/0.73.1/bin/pi");
process.env.PIEVT_PI_1_5 ??= path.join(root, "build/pi/1.5.2/bin/pi");
const { Project } = await import("../tests/pi/project.mjs");
const { startStub } = await import("../tests/pi/testing.mjs");

const long = "Write a book. [[stub:long bytes=65536 chunk=16]]";
const ordinary = "Say a little. [[stub:long bytes=2048 chunk=16]]";
const cases = [
  { name: "273 MB stream", version: "0.73.1", jobs: 2, concurrency: 2, prompt: long, goal: 15 },
  { name: "ordinary, 2 KiB", version: "0.73.1", jobs: 8, concurrency: 2, prompt: ordinary, goal: 3 },
  { name: "ordinary, 2 KiB", version: "1.5.2", jobs: 8, concurrency: 2, prompt: ordinary, goal: 3 },
  { name: "eight at once", version: "0.73.1", jobs: 8, concurrency: 8, prompt: long, goal: 15 },
  { name: "eight at once", version: "1.5.2", jobs: 8, concurrency: 8, prompt: long, goal: 15 },
];

/** Seconds of processor time and the largest memory in MiB of a process, for as long as it lives. */
async function watch(child) {
  let gone = false;
  const code = new Promise((resolve) => child.once("exit", (code) => { gone = true; resolve(code); }));
  const seen = { cpu: 0, peak: 0 };
  while (!gone) {
    try {
      const fields = fs.readFileSync(`/proc/${child.pid}/stat`, "latin1").split(") ")[1].split(" ");
      seen.cpu = Math.max(seen.cpu, (Number(fields[11]) + Number(fields[12])) / 100);
      const peak = /VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, "latin1"));
      if (peak) seen.peak = Number(peak[1]) / 1024;
    } catch {
      // it has just ended
    }
    await pause(5);
  }
  return { ...seen, code: await code };
}

async function measure(stub, { name, version, jobs, concurrency, prompt, goal }) {
  const project = await new Project(version, stub).configure();
  const plan = {
    name, concurrency, defaults: { model: "stub/small" },
    jobs: Array.from({ length: jobs }, (_, n) => ({ id: `job-${n}`, prompt })),
  };
  fs.writeFileSync(path.join(project.work, "plan.json"), JSON.stringify(plan));
  await project.pievt("init");
  const began = performance.now();
  const child = project.start("run", "plan.json", ...project.pi);
  child.stderr.resume();
  const own = await watch(child);
  const seconds = (performance.now() - began) / 1000;
  const run = JSON.parse((await project.pievt("show", "last", "-o", "json")).stdout).run;
  const attempts = [...(run.attempts ?? []), ...run.jobs.flatMap((job) => job.attempts)];
  const childCpu = attempts.reduce((sum, { resources: r }) => sum + Number(r.user_us) + Number(r.system_us), 0) / 1e6;
  const bytes = attempts.reduce((sum, attempt) => sum + Number(attempt.stdout_bytes ?? 0), 0);
  console.log([
    `${name}, pi ${version}, ${jobs} jobs`.padEnd(36), `exit ${own.code}`,
    `${(bytes / 1e6).toFixed(1)} MB`.padStart(10), `${seconds.toFixed(1)} s`.padStart(7),
    `children ${childCpu.toFixed(2)} s`, `pievt ${own.cpu.toFixed(2)} s`,
    `${((100 * own.cpu) / childCpu).toFixed(1)} % (goal ${goal} %)`, `peak ${own.peak.toFixed(1)} MiB`,
  ].join("  "));
  if (options.keep) console.log(`kept ${project.root}`);
  else project.remove();
}

const stub = await startStub();
for (const one of cases) {
  if (positionals.length === 0 || positionals.some((word) => `${one.name} ${one.version}`.includes(word))) await measure(stub, one);
}
await stub.stop();
