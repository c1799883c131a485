/** `tideline stream check`: what a stream's file makes of a file of records, without a server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { readRecordFile } from '@tideline/adapters';
import { describeStream } from '@tideline/streams';
import { ROOT } from '../../e2e/services.ts';

const folder = await mkdtemp(join(tmpdir(), 'tideline-check-'));
const stream = join(folder, 'daily.yaml');
const file = join(folder, 'bars.csv');
await writeFile(
  stream,
  '{name: daily, key: code, time: {field: ts, unit: s}, fields: {close: {above: 0}}, repeated: time, late: drop, ' +
    'features: [{op: log_return, of: close, scale: 100}], output: {kind: quantiles, of: close}}',
);
// Ids of digits only; times in seconds under another name; a price of zero; a bar that is there twice.
const ROWS = [
  '7203,1700000000,100',
  '7203,1700086400,110',
  '7203,1700172800,0',
  '9984,1700000000,5',
  '7203,1700086400,111',
];
await writeFile(file, `code,time_us,close\n${ROWS.join('\n')}\n`);

after(() => rm(folder, { recursive: true }));

function tideline(...args: readonly string[]) {
  return promisify(execFile)(process.execPath, [join(ROOT, 'bin', 'tideline.js'), ...args]);
}

test("'tideline stream check' says what the network sees of a file's records, and what is refused and why", async () => {
  const { stdout } = await tideline('stream', 'check', stream, '--data', file, '--map', 'ts=time_us', '--json');
  const { sample, ...found } = JSON.parse(stdout) as Readonly<Record<string, unknown>> & {
    readonly sample: Readonly<Record<string, unknown>> & { readonly inputs: readonly { readonly max: number }[] };
  };
  assert.deepEqual([found.name, found.inputs, found.outputSize], ['daily', ['log_return_close'], 3]);
  const { inputs, ...counts } = sample;
  assert.deepEqual(counts, {
    ...{ records: 5, series: 2, steps: 3, lateOrRepeated: 1 },
    refused: [{ count: 1, reason: "'close' is 0, must be a finite number above 0." }],
  });
  assert.equal(inputs[0].max, Math.fround(100 * Math.log(110 / 100)));
});

test("'tideline stream check' of a wrong file exits with 78 and tells all problems", async () => {
  const wrong = join(folder, 'wrong.yaml');
  await writeFile(
    wrong,
    '{name: 1, key: k, time: ts, fields: {x: {}}, features: [{op: log, of: x}], output: {kind: raw, fields: [y]}}',
  );
  await assert.rejects(
    tideline('stream', 'check', wrong),
    (error: { readonly code?: number; readonly stderr?: string }) => {
      assert.equal(error.code, 78);
      assert.match(error.stderr ?? '', /2 problem\(s\).*name is 1, must be a text.*declare fields\.x with 'above: 0'/s);
      return true;
    },
  );
});

test("records of a declared stream carry their own event time, for pacing and for Kafka's retention", async () => {
  const { keyField, timeMsOf } = describeStream(stream);
  assert(timeMsOf);
  const found: (readonly [string, number])[] = [];
  for await (const record of readRecordFile({ path: file, topic: 'daily', keyField, map: { ts: 'time_us' }, timeMsOf }))
    found.push([record.key, record.timestampMs]);
  assert.deepEqual(found.slice(0, 2), [
    ['7203', 1_700_000_000_000],
    ['7203', 1_700_086_400_000],
  ]);
});
