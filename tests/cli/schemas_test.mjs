// What verbs write with -o json, held against docs/schemas: every verb that has such an output has a schema,
// every kind of document in the schemas is really written here, and fits.
import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {batch, prepare} from '../export/prepared.mjs';

const require = createRequire(join(process.env.PIEVT_READERS, 'package.json'));
const Ajv = require('ajv/dist/2020').default;
const folder = join(dirname(fileURLToPath(import.meta.url)), '../../docs/schemas');
const ajv = new Ajv({allErrors: true, strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false});
const schemas = new Map(readdirSync(folder).filter((name) => name.endsWith('.schema.json'))
  .map((name) => [name.slice(0, -12), JSON.parse(readFileSync(join(folder, name), 'utf8'))]));
const seen = new Set();
let store;

// The names of documents that a schema speaks of.
function names(schema, found = new Set()) {
  if (schema === null || typeof schema !== 'object') return found;
  if (typeof schema.properties?.schema?.const === 'string') found.add(schema.properties.schema.const);
  for (const inner of Object.values(schema)) names(inner, found);
  return found;
}

function fits(verb, document, words) {
  const check = ajv.getSchema(`${verb}.schema.json`);
  assert.ok(check, `docs/schemas/${verb}.schema.json is missing`);
  if (!check(document))
    assert.fail(`${words}: ${ajv.errorsText(check.errors.slice(0, 6))}\n${JSON.stringify(document).slice(0, 600)}`);
  if (document.schema) seen.add(document.schema);
}

// Runs a verb, as one document and, where it is asked for, as lines. Exit codes that are answers are fine.
function look(words, {at = store, lines = true, exits = [0, 1]} = {}) {
  const verb = words[0];
  const run = (form) => {
    const done = at.attempt(...words, '-q', '-o', form);
    assert.ok(exits.includes(done.status), `${words.join(' ')} ended with ${done.status}: ${done.stderr}`);
    assert.ok(!done.stderr.includes('pievt.error'), `${words.join(' ')}: ${done.stderr}`);
    return done.stdout.trimEnd();
  };
  fits(verb, JSON.parse(run('json')), words.join(' '));
  if (!lines) return;
  for (const line of run('jsonl').split('\n')) if (line) fits(verb, JSON.parse(line), `${words.join(' ')} -o jsonl`);
}
const once = {lines: false};

before(() => {
  store = prepare();
  for (const [name, schema] of schemas) ajv.addSchema(schema, `${name}.schema.json`);
});
after(() => store.remove());

test('every verb that writes JSON has a schema', () => {
  const help = JSON.parse(store.run('help', '-o', 'json'));
  fits('help', help, 'help');
  assert.ok(help.verbs.length > 30);
  for (const verb of help.verbs) {
    assert.equal(schemas.has(verb.name), verb.outputs.includes('json'), `docs/schemas/${verb.name}.schema.json`);
    assert.equal(verb.examples.length, 2);
  }
  const others = ['control', 'error', 'started'];
  for (const name of schemas.keys())
    assert.ok(others.includes(name) || help.verbs.some((verb) => verb.name === name), `${name}: there is no such verb`);
});

describe('what reads', () => {
  for (const words of [
    ['runs'], ['runs', '--lineage', 'small'], ['show', 'small'], ['show', batch], ['log', 'small'], ['log', 'small', '--stat'],
    ['replay', 'small'], ['replay', 'small', '--verify'], ['timeline', 'small'], ['timeline', batch], ['audit', 'small'],
    ['audit', batch], ['why', 'small/forget-1'], ['why', batch], ['diff', 'small', batch], ['diff', 'small', 'small'],
    ['writes', 'small'], ['writes', batch], ['cost'], ['cost', '--by', 'model'], ['stats'], ['grep', 'done', '--all'],
    ['verify', '--all'], ['verify', 'small'], ['doctor'], ['config'], ['version'], ['help'], ['export', '--formats'],
    ['tool', 'list'], ['wait', 'small'], ['apply', 'small', '--dry-run'],
  ]) test(words.join(' '), () => look(words));
});

test('what other forms there are of these', () => {
  fits('audit', JSON.parse(store.attempt('audit', 'small', '-q', '-o', 'sarif').stdout), 'audit -o sarif');
  store.run('export', 'small', '--format', 'csv', '--redact', '--manifest', join(store.dir, 'account.json'));
  fits('export', JSON.parse(readFileSync(join(store.dir, 'account.json'), 'utf8')), '--manifest');
});

test('what plans and copies', () => {
  for (const words of [
    ['lint', 'plan.json'], ['run', 'plan.json', '--dry-run'], ['rerun', 'small', '--failed', '--dry-run'],
    ['import', 'ws', '--dry-run'], ['import', 'ws'], ['gc', '--dry-run'], ['gc'], ['init'],
    ['backup', 'safe', '--dry-run'], ['backup', 'safe'], ['restore', 'safe', 'again', '--dry-run'],
    ['salvage', '.pievt', 'saved', '--dry-run'], ['doctor', '--rebuild', '--dry-run'], ['seal', 'small', '-f', 'small.pievt'],
    ['seal', 'small', '--remove', '--dry-run'],
    ['unseal', 'small.pievt'], ['view', 'small.pievt'], ['view', 'small.pievt', '--event', '1'], ['show', 'small.pievt'],
    ['verify', 'small.pievt'],
  ]) look(words, once);
  writeFileSync(join(store.dir, 'wrong.json'), '{"jobs":[{"id":"a","prompt":"p","cwd":"nowhere"}]}');
  look(['lint', 'wrong.json'], once);
  look(['restore', 'safe', 'again', '--verify'], once);
  look(['salvage', 'again', 'saved'], once);
});

test('an error is an object, too', () => {
  const done = store.attempt('show', 'nothing-of-that-name', '-q', '-o', 'json');
  assert.equal(done.status, 6);
  fits('error', JSON.parse(done.stderr.slice(done.stderr.indexOf('{'))), 'error');
});

test('a line of a called tool', () => {
  const done = spawnSync(process.env.PIEVT, ['tool', 'call', 'runs'], {cwd: store.dir, env: store.env, input: '{}\n', encoding: 'utf8'});
  for (const line of done.stdout.trimEnd().split('\n')) fits('tool', JSON.parse(line), 'tool call');
});

test('a run in the background, and what can be asked of it', async () => {
  // The worker of `hold` waits until somebody writes into the pipe, so the run goes on as long as it has to.
  execFileSync('mkfifo', ['gate'], {cwd: store.dir});
  writeFileSync(join(store.dir, 'worker.sh'), 'case "$prompt" in hold*) read line < "$HOME/gate" ;; esac\n');
  writeFileSync(join(store.dir, 'long.json'), JSON.stringify({name: 'long', concurrency: 1, jobs: [
    {id: 'one', prompt: 'hold on'}, {id: 'two', prompt: 'then this'}, {id: 'three', prompt: 'and this'}]}));
  writeFileSync(join(store.dir, 'extra.json'), '{"id":"four","prompt":"one more"}');
  look(['run', 'long.json', '--detach', '--no-probe'], once);
  for (const words of [
    ['pause', 'long'], ['resume', 'long'], ['cancel', 'long/three'], ['add', 'long', '--job', 'extra.json'],
    ['set', 'long', '--concurrency', '2'],
  ]) look(words, once);
  look(['stop', 'long', '--now'], once);
  store.attempt('wait', 'long', '-q');
  look(['resume', 'long', '--detach'], once);
  writeFileSync(join(store.dir, 'gate'), 'go\n');
  look(['wait', 'long'], once);
  writeFileSync(join(store.dir, 'worker.sh'), '');
  look(['rerun', 'small', '--failed', '--no-probe'], once);
  look(['run', 'plan.json', '--no-probe'], once);
});

test('patches of a run in worktrees', () => {
  const tree = join(store.dir, 'tree');
  execFileSync('sh', ['-c', `mkdir tree; cd tree; git init -q -b main .; git config user.name n; git config user.email e@e
    echo one > text.md; echo .pievt/ > .gitignore; git add .; git commit -qm first`], {cwd: store.dir, env: store.env});
  writeFileSync(join(store.dir, 'worker.sh'), 'case "$prompt" in edit*) echo two >> text.md ;; esac\n');
  const at = store.inside(tree);
  at.attempt('init', '-q');
  writeFileSync(join(tree, '.pievt/plan.json'), JSON.stringify({name: 'patches', jobs: [
    {id: 'edits', prompt: 'edit it', isolation: 'worktree'}, {id: 'looks', prompt: 'look at it', isolation: 'worktree'}]}));
  look(['run', '.pievt/plan.json', '--no-probe'], {at, lines: false});
  look(['apply', 'last', '--dry-run'], {at});
  look(['writes', 'last'], {at});
  look(['apply', 'last'], {at, lines: false});
});

test('what is measured', () => {
  look(['bench', '--quick', '--dir', store.dir], once);
});

test('every document that a schema speaks of was seen', () => {
  const spoken = new Set([...schemas.values()].flatMap((schema) => [...names(schema)]));
  assert.deepEqual([...spoken].filter((name) => !seen.has(name)).sort(), []);
});
