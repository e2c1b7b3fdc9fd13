// Each text format, read by a reader that others maintain, and compared with what the run holds. The
// run is a batch of pi-jobs, imported from the small one that the importer's tests have.
import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(process.env.PIEVT_READERS, 'package.json'));
const pievt = process.env.PIEVT;
const batch = '2026-03-02T10-00-00-000Z-0a1b2c';
let dir;

function run(...words) {
  return execFileSync(pievt, ['--store', join(dir, 'store'), '-q', ...words], {
    cwd: dir,
    maxBuffer: 1 << 28,
  });
}

function exported(format, ...words) {
  const text = run('export', batch, '--format', format, '--manifest', join(dir, 'm.json'), ...words);
  const manifest = JSON.parse(readFileSync(join(dir, 'm.json'), 'utf8'));
  assert.equal(manifest.events_carried + manifest.events_dropped, manifest.events_in, format);
  return {text, manifest};
}

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'pievt-readers-'));
  mkdirSync(join(dir, 'ws', '.pi', 'jobs'), {recursive: true});
  cpSync(join(here, '../tools/importers/data', batch), join(dir, 'ws', '.pi', 'jobs', batch), {
    recursive: true,
  });
  run('init');
  run('import', 'ws');
});
after(() => rmSync(dir, {recursive: true, force: true}));

test('jsonl is JSON on every line, and the account agrees', () => {
  const {text, manifest} = exported('jsonl');
  const lines = text.toString().trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines.length, manifest.items_out);
  assert.equal(lines.filter((line) => line.record === 'event').length, manifest.events_in);
  assert.equal(lines.at(-1).events_sha256, manifest.events_sha256);
});

test('cloudevents: each line is an event of the specification', () => {
  const {CloudEvent} = require('cloudevents');
  const {text, manifest} = exported('cloudevents');
  const lines = text.toString().trimEnd().split('\n');
  assert.equal(lines.length, manifest.items_out);
  const ids = new Set();
  for (const line of lines) {
    const event = new CloudEvent(JSON.parse(line), true); // throws where it is none
    ids.add(event.source + ' ' + event.id);
  }
  assert.equal(ids.size, lines.length);
});

test('csv: as many records as the account says, all as wide as the head', () => {
  const {parse} = require('csv-parse/sync');
  const {text, manifest} = exported('csv');
  const rows = parse(text, {columns: true}); // throws on a record of another width
  assert.equal(rows.length, manifest.items_out);
  const jobs = new Set(rows.map((row) => row.job));
  assert.ok(jobs.has('tides') && jobs.has('clocks'));
});

test('junit: well-formed, and it counts as its head says', () => {
  const {XMLParser, XMLValidator} = require('fast-xml-parser');
  const {text, manifest} = exported('junit');
  assert.equal(XMLValidator.validate(text.toString()), true);
  const suite = new XMLParser({ignoreAttributes: false, isArray: (name) => name === 'testcase'})
    .parse(text.toString()).testsuites.testsuite;
  assert.equal(suite.testcase.length, manifest.items_out);
  assert.equal(Number(suite['@_tests']), suite.testcase.length);
  const failed = suite.testcase.filter((one) => one.failure || one.error).length;
  assert.equal(Number(suite['@_failures']) + Number(suite['@_errors']), failed);
});

test('markdown: a table with a row for each job, and nothing that became markup', () => {
  const {marked} = require('marked');
  const {text} = exported('markdown');
  const tokens = marked.lexer(text.toString());
  const table = tokens.find((token) => token.type === 'table');
  assert.equal(table.rows.length, 2);
  assert.equal(tokens.filter((token) => token.type === 'html').length, 0);
});

test('raw and pi-session: tar lists and unpacks them byte for byte', () => {
  for (const format of ['raw', 'pi-session']) {
    const {text, manifest} = exported(format);
    const file = join(dir, format + '.tar');
    writeFileSync(file, text);
    const to = join(dir, format);
    mkdirSync(to);
    const tar = spawnSync('tar', ['-xvf', file, '-C', to], {encoding: 'utf8'});
    assert.equal(tar.status, 0, tar.stderr);
    const names = tar.stdout.trimEnd().split('\n').filter((name) => name !== 'MANIFEST.json');
    assert.equal(names.length, manifest.items_out);
    assert.ok(names.length > 0);
    for (const name of names) {
      const [, job, attempt, channel] = name.split('/');
      const ref = `${batch}/${job.replace(/^\d+-/, '')}/${attempt}`;
      // What pi-jobs kept of a session lies beside its attempt; the rest pievt shows itself.
      const wanted = channel === 'session.jsonl'
        ? readFileSync(join(dir, 'ws/.pi/jobs', batch, 'attempts', ref.split('/')[1],
            `attempt-${attempt}`, channel))
        : run('output', ref, ...(channel === 'stderr' ? ['--stderr'] : []));
      assert.ok(readFileSync(join(to, name)).equals(wanted), name);
    }
  }
});

test('html: one file, its policy names its own style and script, and the data is whole', () => {
  const {text, manifest} = exported('html');
  const page = text.toString();
  assert.equal(/(?:src|href)\s*=|@import|url\(/.test(page.replace(/<script[^]*$/, '')), false);
  const sha256 = (of) => `'sha256-${createHash('sha256').update(of).digest('base64')}'`;
  const [, style] = page.match(/<style>([^]*?)<\/style>/);
  const [, script] = page.match(/<script>([^]*?)<\/script>/);
  assert.ok(page.includes(`script-src ${sha256(script)}`));
  assert.ok(page.includes(`style-src ${sha256(style)}`));
  const [, json] = page.match(/<script type="application\/json" id="data">([^]*?)<\/script>/);
  const data = JSON.parse(json);
  const attempts = data.jobs.reduce((sum, job) => sum + job.at.length, 0);
  assert.deepEqual(data.jobs.map((job) => job.id).sort(), ['clocks', 'tides']);
  assert.ok(attempts > 0 && data.jobs.length + attempts <= manifest.items_out);
});

test('otlp: one trace, every span has its parent, and both versions of the conventions', () => {
  const spans = (...words) => {
    const {text, manifest} = exported('otlp', ...words);
    const [resource] = JSON.parse(text).resourceSpans;
    const found = resource.scopeSpans[0].spans;
    assert.equal(found.length, manifest.items_out);
    return found;
  };
  const found = spans();
  const ids = new Set(found.map((span) => span.spanId));
  assert.equal(ids.size, found.length);
  assert.equal(new Set(found.map((span) => span.traceId)).size, 1);
  for (const span of found) {
    assert.match(span.traceId, /^[0-9a-f]{32}$/);
    assert.match(span.spanId, /^[0-9a-f]{16}$/);
    assert.ok(span.name === found[0].name ? !span.parentSpanId : ids.has(span.parentSpanId), span.name);
    assert.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano), span.name);
  }
  const keys = (all) => new Set(all.flatMap((span) => span.attributes.map((one) => one.key)));
  assert.ok(keys(found).has('gen_ai.provider.name') && !keys(found).has('gen_ai.system'));
  const older = spans('--semconv', '1.36');
  assert.ok(keys(older).has('gen_ai.system') && !keys(older).has('gen_ai.provider.name'));
  assert.deepEqual(older.map((span) => span.spanId), found.map((span) => span.spanId));
});

test('perfetto: slices that begin end, flows have both ends, ids are integers', () => {
  const {text, manifest} = exported('perfetto');
  const {traceEvents} = JSON.parse(text);
  assert.equal(traceEvents.length, manifest.items_out);
  const of = (phase) => traceEvents.filter((event) => event.ph === phase);
  for (const [from, to] of [['b', 'e'], ['s', 'f']]) {
    assert.deepEqual(of(from).map((event) => event.id), of(to).map((event) => event.id));
    assert.ok(of(from).length > 0, from);
    for (const begun of of(from)) {
      assert.ok(Number.isInteger(begun.id));
      assert.ok(of(to).find((event) => event.id === begun.id).ts >= begun.ts);
    }
  }
  assert.equal(of('X').length, manifest.events_in);
  assert.ok(of('C').length > 0);
});
