// Every example that a help page shows, as a person would type it: each in a store of its own that has what
// examples speak of. What comes of it may be yes or no, but never "that is not how it is written". Help and man
// pages and completions come from the same table, which is looked at here, too.
import assert from 'node:assert/strict';
import {execFile, spawnSync} from 'node:child_process';
import {chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {removeTree} from '../remove_tree.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const program = process.env.PIEVT;
const root = mkdtempSync(join(tmpdir(), 'pievt-examples-'));
const bin = join(root, 'bin');
const prepared = join(root, 'prepared');
const table = JSON.parse(spawnSync(program, ['help', '-o', 'json'], {encoding: 'utf8'}).stdout);

const surroundings = (home, extra = {}) => ({
  cwd: home,
  encoding: 'utf8',
  env: {HOME: home, TZ: 'UTC', LC_ALL: 'C.UTF-8', PATH: `${bin}:${join(here, 'bin')}:/usr/bin:/bin`, ...extra},
});

/** Commands in `home`, by bash as on a person's machine. */
const bash = (command, home, extra) => spawnSync('bash', ['-c', command], {...surroundings(home, extra), input: ''});

/** The same beside others: what it says on standard error. */
const typed = (command, home) => new Promise((resolve) => {
  execFile('bash', ['-c', command], {...surroundings(home), timeout: 240_000, maxBuffer: 1 << 28},
    (error, stdout, stderr) => resolve(stderr)).stdin.end();
});

function script(name, text) {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(bin, name), 0o755);
}

before(() => {
  mkdirSync(bin, {recursive: true});
  mkdirSync(prepared);
  // Leaves behind what it exited with, also from within a pipe.
  script('pievt', `"${program}" "$@"; code=$?; echo "$code $*" >> "$HOME/exits"; exit $code`);
  // What examples pipe into, where it is not installed.
  for (const name of ['jq', 'zstd'])
    if (spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0) script(name, 'cat > /dev/null');
  const jobs = [{id: 'intro', prompt: 'Write it.', isolation: 'worktree'},
    {id: 'ch07', prompt: 'Write more.', acceptance: {requiredPaths: ['ch07.md']}}];
  writeFileSync(join(prepared, 'plan.json'), JSON.stringify({name: 'book', jobs}));
  writeFileSync(join(prepared, 'extra.json'), JSON.stringify({id: 'sum', prompt: 'Add up.'}));
  const done = bash(`set -e
    two-batches
    git init -q -b main .; git config user.name n; git config user.email e@e
    printf '%s\\n' '/*' '!/text.md' > .git/info/exclude; echo one > text.md; git add text.md; git commit -qm first
    echo 'case "$prompt" in *it.*) echo two >> text.md ;; esac' > worker.sh
    mkdir -p project/.pi/jobs safe srv var .config/fish/completions
    cp -r ws/.pi/jobs/*bbbbbb project/.pi/jobs/
    batch=2026-03-04T10-00-00-000Z-8084d3
    mkdir -p named/.pi/jobs; cp -r ws/.pi/jobs/*aaaaaa named/.pi/jobs/$batch
    grep -rl aaaaaa named | xargs sed -i "s/2026-03-02T10-00-00-000Z-aaaaaa/$batch/g; s/tides/ch07/g"
    mv named/.pi/jobs/$batch/jobs/tides.json named/.pi/jobs/$batch/jobs/ch07.json
    mv named/.pi/jobs/$batch/attempts/tides named/.pi/jobs/$batch/attempts/ch07
    pievt import -q named > /dev/null
    pievt run -q --no-probe plan.json > /dev/null || [ $? = 1 ]
    pievt run -q --no-probe plan.json > /dev/null || [ $? = 1 ]
    pievt backup -q safe/pievt > /dev/null
    rm -f exits`, prepared);
  assert.equal(done.status, 0, done.stdout + done.stderr);
});
after(() => removeTree(root));

// Directories of examples are those of a machine; here they lie in the home directory.
const placed = (command) => command.replaceAll('/mnt/safe', '~/safe').replaceAll('/srv/records', '~/srv')
  .replaceAll('/var/lib', '~/var').replaceAll('/tmp/look', '~/look')
  // What measures for minutes is measured short.
  .replace('bench --dir', 'bench --quick --dir');

// A yes, a no, evidence that is missing, a thing that is not there. Not: a usage error, a store that cannot be
// used, damage, a bug.
const sensible = [0, 1, 4, 6];

describe('examples', {concurrency: 4}, () => {
  for (const verb of table.verbs) {
    for (const [i, example] of verb.examples.entries()) {
      test(example.command, async () => {
        assert.ok(example.command.includes(`pievt ${verb.name}`), 'an example shows its verb');
        const home = join(root, `${verb.name}-${i}`);
        cpSync(prepared, home, {recursive: true});
        // A restored store takes the place of one that is gone.
        if (verb.name === 'restore') rmSync(join(home, '.pievt'), {recursive: true});
        const said = await typed(placed(example.command), home);
        assert.ok(existsSync(join(home, 'exits')), said);
        const exits = readFileSync(join(home, 'exits'), 'utf8').trimEnd().split('\n');
        for (const line of exits)
          assert.ok(sensible.includes(Number(line.split(' ')[0])), `${line}\n${said}`);
        assert.doesNotMatch(said, /parse error|syntax error|command not found/);
        removeTree(home);
      });
    }
  }
});

describe('help', () => {
  const said = (...words) => {
    const done = spawnSync(program, words, {encoding: 'utf8'});
    assert.equal(done.status, 0, done.stderr);
    return done.stdout;
  };

  test('every verb has a page, with its flags and its examples', () => {
    for (const verb of table.verbs) {
      const page = said('help', verb.name);
      // Help of help is the overview.
      if (verb.name !== 'help') assert.equal(said(verb.name, '--help'), page, verb.name);
      for (const {name, value} of verb.options)
        assert.ok(page.includes(name) || (value && page.includes(value)), `${verb.name} ${name}`);
      for (const example of verb.examples) assert.ok(page.includes(`$ ${example.command}`), example.command);
    }
  });

  test('the manual page and the completions know every verb and flag', () => {
    const man = said('help', '--man').replaceAll('\\-', '-').replaceAll('\\&', '');
    const scripts = ['bash', 'zsh', 'fish'].map((shell) => said('completion', shell));
    for (const verb of table.verbs) {
      assert.ok(man.includes(verb.summary), verb.name);
      for (const {name, value} of verb.options)
        assert.ok(man.includes(name) || (value && man.includes(value)), `${verb.name} ${name}`);
      for (const text of scripts) assert.ok(text.includes(verb.name), verb.name);
      for (const option of verb.options.filter(({name}) => name.startsWith('--')))
        for (const text of scripts) assert.ok(text.includes(option.name.slice(2)), `${verb.name} ${option.name}`);
    }
  });
});

describe('topics say what is so', () => {
  const page = (topic) => spawnSync(program, ['help', topic], {encoding: 'utf8'}).stdout.replaceAll(/\s+/g, ' ');
  const home = () => prepared;

  test('exit codes', () => {
    const said = page('exit-codes');
    for (const [command, code, name] of [
      ['pievt show last', 0, 'ok'], ['pievt diff last 8084d3 --exit-code', 1, 'no'], ['pievt show --no-such-flag', 2, 'usage'],
      ['pievt show no-such-run', 6, 'not_found'], ['PIEVT_STORE=nowhere pievt runs', 6, 'not_found'],
      ['pievt show last | head -0', 0, 'ok'],
    ]) {
      assert.equal(bash(`set -o pipefail; ${command}`, home()).status, code, command);
      assert.ok(said.includes(`${code} ${name}`), name);
    }
  });

  test('environment', () => {
    const said = page('environment');
    for (const name of ['PIEVT_STORE', 'PIEVT_PAGER', 'PAGER', 'NO_COLOR', 'TERM', 'COLUMNS', 'TZ', 'LC_ALL', 'PIEVT_ATTEMPT'])
      assert.ok(said.includes(name), name);
    const elsewhere = {PIEVT_STORE: join(home(), 'nowhere')};
    assert.notEqual(bash('pievt runs', home(), elsewhere).status, 0);
    assert.equal(bash('pievt runs --store .pievt', home(), elsewhere).status, 0);
    assert.match(bash('cd safe && pievt runs', home()).stdout, /book/, 'looking upwards');
    assert.match(bash('pievt runs --color always', home(), {NO_COLOR: '1'}).stdout, /\x1b\[/);
    assert.doesNotMatch(bash('pievt runs', home()).stdout, /\x1b\[/);
    const hour = (zone) => bash('pievt log last --oneline | head -1', home(), {TZ: zone}).stdout.match(/\d\d:\d\d/)?.[0];
    assert.notEqual(hour('UTC'), hour('Etc/GMT-5'));
  });

  test('formats', () => {
    const json = JSON.parse(bash('pievt runs --json', home()).stdout);
    assert.deepEqual(Object.keys(json).slice(0, 2), ['schema', 'schema_version']);
    assert.deepEqual(Object.keys(JSON.parse(bash('pievt runs -o json --fields name,run', home()).stdout).items[0]), ['name', 'run']);
    const lines = bash('pievt runs -o jsonl', home()).stdout.trimEnd().split('\n');
    assert.equal(lines.map((line) => JSON.parse(line)).length, json.items.length);
    assert.match(bash('pievt runs -o csv', home()).stdout, /^run,name,status,/);
    assert.ok(json.items.some((run) => run.started.endsWith('Z') && Number.isInteger(run.duration_ns)));
    const wrong = bash('pievt show no-such-run -o json', home());
    assert.equal(wrong.stdout, '');
    assert.equal(JSON.parse(wrong.stderr.trimEnd().split('\n').at(-1)).schema, 'pievt.error');
  });

  test('faq', () => {
    const said = page('faq');
    for (const name of ['last', 'last~1', 'last:failed', '8084d3', 'book'])
      assert.equal(bash(`pievt show ${name}`, home()).status, 0, name);
    assert.ok(said.includes('last~1') && said.includes('--at @90812'));
    assert.equal(bash('pievt show last --at 3', home()).status, 0);
    assert.match(bash('pievt show 8084d3', home()).stdout + bash('pievt cost 8084d3', home()).stdout, /not reported|known/);
  });
});
