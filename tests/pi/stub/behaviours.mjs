// What the scripted model can do, by name. A behaviour is a function from its arguments (strings,
// from a prompt's directive or from the model id) to its steps: one step is one answer. A behaviour
// without end returns a function from the step's index to the step instead. The keys of a step are
// explained in README.md; nothing here has effects, so the table can be read as documentation and
// listed by the tests and by the configuration generator.

const say = (text) => ({ text });
const call = (...tools) => ({ tools });
const bash = (command, extra = {}) => ({ name: "bash", args: { command, ...extra } });
const read = (path) => ({ name: "read", args: { path } });
const write = (path, content) => ({ name: "write", args: { path, content } });

const rateLimit = {
  message: "Rate limit reached for requests",
  type: "rate_limit_error",
  code: "rate_limit_exceeded",
};
const contextOverflow = {
  message:
    "This model's maximum context length is 8192 tokens. However, your messages resulted in " +
    "9001 tokens. " +
    "Please reduce the length of the messages.",
  type: "invalid_request_error",
  param: "messages",
  code: "context_length_exceeded",
};
const serverError = { message: "The server had an error", type: "server_error", code: null };
const refusal = (message, code) => ({ message, type: "invalid_request_error", code });

const normal = {
  text: (a) => [say(a.text ?? "Hello from the stub model. The task is done.")],
  unicode: () => [
    say(
      "S\u00e9p\u00e2r\u2028ators \u2029 and emoji \u{1F389} \u2014 \u00abok\u00bb " +
        "\u0000 end \uD83D\uDE00",
    ),
  ],
  think: () => [
    { think: "First I think about it. Then I decide. ", text: "Thought about it. Done." },
  ],
  "think-only": () => [{ think: "I think, and never say what came of it. " }],
  long: (a) => [{ text: filler(number(a.bytes, 65536)), chunk: number(a.chunk, 64) }],
  drip: (a) => [
    {
      text: a.text ?? "one two three four five six seven eight nine ten",
      chunk: number(a.chunk, 4),
      dripMs: number(a.ms, 300),
    },
  ],
  late: (a) => [{ delayMs: number(a.ms, 3000), text: a.text ?? "Answer after a slow start." }],
  empty: () => [say("")],
  "empty-nousage": () => [{ text: "", usage: false }],
  "no-usage": () => [{ text: "Answer without usage.", usage: false }],
  "other-model": () => [{ text: "Answered by another model.", modelName: "stub-real-model-2026" }],
  length: () => [{ text: "This answer is cut by the output lim", finish: "length" }],
  "content-filter": () => [{ text: "I can not", finish: "content_filter" }],
  "unknown-finish": () => [{ text: "Weird finish.", finish: "galaxy" }],
};

const tools = {
  "tool-bash": (a) => [
    call(bash(a.cmd ?? "echo hello from bash; echo err line >&2; pwd")),
    say(a.text ?? "The command printed hello."),
  ],
  "tool-read": (a) => [call(read(a.path ?? "input.txt")), say(a.text ?? "I read the file.")],
  "tool-write": (a) => {
    const path = a.path ?? "out/result.txt";
    return [call(write(path, a.content ?? "line 1\nline 2\n")), say(a.text ?? `I wrote ${path}.`)];
  },
  "tool-edit": () => [
    call({
      name: "edit",
      args: { path: "input.txt", edits: [{ oldText: "alpha", newText: "ALPHA" }] },
    }),
    say("I edited input.txt."),
  ],
  "tool-text": () => [
    { text: "I will run a command first.", ...call(bash("echo with text")) },
    say("Done after text+tool."),
  ],
  // One turn each: read a file, write another, say so. The everyday job of a batch.
  "read-write": (a) => {
    const from = a.path ?? "input.txt";
    const to = a.to ?? "out/notes.txt";
    return [
      { text: `First I read ${from}.`, ...call(read(from)) },
      { text: "Now I write down what I found.", ...call(write(to, (a.content ?? "notes") + "\n")) },
      say(a.text ?? `I read ${from} and wrote ${to}.`),
    ];
  },
  // Two calls in one turn, both quick; tools-par has three and one of them is slow.
  "read-two": (a) => [
    call(read(a.a ?? "input.txt"), read(a.b ?? "input.txt")),
    say(a.text ?? "I read both files."),
  ],
  "tools-seq": () => [
    { text: "Step 1.", ...call(bash("ls -1")) },
    { text: "Step 2.", ...call(read("input.txt")) },
    { text: "Step 3.", ...call(write("seq.txt", "seq\n")) },
    { text: "Step 4.", ...call(bash("cat seq.txt")) },
    say("All four steps are done."),
  ],
  "tools-par": () => [
    call(bash("sleep 0.4; echo A"), bash("echo B"), read("input.txt")),
    say("Three tools ran in one turn."),
  ],
  "tool-error": () => [
    call(bash("echo partial; exit 3")),
    call(read("does-not-exist.txt")),
    say("Both tools failed, I stop here."),
  ],
  "tool-unknown": () => [
    call({ name: "no_such_tool", args: { x: 1 } }),
    say("That tool does not exist."),
  ],
  "tool-badargs": () => [
    call({ name: "bash", rawArgs: '{"command": "echo unterminated' }),
    say("Bad arguments were repaired or refused."),
  ],
  "tool-badtype": () => [call({ name: "bash", args: { cmd: 42 } }), say("Wrong argument names.")],
  "tool-slow": (a) => [
    call(bash(a.cmd ?? `echo started; sleep ${number(a.s, 600)}; echo finished`)),
    say("The slow command finished."),
  ],
  "tool-timeout": (a) => [
    call(bash("echo begin; sleep 30; echo end", { timeout: number(a.s, 1) })),
    say("The command timed out."),
  ],
  "tool-chatty": (a) => [
    call(
      bash(
        `for i in $(seq 1 ${number(a.n, 40)}); do ` +
          `echo "line $i of the chatty command, padding padding padding"; ` +
          `sleep ${number(a.gap, 0.05)}; done`,
      ),
    ),
    say("The chatty command ended."),
  ],
  "tool-bigout": (a) => [call(bash(`seq 1 ${number(a.n, 20000)}`)), say("The output was big.")],
  "tool-bg": () => [
    call(
      bash(
        "(sleep 611 & echo bg in same pgrp: $!); " +
          "setsid sleep 612 >/dev/null 2>&1 & echo setsid: $!",
      ),
    ),
    say("Background processes were started."),
  ],
  "tool-bg-hold": () => [
    call(bash("(sleep 613 & echo bg: $!); echo foreground; sleep 600")),
    say("never reached"),
  ],
  "tool-kill-parent": () => [call(bash("kill -9 $PPID")), say("never reached")],
  "tool-loop": () => (step) => call(bash(`echo loop ${step}`)),
};

const failures = {
  "http-429-once": () => [
    {
      status: 429,
      times: 1,
      error: rateLimit,
      headers: { "retry-after": "1" },
      then: say("OK after the rate limit."),
    },
  ],
  "http-429-twice": (a) => [
    {
      status: 429,
      times: 2,
      error: rateLimit,
      then: say(a.text ?? "OK after two rate limits."),
    },
  ],
  "http-429-forever": () => [{ status: 429, error: rateLimit }],
  "http-429-longwait": () => [
    {
      status: 429,
      headers: { "retry-after": "18000" },
      error: { ...rateLimit, message: "Rate limit reached, try again in 5h" },
    },
  ],
  "http-429-wait": (a) => [
    {
      status: 429,
      times: Number(a.times ?? 4),
      headers: { "retry-after": "2" },
      error: { ...rateLimit, message: `Rate limit reached, try again in ${a.wait ?? "2s"}` },
      then: say(a.text ?? "OK after the wait."),
    },
  ],
  "http-429-quota": () => [
    {
      status: 429,
      error: {
        message: "You exceeded your current quota, please check your plan and billing details.",
        type: "insufficient_quota",
        code: "insufficient_quota",
      },
    },
  ],
  "http-500-once": () => [
    { status: 500, times: 1, error: serverError, then: say("OK after the 500.") },
  ],
  "http-500-forever": () => [{ status: 500, error: serverError }],
  "http-503-html": () => [{ status: 503, html: true }],
  "http-400": () => [
    { status: 400, error: refusal("Invalid value for parameter 'foo'", "invalid_value") },
  ],
  "http-401": () => [
    { status: 401, error: refusal("Incorrect API key provided.", "invalid_api_key") },
  ],
  "http-404": () => [
    { status: 404, error: refusal("The model does not exist", "model_not_found") },
  ],
  overflow: () => [{ status: 400, error: contextOverflow }],
  "overflow-then-ok": () => [
    {
      status: 400,
      error: contextOverflow,
      whenCompacted: say("OK after compaction."),
    },
  ],
  reset: (a) => [{ text: filler(600), cut: "reset", cutAfter: number(a.after, 10) }],
  "reset-once": (a) => [
    {
      times: 1,
      text: filler(600),
      cut: "reset",
      cutAfter: number(a.after, 10),
      then: say("OK after the reset."),
    },
  ],
  eof: (a) => [{ text: filler(600), cut: "eof", cutAfter: number(a.after, 10) }],
  "eof-tool": () => [
    {
      ...call(bash("echo this call was cut in the middle of its arguments")),
      cut: "eof",
      cutAfter: 3,
      chunk: 12,
    },
  ],
  "reset-headers": () => [{ cut: "reset", cutAfter: -1 }],
  hang: () => [{ hang: true }],
  "hang-stream": () => [{ text: filler(400), cut: "hang", cutAfter: 5 }],
  badsse: () => [
    {
      raw: [
        delta('{"role":"assistant","content":"good "}'),
        "",
        "data: {this is not json",
        "",
        "data: [DONE]",
        "",
      ],
    },
  ],
  "badsse-noise": () => [
    {
      raw: [
        ": comment line",
        "",
        "event: ping",
        "data: {}",
        "",
        "garbage without a colon",
        "",
        delta('{"content":"survived the noise"}'),
        "",
        delta("{}", "stop"),
        "",
        "data: [DONE]",
        "",
      ],
    },
  ],
  "sse-error": () => [
    {
      raw: [
        delta('{"role":"assistant","content":"half "}'),
        "",
        'data: {"error":{"message":"Provider returned error","type":"upstream_error","code":502}}',
        "",
        "data: [DONE]",
        "",
      ],
    },
  ],
  html: () => [{ html: true }],
  json: () => [{ json: true, text: "An answer that is not a stream." }],
};

export const BEHAVIOURS = { ...normal, ...tools, ...failures };

function delta(json, finish) {
  const reason = finish ? `,"finish_reason":"${finish}"` : "";
  const choice = `{"index":0,"delta":${json}${reason}}`;
  return `data: {"id":"x","object":"chat.completion.chunk","choices":[${choice}]}`;
}

function number(value, fallback) {
  return value === undefined || value === "" || Number.isNaN(Number(value))
    ? fallback
    : Number(value);
}

// Text of exactly `length` characters that is the same every time and does not repeat line by line.
function filler(length) {
  const words = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor ";
  let text = "";
  for (let i = 0; text.length < length; i++) {
    const start = (i * 13) % 40;
    text += i % 9 === 8 ? `[${i}]\n` : words.slice(start, start + 37);
  }
  return text.slice(0, length);
}
