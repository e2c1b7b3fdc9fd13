// Decides what to answer, from nothing but the request: a pure function, so the server keeps no
// conversations.
//
// First match wins:
//   1. pi's own request for a summary (compaction)            -> a short summary
//   2. the last user message that carries a directive:
//        [[stub:NAME key=value key='two words']]              a behaviour of behaviours.mjs
//        [[steps:JSON]]                                       an array of steps, written out
//   3. the model id, when it names a behaviour: `tool-bash`, `late?ms=200`, `long-65536x64`
//   4. `text`
// A [[key:ANYTHING]] beside a directive keeps its "fail N times" counters apart from others'.
//
// The step is the number of assistant messages after the user message that chose the behaviour.
import { BEHAVIOURS } from "./behaviours.mjs";

const SUMMARY = "## Goal\nStub summary of the conversation.\n\n## Progress\n- stub progress\n";
const AFTER_THE_LAST_STEP = { text: "Nothing more to do." };

// Returns {name, step, spec, userText, compacted, key}: `spec` is the step to play, `step` its
// index, `userText` and `key` identify the request for counting, `compacted` says that the
// conversation holds a summary.
export function select(body) {
  const messages = Array.isArray(body.messages) ? body.messages : [];
  const lastUser = messages.findLastIndex((m) => m.role === "user");
  const userText = lastUser < 0 ? "" : textOf(messages[lastUser].content);
  const compacted = messages.some((m) =>
    textOf(m.content).includes("was compacted into the following summary"),
  );
  if (asksForSummary(messages))
    return { name: "summary", step: 0, spec: { text: SUMMARY }, userText, compacted, key: "" };

  const directed = findDirective(messages);
  const { name, steps, from } = directed ?? { ...fromModelId(body.model), from: lastUser };
  const step = messages.slice(from + 1).filter((m) => m.role === "assistant").length;
  const spec = (typeof steps === "function" ? steps(step) : steps[step]) ?? AFTER_THE_LAST_STEP;
  const key = /\[\[key:([^\]]+)\]\]/.exec(textOf(messages[from]?.content))?.[1] ?? "";
  // Counted is by the message that chose, so that a conversation that goes on counts on.
  return { name, step, spec, userText: textOf(messages[from]?.content), compacted, key };
}

export function textOf(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((block) => (typeof block?.text === "string" ? block.text : "")).join("");
}

function asksForSummary(messages) {
  const system = messages
    .filter((m) => m.role === "system" || m.role === "developer")
    .map((m) => textOf(m.content))
    .join("\n");
  return (
    system.includes("context summarization assistant") ||
    /^(Your task|Summarize).*summary/is.test(system.slice(0, 200))
  );
}

function findDirective(messages) {
  for (let from = messages.length - 1; from >= 0; from--) {
    if (messages[from].role !== "user") continue;
    const text = textOf(messages[from].content);
    const written = parseSteps(text);
    if (written) return { name: "steps", steps: written, from };
    const named = parseDirective(text);
    if (named) return { name: named.name, steps: stepsOf(named), from };
  }
  return null;
}

function stepsOf({ name, args }) {
  return Object.hasOwn(BEHAVIOURS, name) ? BEHAVIOURS[name](args) : BEHAVIOURS.text(args);
}

function parseDirective(text) {
  const match = /\[\[stub:\s*([A-Za-z0-9_.-]+)((?:\s+[^\]]*)?)\]\]/.exec(text);
  if (!match) return null;
  const args = {};
  const pairs = match[2].matchAll(/([A-Za-z]+)=(?:"([^"]*)"|'([^']*)'|(\S+))/g);
  for (const [, key, double, single, plain] of pairs) args[key] = double ?? single ?? plain;
  return { name: match[1], args };
}

// The JSON may itself contain `]]`, so each possible end is tried until one parses.
function parseSteps(text) {
  const opening = "[[steps:";
  const start = text.indexOf(opening);
  if (start < 0) return null;
  const from = start + opening.length;
  for (let close = text.indexOf("]]", from); close >= 0; close = text.indexOf("]]", close + 1)) {
    for (const end of [close, close + 1]) {
      const steps = parseOrNull(text.slice(from, end));
      if (Array.isArray(steps)) return steps;
    }
  }
  return null;
}

function parseOrNull(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function fromModelId(id) {
  const bare = String(id ?? "")
    .split("/")
    .pop();
  const [name, query = ""] = bare.split("?");
  const sized = /^(long|drip)-(\d+)x(\d+)$/.exec(name);
  const args = Object.fromEntries(
    query
      .split("&")
      .filter((pair) => pair.includes("="))
      .map(splitPair),
  );
  if (sized?.[1] === "long") Object.assign(args, { bytes: sized[2], chunk: sized[3] });
  if (sized?.[1] === "drip") Object.assign(args, { chunk: sized[2], ms: sized[3] });
  const behaviour = sized?.[1] ?? name;
  return { name: behaviour, steps: stepsOf({ name: behaviour, args }) };
}

function splitPair(pair) {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
