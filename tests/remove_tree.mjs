// Removes a directory in which processes may still be at their last words: a daemon that closes its store makes files
// while we remove them. Node's own `maxRetries` asks for the directory again and not for what has come into it.
import {rmSync} from 'node:fs';

const patienceMs = 20_000, pauseMs = 50;

export function removeTree(root) {
  const until = Date.now() + patienceMs;
  for (;;) {
    try {
      return rmSync(root, {recursive: true, force: true});
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' || Date.now() > until) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
}
