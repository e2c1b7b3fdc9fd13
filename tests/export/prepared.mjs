// A store with two runs that exports are made of: a small batch of pi-jobs, imported, and a run of
// pievt's own, where jobs succeed, miss their contract and never begin, and where every event says what
// caused it. The worker is the stand-in of tests/cli.
import {execFileSync, spawnSync} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const batch = '2026-03-02T10-00-00-000Z-0a1b2c';

const plan = {
  name: 'small',
  concurrency: 2,
  jobs: [
    {id: 'greet', prompt: 'write greeting.txt', acceptance: {requiredPaths: ['greeting.txt']}},
    {id: 'forget-1', prompt: 'write nothing', acceptance: {requiredPaths: ['forget-1.txt']}},
    {id: 'forget-2', prompt: 'write nothing', acceptance: {requiredPaths: ['forget-2.txt']}},
    {id: 'after', prompt: 'go on', dependsOn: ['forget-1']},
  ],
};
const worker = 'case "$prompt" in *greeting*) echo hello > greeting.txt ;; esac\n';

export function prepare() {
  const dir = mkdtempSync(join(tmpdir(), 'pievt-readers-'));
  const env = {
    HOME: dir,
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    PATH: `${join(here, '../cli/bin')}:${dirname(process.env.PIEVT)}:/usr/bin:/bin`,
  };
  const options = {cwd: dir, env, maxBuffer: 1 << 28};
  /** What a command prints; throws where it fails. */
  const run = (...words) => execFileSync(process.env.PIEVT, [...words, '-q'], options);
  /** A command whatever comes of it: {status, stdout, stderr}. */
  const attempt = (...words) =>
    spawnSync(process.env.PIEVT, words, {...options, encoding: 'utf8', input: ''});
  mkdirSync(join(dir, 'ws', '.pi', 'jobs'), {recursive: true});
  cpSync(join(here, '../tools/importers/data', batch), join(dir, 'ws', '.pi', 'jobs', batch), {
    recursive: true,
  });
  run('init');
  run('import', 'ws');
  writeFileSync(join(dir, 'worker.sh'), worker);
  writeFileSync(join(dir, 'plan.json'), JSON.stringify(plan));
  const done = attempt('run', '--no-probe', '-q', 'plan.json');
  if (done.status !== 1) throw new Error(`the run was to fail, and ended with ${done.status}: ${done.stderr}`);
  return {
    dir,
    env,
    run,
    attempt,
    /** The same from another working directory, whose own store it then is. */
    inside: (cwd) => ({
      attempt: (...words) =>
        spawnSync(process.env.PIEVT, words, {...options, cwd, encoding: 'utf8', input: ''}),
    }),
    events: (name) =>
      run('log', name, '-o', 'jsonl').toString().trimEnd().split('\n').map((line) => JSON.parse(line)),
    exported: (name, format, ...words) => {
      const account = join(dir, 'manifest.json');
      const text = run('export', name, '--format', format, '--manifest', account, ...words);
      return {text, manifest: JSON.parse(readFileSync(account, 'utf8'))};
    },
    remove: () => rmSync(dir, {recursive: true, force: true}),
  };
}
