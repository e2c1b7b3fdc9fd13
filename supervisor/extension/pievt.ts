// pi's side of pievt: tools and commands that ask `pievt tool call`, and nothing else.
//
// No imports, so that it loads in every pi from 0.73 to 1.5 whatever is installed around it. No
// logic either: names, descriptions and schemas of the tools are in tools.json beside this file,
// made by the same pievt at build time, and what a call does is pievt's business. The pipe to
// `pievt tool call` stays open for as long as the call lives; when this process dies, however it
// does, the pipe closes, and pievt knows that its caller is gone.
//
// Loading reads one small file and starts nothing. Without pievt, the tools are there all the same,
// and their results say what to install.

const builtin = (name: string): any =>
  (process as any).getBuiltinModule ? (process as any).getBuiltinModule(name) : (require as any)(name);

const install =
  "pievt is not installed, or not where pi can find it. Install it (make install), or set PIEVT_PROGRAM to its path; " +
  "pievt doctor says what is wrong with an installed one.";

/** The directory this file is in; empty where the loader does not say. */
function ownDirectory(): string {
  if (typeof __dirname === "string") return __dirname;
  try {
    return builtin("node:path").dirname(new URL((import.meta as any).url).pathname);
  } catch {
    return "";
  }
}

/** The pievt that this file was installed with, else the one on PATH. */
function program(directory: string): string {
  if (process.env.PIEVT_PROGRAM) return process.env.PIEVT_PROGRAM;
  const fs = builtin("node:fs");
  for (const beside of ["/../../../bin/pievt", "/../pievt"]) {
    if (directory && fs.existsSync(directory + beside)) return directory + beside;
  }
  return "pievt";
}

type Tool = { name: string; title: string; description: string; begins_run: boolean; worker?: boolean; parameters: any };

const anything = { type: "object", additionalProperties: true, properties: {} };

function readTools(directory: string): Tool[] {
  try {
    return JSON.parse(builtin("node:fs").readFileSync(directory + "/tools.json", "utf8")).tools;
  } catch {
    return ["job", "jobs", "jobs_plan"].map((name) => ({
      name, title: name, begins_run: true, parameters: anything,
      description: `Runs supervised workers. ${install}`,
    }));
  }
}

type Answer = { text: string; failed: boolean; details: any };

/** One call of `pievt tool call`: its lines as they come, its last one as the answer. Never throws. */
function call(
  pievt: string, words: string[], input: string, cwd: string, signal: AbortSignal | undefined,
  told: (text: string, line: any) => void,
): Promise<Answer> {
  return new Promise((resolve) => {
    const failed = (text: string) => resolve({ text, failed: true, details: undefined });
    let child: any;
    try {
      child = builtin("node:child_process").spawn(pievt, words, { cwd, stdio: ["pipe", "pipe", "pipe"] });
    } catch (error: any) {
      return failed(`${install} (${error?.message ?? error})`);
    }
    let answer: Answer | undefined;
    let rest = "";
    let talk = "";
    const line = (text: string) => {
      try {
        const said = JSON.parse(text);
        if (said.type === "result") answer = { text: said.text, failed: said.is_error, details: said.details ?? undefined };
        else told(said.text ?? (said.type === "started" ? `run ${said.run} has begun` : ""), said);
      } catch {
        talk += text + "\n"; // no line of ours: an old pievt, or not pievt at all
      }
    };
    const cancel = () => {
      try {
        child.stdin.write('{"type":"cancel"}\n');
      } catch {
        // it has ended already
      }
    };
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() as string;
      for (const each of lines) if (each) line(each);
    });
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (chunk: string) => { talk = (talk + chunk).slice(-4000); });
    child.stdin.on("error", () => {}); // its end says more
    child.on("error", (error: any) => failed(`${install} (${error?.message ?? error})`));
    child.on("close", (code: number | null, killed: string | null) => {
      signal?.removeEventListener("abort", cancel);
      if (rest) line(rest);
      if (answer) return resolve(answer);
      const how = killed ? `was ended by ${killed}` : `ended with ${code}`;
      failed(`pievt ${how} and gave no result; it may be older than this extension: install both together (make install). ` +
        `It said: ${talk.trim() || "nothing"}`);
    });
    child.stdin.write(input);
    if (signal?.aborted) cancel();
    else signal?.addEventListener("abort", cancel);
  });
}

export default function (pi: any) {
  const directory = ownDirectory();
  const inWorker = Boolean(process.env.PIEVT_ATTEMPT);
  // A worker has no job tools, and a report only where its supervisor reads one.
  if (inWorker && !process.env.PIEVT_REPORT) return;

  for (const tool of readTools(directory)) {
    if (inWorker !== Boolean(tool.worker) || !(tool.begins_run || tool.worker)) continue;
    pi.registerTool({
      name: tool.name,
      label: tool.title,
      description: tool.description,
      parameters: tool.parameters,
      async execute(_id: string, params: any, signal: AbortSignal | undefined, onUpdate: any, ctx: any) {
        const words = ["tool", "call", tool.name];
        if (tool.begins_run && ctx?.model?.provider && ctx.model.id) words.push("--model", `${ctx.model.provider}/${ctx.model.id}`);
        const level = tool.begins_run ? (ctx?.thinkingLevel ?? pi.getThinkingLevel?.()) : undefined;
        if (level) words.push("--thinking", String(level));
        const answer = await call(program(directory), words, JSON.stringify(params) + "\n", ctx?.cwd ?? process.cwd(), signal,
          (text, line) => onUpdate?.({ content: [{ type: "text", text }], details: line }));
        if (answer.failed) throw new Error(answer.text);
        return { content: [{ type: "text", text: answer.text }], details: answer.details ?? {} };
      },
    });
  }
  if (inWorker) return;

  /** Runs a command of pievt and shows what it says. */
  const command = (name: string, description: string, words: (args: string) => string[]) =>
    pi.registerCommand(name, {
      description,
      handler: async (args: string, ctx: any) => {
        const said = await run(program(directory), words((args ?? "").trim()), ctx?.cwd ?? process.cwd());
        show(ctx, said.text, said.failed);
      },
    });

  command("jobs-ui", "Recorded runs: none: list; RUN, RUN/JOB or RUN/JOB/ATTEMPT: one of them",
    (args) => ["tool", "command", "jobs-ui", ...split(args)]);
  command("jobs-settings", "The settings that hold here", (args) => ["tool", "command", "jobs-settings", ...split(args)]);
  command("jobs-clean", "What of pievt's store could go; deletes nothing without --yes",
    (args) => ["tool", "command", "jobs-clean", ...split(args)]);
  pi.registerCommand("jobs-start", {
    description: "Puts advice on splitting work into jobs into the editor",
    handler: async (args: string, ctx: any) => {
      const request = (args ?? "").trim();
      const said = await run(program(directory), ["tool", "command", "jobs-start", ...(request ? [request] : [])],
        ctx?.cwd ?? process.cwd());
      if (said.failed || !ctx?.hasUI) return show(ctx, said.text, said.failed);
      if (ctx.ui.pasteToEditor) ctx.ui.pasteToEditor(said.text);
      else ctx.ui.setEditorText(said.text);
    },
  });
}

const split = (args: string): string[] => (args ? args.split(/\s+/) : []);

function show(ctx: any, text: string, failed: boolean) {
  if (ctx?.hasUI) ctx.ui.notify(text, failed ? "warning" : "info");
  else process.stderr.write(text + "\n");
}

/** Runs a command to its end; what it says, or what to install. Never throws. */
function run(pievt: string, words: string[], cwd: string): Promise<{ text: string; failed: boolean }> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: 60000, maxBuffer: 4 << 20 };
    try {
      builtin("node:child_process").execFile(pievt, words, options, (error: any, stdout: string, stderr: string) => {
        if (error && typeof error.code !== "number") return resolve({ text: `${install} (${error.message})`, failed: true });
        resolve({ text: (stdout || stderr).trim(), failed: Boolean(error) });
      });
    } catch (error: any) {
      resolve({ text: `${install} (${error?.message ?? error})`, failed: true });
    }
  });
}
