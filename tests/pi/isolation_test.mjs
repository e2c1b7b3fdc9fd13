// Worktrees, commands of contracts and who wrote what, with the real pi in both versions: two jobs change the same
// repository at once and do not meet, their patches are merged into it, and a shell that strays is found.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { Project, versions } from "./project.mjs";
import { startStub } from "./testing.mjs";

let stub;
before(async () => { stub = await startStub(); });
after(() => stub.stop());

const lines = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

function repository(project, files) {
  const git = (...args) => execFileSync("git", args, { cwd: project.work, env: { ...project.env, GIT_CONFIG_GLOBAL: "/dev/null" } }).toString();
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(project.work, name), text);
  git("init", "-q", "-b", "main", ".");
  git("config", "user.name", "a");
  git("config", "user.email", "a@example.org");
  git("add", ".");
  git("commit", "-qm", "first");
  return git;
}

for (const version of Object.keys(versions)) {
  test(`two worktrees and a command check on pi ${version}`, async () => {
    const project = await new Project(version, stub).configure();
    const git = repository(project, { "text.md": lines, ".gitignore": ".pievt/\nplan.json\n" });
    const first = git("rev-parse", "HEAD");
    const shell = (command) => `Do it. [[stub:tool-bash cmd='${command}']]`;
    const plan = {
      name: "isolated",
      defaults: { model: "stub/small", isolation: "worktree", retry: { maxAttempts: 1 } },
      jobs: [
        { id: "top", prompt: shell("sed -i s/one/eins/ text.md; git commit -qam inside"),
          acceptance: { command: { run: ["grep", "-q", "eins", "text.md"] } } },
        { id: "bottom", prompt: shell("sed -i s/seven/sieben/ text.md; echo new > new.md") },
        { id: "refused", prompt: shell("echo bad > new.md"), acceptance: { command: { run: "echo not good enough; exit 3" } } },
      ],
    };
    fs.writeFileSync(path.join(project.work, "plan.json"), JSON.stringify(plan));
    await project.pievt("init");
    const run = await project.pievt("run", "plan.json", "--no-probe", "-o", "json", ...project.pi);
    assert.equal(run.code, 1, run.stderr);
    const jobs = Object.fromEntries(JSON.parse(run.stdout).run.jobs.map((job) => [job.id, job]));
    assert.deepEqual(Object.values(jobs).map((job) => [job.status, job.failure]),
      [["succeeded", "none"], ["succeeded", "none"], ["failed", "acceptance_failed"]]);
    assert.equal(git("rev-parse", "HEAD"), first, "the repository has no commit more");
    assert.equal(fs.readFileSync(path.join(project.work, "text.md"), "utf8"), lines);
    const left = path.join(project.work, ".pievt/worktrees");
    assert.deepEqual(fs.existsSync(left) ? fs.readdirSync(left) : [], []);

    const applied = await project.pievt("apply", "last", "-o", "json");
    assert.equal(applied.code, 0, applied.stdout + applied.stderr);
    assert.deepEqual(JSON.parse(applied.stdout).items.map((item) => [item.job, item.result]), [["top", "applied"], ["bottom", "applied"]]);
    assert.equal(fs.readFileSync(path.join(project.work, "text.md"), "utf8"), "eins\ntwo\nthree\nfour\nfive\nsix\nsieben\n");
    assert.equal(fs.readFileSync(path.join(project.work, "new.md"), "utf8"), "new\n");
    assert.equal((await project.pievt("verify", "last")).code, 0);
    project.remove();
  });

  test(`a shell that strays is found on pi ${version}`, async () => {
    const project = await new Project(version, stub).configure();
    repository(project, { "a.md": "a\n", ".gitignore": ".pievt/\nplan.json\n" });
    const prompt = "Do it. [[stub:tool-bash cmd='mkdir -p out; echo in > out/in.md; echo stray > stray.md']]";
    const plan = { name: "zones", defaults: { model: "stub/small", retry: { maxAttempts: 1 } },
      jobs: [{ id: "a", prompt, acceptance: { allowedWritePaths: ["out/"] } }] };
    fs.writeFileSync(path.join(project.work, "plan.json"), JSON.stringify(plan));
    await project.pievt("init");
    const run = await project.pievt("run", "plan.json", "--no-probe", "-o", "json", ...project.pi);
    assert.equal(run.code, 1, run.stderr);
    assert.equal(JSON.parse(run.stdout).run.jobs[0].failure, "acceptance_failed");
    const writes = JSON.parse((await project.pievt("writes", "last", "-o", "json")).stdout).items;
    assert.deepEqual(writes.map((write) => [write.path, write.zone]), [["out/in.md", "inside"], ["stray.md", "outside"]]);
    // As root the kernel may have told which process it was, if that lived long enough to be asked.
    for (const write of writes) assert.match(write.attribution, /^(process|only one running)$/);
    project.remove();
  });
}
