// What the tests of this folder share: a stub server as a child that cannot outlive the test.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

// Starts stub-llm.mjs with further arguments; resolves when it listens. `stop()` ends it and waits.
export async function startStub(args = []) {
  const program = new URL("./stub-llm.mjs", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, "--quiet", "--die-with-parent", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { port, baseUrl } = JSON.parse(line);
  const stop = () => {
    child.stdin.end();
    return exited;
  };
  return { port, baseUrl, origin: `http://127.0.0.1:${port}`, stop };
}
