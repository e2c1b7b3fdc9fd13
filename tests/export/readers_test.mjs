// Each format, read by a reader that others maintain, and compared with what the run holds. Most look at
// the imported batch; what only a supervised run has is looked at in one.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {zstdDecompressSync} from 'node:zlib';
import {batch, prepare} from './prepared.mjs';

const require = createRequire(join(process.env.PIEVT_READERS, 'package.json'));
let store, dir, run;

function exported(format, ...words) {
  return exportedOf(batch, format, ...words);
}
function exportedOf(name, format, ...words) {
  const {text, manifest} = store.exported(name, format, ...words);
  assert.equal(manifest.events_carried + manifest.events_dropped, manifest.events_in, format);
  return {text, manifest};
}

before(() => {
  store = prepare();
  ({dir, run} = store);
});
after(() => store.remove());

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

// A flow for each event whose cause is in the trace and not later than itself, and for no other.
function flowsOf(events) {
  const at = new Map(events.map((event) => [event.revision, event.time]));
  return events.filter(({causation, revision, time}) =>
    causation && causation !== revision && at.get(causation) <= time).length;
}

test('perfetto: slices that begin end, flows lead from cause to effect, ids are integers', () => {
  for (const name of [batch, 'small']) {
    const {text, manifest} = exportedOf(name, 'perfetto');
    const events = store.events(name);
    const {traceEvents} = JSON.parse(text);
    assert.equal(traceEvents.length, manifest.items_out);
    const of = (phase) => traceEvents.filter((event) => event.ph === phase);
    for (const [from, to] of [['b', 'e'], ['s', 'f']]) {
      assert.deepEqual(of(from).map((event) => event.id), of(to).map((event) => event.id));
      const ends = new Map(of(to).map((event) => [event.id, event]));
      for (const begun of of(from)) {
        assert.ok(Number.isInteger(begun.id));
        assert.ok(ends.get(begun.id).ts >= begun.ts);
      }
    }
    assert.ok(of('b').length > 0 && of('C').length > 0);
    assert.equal(of('s').length, flowsOf(events), name);
    // An end of a flow holds on to the slice of an event: same thread, same time.
    const slices = new Set(of('X').map((event) => event.tid + ' ' + event.ts));
    assert.equal(of('X').length, manifest.events_in);
    for (const end of [...of('s'), ...of('f')]) assert.ok(slices.has(end.tid + ' ' + end.ts));
  }
  // At least: each gate, the verdict that follows from it, the end that follows from that.
  assert.ok(flowsOf(store.events('small')) >= 9);
});

test('arrow: a row for each event, in batches of zstd buffers, and the account in the schema', () => {
  const {CompressionType, compressionRegistry, tableFromIPC} = require('apache-arrow');
  compressionRegistry.set(CompressionType.ZSTD, {decode: (bytes) => zstdDecompressSync(bytes)});
  for (const name of [batch, 'small']) {
    const {text, manifest} = exportedOf(name, 'arrow');
    const table = tableFromIPC(text);
    const events = store.events(name);
    assert.equal(table.numRows, events.length);
    assert.equal(manifest.items_out, events.length);
    const account = JSON.parse(table.schema.metadata.get('pievt.manifest'));
    assert.equal(account.events_sha256, manifest.events_sha256);
    assert.equal(account.items_out, manifest.items_out);
    const number = (value) => (value === null ? null : Number(value));
    for (const [i, row] of table.toArray().entries()) {
      const event = events[i];
      for (const key of ['revision', 'sequence', 'attempt', 'gate', 'actor', 'causation'])
        assert.equal(number(row[key]), event[key], `${key} of #${event.revision}`);
      assert.equal(row.type, event.type);
      assert.equal(row.job, event.job);
      assert.deepEqual(JSON.parse(row.payload), event.payload);
      assert.ok(row.body_size > 0);
    }
    // Nanoseconds, which a row hands out as a rounded number of milliseconds: the buffer has them.
    const values = (column) => table.getChild(column).data.flatMap((part) => [...part.values]);
    assert.deepEqual(values('recorded').map(String), events.map((event) => event.recorded_ns));
    assert.equal(table.schema.fields.find((field) => field.name === 'time').type.timezone, 'UTC');
    for (const [i, time] of values('time').entries())
      assert.equal(new Date(Number(time / 1000000n)).toISOString().slice(0, 23), events[i].time.slice(0, 23));
  }
});

test('arrow: what is redacted is in no buffer', () => {
  const {tableFromIPC} = require('apache-arrow');
  const texts = (...words) =>
    [...tableFromIPC(exportedOf('small', 'arrow', ...words).text)].map((row) => row.payload).join();
  assert.ok(texts().includes('all done'));
  assert.equal(texts('--redact').includes('all done'), false);
});
