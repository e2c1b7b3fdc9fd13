// A large batch of pi-jobs to import: some hundred jobs of a few families, most of them good, and half of one
// family that its provider fails.
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const families = ['chapter', 'figure', 'index', 'translate'];

/** Writes it below `dir`/many; the id of the batch. */
export function manyJobs(dir, {jobs, calls}) {
  const id = '2026-04-01T10-00-00-000Z-00beef';
  const root = join(dir, 'many', '.pi', 'jobs', id);
  const at = (seconds) => new Date(Date.UTC(2026, 3, 1, 10) + seconds * 1000).toISOString();
  const json = (...path) => (value) => {
    mkdirSync(join(root, ...path, '..'), {recursive: true});
    writeFileSync(join(root, ...path), JSON.stringify(value) + '\n');
  };
  const lines = (...path) => (values) => {
    mkdirSync(join(root, ...path, '..'), {recursive: true});
    writeFileSync(join(root, ...path), values.map((value) => JSON.stringify(value) + '\n').join(''));
  };
  const ids = Array.from({length: jobs}, (_, i) => `${families[i % families.length]}-${i}`);
  const last = jobs * 2 + calls + 10;
  json('batch.json')({
    schemaVersion: 1, batchId: id, toolName: 'jobs', status: 'error', auditIntegrity: 'ok', startedAt: at(0),
    finishedAt: at(last), jobIds: ids, effectiveConcurrency: 8,
  });
  lines('events.jsonl')([{schemaVersion: 1, seq: 1, at: at(0), type: 'batch_started', batchId: id}]);
  for (const [i, job] of ids.entries()) {
    const failed = i % 8 === 3;
    const begin = i * 2, end = begin + calls + 8;
    const [status, failureKind] = failed ? ['error', 'provider_transient'] : ['success', 'none'];
    json('jobs', `${job}.json`)({
      schemaVersion: 1, batchId: id, jobId: job, name: job, prompt: `Do ${job}.`, status, failureKind,
      acceptance: {status: 'skipped', checks: []}, attempts: [], finishedAt: at(end),
    });
    const where = ['attempts', job, 'attempt-1'];
    json(...where, 'attempt.json')({
      index: 1, status, failureKind, startedAt: at(begin), finishedAt: at(end), runtime: {exitCode: 0},
    });
    const told = [];
    for (let call = 0; call < calls; ++call) {
      told.push({type: 'tool_call_started', at: at(begin + 1 + call), tool: 'bash', argsPreview: `make ${job} ${call}`});
      told.push({type: 'tool_call_finished', at: at(begin + 1.5 + call), tool: 'bash', status: 'ok'});
    }
    lines(...where, 'worker-events.jsonl')(told);
    const message = failed
      ? {role: 'assistant', content: [], stopReason: 'error', errorMessage: 'HTTP 500'}
      : {role: 'assistant', content: [{type: 'text', text: `${job} is done.`}], stopReason: 'stop',
        usage: {input: 300, output: 20, totalTokens: 320, cost: {total: 0.001}}};
    lines(...where, 'session.jsonl')([{type: 'message', timestamp: at(end - 1), message}]);
  }
  return id;
}
