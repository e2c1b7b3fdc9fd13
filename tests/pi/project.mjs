// A project of its own for each test of the whole program: a store, an agent directory that knows only the scripted
// model, and pievt on it.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

import { removeTree } from "../remove_tree.mjs";

const here = (name) => new URL(name, import.meta.url).pathname;

export const versions = {
  "0.73.1": process.env.PIEVT_PI_0_73,
  "1.5.2": process.env.PIEVT_PI_1_5,
};

/** For pievt: children that need no model. */
export const scripted = ["--no-probe", "--pi", here("scripted-pi")];

export class Project {
  constructor(version, stub) {
    this.root = fs.mkdtempSync(path.join(os.tmpdir(), "pievt-project-"));
    this.work = path.join(this.root, "work");
    for (const name of ["home", "work"]) fs.mkdirSync(path.join(this.root, name));
    this.version = version;
    this.stub = stub;
    this.env = {
      PATH: process.env.PATH,
      HOME: path.join(this.root, "home"),
      PI_CODING_AGENT_DIR: path.join(this.root, "agent"),
    };
  }

  async configure() {
    await this.exec(process.execPath, [
      here("gen-config.mjs"), "--dir", this.env.PI_CODING_AGENT_DIR, "--base-url", this.stub.baseUrl,
      "--models", "small:1:5,large:3:15", "--base-delay", "50", "--key", path.basename(this.root),
    ]);
    return this;
  }

  exec(program, args) {
    return new Promise((resolve) => {
      const options = { cwd: this.work, env: this.env, maxBuffer: 64 << 20 };
      execFile(program, args, options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, stdout, stderr }));
    });
  }

  /** Runs pievt to its end: {code, stdout, stderr}. */
  pievt(...args) {
    return this.exec(process.env.PIEVT, args);
  }

  /** Starts pievt and leaves it running. */
  start(...args) {
    return this.startProgram(process.env.PIEVT, ...args);
  }

  startProgram(program, ...args) {
    return spawn(program, args, { cwd: this.work, env: this.env, stdio: ["ignore", "ignore", "pipe"] });
  }

  /** Holds back children that behave as `gate` until the returned function is called. */
  async closeGate() {
    const holder = spawn("flock", ["gate", "sh", "-c", "echo closed; read line"], {
      cwd: this.work, stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    return () => {
      holder.stdin.end();
      return once(holder, "exit");
    };
  }

  /** A plan of jobs with these prompts, tried once, and a store to run it in. */
  async plan(prompts, concurrency) {
    const jobs = prompts.map((prompt, index) => ({ id: `job-${index + 1}`, prompt }));
    const plan = { name: "scripted", concurrency, defaults: { retry: { maxAttempts: 1 } }, jobs };
    fs.writeFileSync(path.join(this.work, "plan.json"), JSON.stringify(plan));
    return (await this.pievt("init")).code;
  }

  /** The run as `pievt show` tells it. */
  async state(run = "last") {
    return JSON.parse((await this.pievt("show", run, "-o", "json")).stdout).run;
  }

  get pi() {
    return ["--pi", versions[this.version]];
  }

  /** The run's events, as `pievt log` tells them. */
  async events(run = "last") {
    const { stdout } = await this.pievt("log", run, "-o", "jsonl");
    return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  /** Resolves when a follower has seen `count` of the store's events, or `count` of one type. */
  async eventNumber(count, type = "") {
    const follower = spawn(process.env.PIEVT, ["log", "--all", "-f", "-o", "jsonl"], {
      cwd: this.work, env: this.env, stdio: ["ignore", "pipe", "inherit"],
    });
    let seen = 0;
    for await (const line of createInterface({ input: follower.stdout })) {
      if (line.includes(type) && ++seen >= count) break;
    }
    follower.kill("SIGKILL");
    await once(follower, "exit");
  }

  remove() {
    removeTree(this.root);
  }
}

/** Processes whose environment bears a marker that begins with `prefix`. */
export function marked(prefix) {
  return fs.readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return fs.readFileSync(`/proc/${pid}/environ`, "latin1").includes(`PIEVT_ATTEMPT=${prefix}`);
    } catch {
      return false; // it is gone, or not ours
    }
  });
}
