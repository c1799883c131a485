/** `tideline stream check`: what a stream's file makes of a file of records, without a server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { readRecordFile } from '@tideline/adapters';
import { describeStream, generatedTicks } from '@tideline/streams';
import { ROOT } from '../../e2e/services.ts';

const folder = await mkdtemp(join(tmpdir(), 'tideline-check-'));
const stream = join(folder, 'daily.yaml');
const file = join(folder, 'bars.csv');
await writeFile(
  stream,
  '{name: daily, key: code, time: {field: ts, unit: s}, fields: {close: {above: 0}}, repeated: time, late: drop, ' +
    'features: [{op: split_guard, of: close, jump: 0.4, name: g, input: false}, {op: log_return, of: g, scale: 100}], output: {kind: quantiles, of: close}}',
);
// Ids of digits only; times in seconds under another name; a price of zero; a bar that is there twice, a split.
const ROWS = [
  '7203,1700000000,100',
  '7203,1700086400,110',
  '7203,1700172800,0',
  '9984,1700000000,5',
  '9984,1700086400,1',
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
  assert.deepEqual([found.name, found.inputs, found.outputSize], ['daily', ['log_return_g'], 3]);
  const { inputs, ...counts } = sample;
  assert.deepEqual(counts, {
    ...{ records: 6, series: 2, steps: 4, lateOrRepeated: 1, alerts: { jump: 1 } },
    refused: [{ count: 1, reason: "'close' is 0, must be a finite number above 0." }],
  });
  assert.equal(inputs[0].max, Math.fround(100 * Math.log(110 / 100)));
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

test("'tideline train' learns a declared stream's model from a file, and 'tideline demo' serves the stream with it", async () => {
  const ticks = join(folder, 'ticks.jsonl');
  await writeFile(
    ticks,
    [...generatedTicks({ seed: 2, symbols: 3, records: 600 })].map(({ value }) => `${value}\n`).join(''),
  );
  const declared = join(folder, 'trades.yaml');
  await writeFile(
    declared,
    '{name: trades, key: symbol, time: ts, fields: {price: {above: 0}}, warm_up: 5, ' +
      'features: [{op: log_return, of: price, scale: 1000, clip: 8}], output: {kind: quantiles, of: price, horizons: [1, 2]}}',
  );
  const network = ['--hidden', '4', '--epochs', '1', '--out', folder];
  const { stdout: trained } = await tideline('train', '--stream', declared, '--data', ticks, ...network, '--json');
  const { model, epochs } = JSON.parse(trained) as { readonly model: string; readonly epochs: number };
  assert.deepEqual([model, epochs], ['trades', 1]);
  const served = ['--streams', declared, '--file', ticks, '--models', folder, '--state', join(folder, 'state')];
  const { stdout } = await tideline('demo', '--once', '--summary', 'json', ...served);
  const { records, forecasts, series } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
  assert.deepEqual({ records, forecasts, series }, { records: 600, forecasts: 2 * (600 - 3 * 5), series: 3 });
});
