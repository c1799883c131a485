import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  createInfluxReader,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  sortedLine,
} from '@tideline/adapters';
import { createModel, initWeights, type Model, saveModel } from '@tideline/nn';
import { digestOfLines, type RawRecord, type Shard } from '@tideline/pipeline';
import { createTickStream } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { tideline } from './command.ts';
import { offlinePass, readTopic } from './offline-pass.ts';
import { ownEnvironment, startService } from './services.ts';

const TICKS = 40;
const SPIKE_AT = 25;
const DEADLINE_MS = 60_000;

/** An RNN whose last output leaves the range of float32 where a price jumps by more than five deviations, and only there. */
function fragileModel(): Model {
  const spec = { name: 'ticks-lstm', cell: 'rnn', inputSize: 8, hiddenSize: 6, layers: 1, outputSize: 6 } as const;
  let seed = 1;
  const weights = initWeights(spec, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  });
  const [{ wIh, wHh, bIh, bHh }] = weights.layers;
  wIh.fill(0, 0, 8);
  wHh.fill(0, 0, 6);
  // Input 6 is the size of the jump: unit 0 is -1 below five, +1 above.
  wIh[6] = 50;
  bIh[0] = -250;
  bHh[0] = 0;
  weights.headW.fill(0, 30, 36);
  weights.headW[30] = 2e38;
  weights.headB[5] = 2e38;
  return createModel(spec, weights);
}

function tick(symbol: string, i: number, price: number) {
  return { key: symbol, value: JSON.stringify({ symbol, ts: 1_700_000_000_000 + i * 1_000, price, size: 100 }) };
}

function* ticks(from: number, to: number) {
  for (let i = from; i < to; i += 1) {
    yield tick('A', i, i === SPIKE_AT ? 500 : 100 + 0.01 * (i % 3));
    yield tick('B', i, 50 + 0.01 * ((i * 7) % 5));
  }
}

const isSpike = ({ value }: RawRecord): boolean => Buffer.from(value ?? []).includes('"price":500');

const PROMISE =
  'a record that makes the network overflow quarantines its series alone, with an alert; a reset with replay rebuilds it beside the running ' +
  'forecaster, as if that record had never been';

test(PROMISE, async () => {
  const { kafka, redis, influx } = stackAddresses();
  const folder = await mkdtemp(join(tmpdir(), 'tideline-state-'));
  const topic = uniqueName('ticks');
  const prefix = uniqueName('state');
  const database = uniqueName('state').replaceAll('-', '_');
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: prefix,
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: `${topic}=ticks`,
    TIDELINE_CHECKPOINT_INTERVAL_MS: '0',
    TIDELINE_CHECKPOINT_RESTORE: 'off',
    TIDELINE_MODELS: folder,
  };
  const model = fragileModel();
  await saveModel(join(folder, 'ticks-lstm', 'model.tdl'), model);
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 1 }] });
  await using reader = createInfluxReader({ url: influx, database });
  await using store = await createRedisShardStore({ url: redis, prefix, logBytesMax: 1, onWarning: () => undefined });
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  await using _ingest = await startService('ingest', env);
  await using forecaster = await startService('forecaster', env);
  const drained = (records: number) =>
    eventually(
      `${records} records done`,
      async () => (await store.status()).some(({ position }) => position === records),
      DEADLINE_MS,
    );
  const found = async (measurement: string): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of reader.exportLines(measurement)) lines.push(line);
    return lines;
  };

  await producer.send([...ticks(0, TICKS)]);
  await drained(2 * TICKS);
  const alerts = await found('alert');
  assert.equal(alerts.length, 1);
  assert.match(alerts[0], new RegExp(`kind=quarantine,series=A,.*offset=${2 * SPIKE_AT}i`));
  const listed = await tideline(['state', 'show', '--quarantined', '--json'], { env });
  assert.deepEqual(JSON.parse(listed.stdout).key, 'A');
  assert.equal((await found('forecast')).length, 2 * (TICKS + SPIKE_AT));

  const reset = await tideline(['state', 'reset', 'A', '--topic', topic, '--replay', '--json'], { env });
  assert.equal(reset.code, 0, reset.stderr);
  const { rebuilt, position } = JSON.parse(reset.stdout);
  assert.equal(position, 2 * TICKS);
  assert.deepEqual(rebuilt.poison, [2 * SPIKE_AT]);
  await producer.send([...ticks(TICKS, TICKS + 10)]);
  await drained(2 * (TICKS + 10));
  const records = await readTopic({ brokers: kafka, topic, records: 2 * (TICKS + 10) });
  const without = new Map<Shard, RawRecord[]>(
    [...records].map(([shard, all]) => [shard, all.filter((one) => !isSpike(one))]),
  );
  const expected = (await offlinePass(createTickStream({ modelName: 'ticks-lstm' }), model, without)).map(sortedLine);
  assert.equal(digestOfLines(await found('forecast')), digestOfLines(expected));

  const refused = await tideline(['state', 'reset', 'A', '--topic', topic, '--replay', '--on-poison', 'refuse'], {
    env,
  });
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, new RegExp(`offset ${2 * SPIKE_AT} makes the state of 'A' not finite`));
  const forgotten = await tideline(['state', 'reset', 'A', '--topic', topic], { env });
  assert.equal(forgotten.code, 0, forgotten.stderr);
  const nobody = await tideline(['state', 'show', '--key', 'A'], { env });
  assert.equal(nobody.code, 78);
  assert.match(forecaster.log(), /quarantined/);
  await reader.dropDatabase();
  await rm(folder, { recursive: true, force: true });
});

test('the states of an embedded run are exported, and imported into another one; a file that is cut off changes nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-state-'));
  const [from, to, file, again] = ['from', 'to', 'states.jsonl', 'again.jsonl.gz'].map((name) => join(folder, name));
  const records = [...ticks(0, 20)].map(({ value }) => value).join('\n');
  const once = ['demo', '--once', '--file', '-', '--state', from, '--summary', 'json'];
  const first = await tideline(once, { input: `${records}\n`, cwd: folder });
  assert.equal(first.code, 0, first.stderr);
  await cp(from, to, { recursive: true });
  const exported = await tideline(['state', 'export', file, '--state', from, '--json']);
  assert.equal(exported.code, 0, exported.stderr);
  assert.equal(JSON.parse(exported.stdout).series, 2);
  const text = await readFile(file, 'utf8');
  const cut = join(folder, 'cut.jsonl');
  await writeFile(cut, text.split('\n').slice(0, -2).join('\n'));
  const [torn, there, shown] = await Promise.all([
    tideline(['state', 'import', cut, '--state', to, '--force']),
    tideline(['state', 'import', file, '--state', to]),
    tideline(['state', 'show', '--key', 'A', '--state', from, '--json']),
  ]);
  assert.equal(torn.code, 78);
  assert.match(torn.stderr, /is no whole file of states: it ends early/);
  assert.equal(there.code, 78);
  assert.match(there.stderr, /is there already: '--force' replaces it/);
  assert.equal(JSON.parse(shown.stdout).quarantined, false);
  // Reset and import again: what was exported is there.
  assert.equal((await tideline(['state', 'reset', 'A', '--topic', 'ticks', '--state', to])).code, 0);
  const forced = await tideline(['state', 'import', file, '--state', to, '--force']);
  assert.equal(forced.code, 0, forced.stderr);
  assert.equal((await tideline(['state', 'export', again, '--state', to])).code, 0);
  const statesIn = (lines: string): string[] =>
    lines
      .split('\n')
      .filter((line) => line.includes('"key"'))
      .sort();
  assert.deepEqual(statesIn(gunzipSync(await readFile(again)).toString('utf8')), statesIn(text));
  await rm(folder, { recursive: true, force: true });
});
