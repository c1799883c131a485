import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createLmdbDeadLetterSink,
  createTopicProducer,
  ensureTopics,
  REDRIVEN_FROM_HEADER,
  readDeadLetters,
} from '@tideline/adapters';
import type { RawRecord, Shard } from '@tideline/pipeline';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { type CommandResult, tideline } from './command.ts';
import { readTopic } from './offline-pass.ts';
import { ownEnvironment, startService } from './services.ts';

const POISON = [
  { key: 'A', value: '{"symbol":"A","ts":', headers: { trace: ['ä-1', Buffer.from([255, 0]), 'ä-0'] } },
  { key: 'B', value: '{"symbol":"B","ts":1700000000000,"price":-1}', headers: {} },
  { key: 'A', value: '{"symbol":"A","ts":1700000000001,"price":-2}', headers: { trace: '2' } },
  { key: 'A', value: '\u001b[2J\u0007 not JSON', headers: {} },
] as const;
const RECORDS = 8;

interface Listed {
  readonly position: string;
  readonly reason: string;
  readonly field: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, readonly (string | null)[]>>;
  readonly headersBase64: Readonly<Record<string, readonly (string | null)[]>>;
  readonly redriven: { readonly topic: string } | null;
}

function jsonLines(result: CommandResult): Listed[] {
  assert.equal(result.code, 0, result.stderr);
  return result.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Listed);
}

/** What the redriven records of each series are, in the order in which they stand in their partition. */
function redrivenOf(shards: ReadonlyMap<Shard, readonly RawRecord[]>): Map<string, RawRecord[]> {
  const series = new Map<string, RawRecord[]>();
  for (const records of shards.values())
    for (const record of records) {
      if (record.headers[REDRIVEN_FROM_HEADER] === undefined) continue;
      const key = Buffer.from(record.key ?? []).toString();
      series.set(key, [...(series.get(key) ?? []), record]);
    }
  return series;
}

test('refused records are listed with their reason, shown to the byte, and sent again once, in the order of their series', async () => {
  const { kafka } = stackAddresses();
  const topic = uniqueName('ticks');
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: uniqueName('dlq'),
    TIDELINE_STREAMS: `${topic}=ticks`,
  };
  const letters = () => readDeadLetters({ brokers: [kafka], topic: env.TIDELINE_DEAD_LETTER_TOPIC });
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 3 }] });
  {
    await using ingest = await startService('ingest', env);
    await using producer = await createTopicProducer({ brokers: [kafka], topic });
    await producer.send(POISON);
    await eventually('every poison record is a dead letter', async () => (await letters()).length === POISON.length);
    await ingest.stop();
  }

  const listed = jsonLines(await tideline(['dlq', 'list', '--json'], { env }));
  const filter = ['dlq', 'list', '--json', '--reason', 'PRICE', '--topic', topic];
  const [some, text] = await Promise.all([tideline(filter, { env }), tideline(['dlq', 'list'], { env })]);
  assert.deepEqual(listed.map(({ value }) => value).sort(), POISON.map(({ value }) => value).sort());
  assert.deepEqual(
    jsonLines(some).map(({ field }) => field),
    ['price', 'price'],
  );
  assert.equal(text.stdout.split('\n').length, POISON.length + 1);
  assert(!text.stdout.includes('\u001b'), 'no record writes control characters to a terminal');

  const first = listed.find(({ value }) => value === POISON[0].value);
  assert(first);
  assert.deepEqual(first.headers, { trace: ['ä-1', null, 'ä-0'] });
  assert.deepEqual(first.headersBase64, { trace: ['w6QtMQ==', '/wA=', 'w6QtMA=='] });
  const [raw, nowhere] = await Promise.all([
    tideline(['dlq', 'show', first.position, '--raw'], { env }),
    tideline(['dlq', 'show', `${topic}/0/999`], { env }),
  ]);
  assert.equal(raw.stdout, POISON[0].value);
  assert.equal(nowhere.code, 78);
  assert.match(nowhere.stderr, /no dead letter at/);

  // Two operators at once: one of them sends, or each a part; nothing is sent twice.
  await Promise.all([1, 2].map(() => tideline(['dlq', 'redrive', '--all'], { env })));
  const rest = await tideline(['dlq', 'redrive', '--all', '--json'], { env });
  assert.equal(rest.code, 0, rest.stderr);
  const sent = redrivenOf(await readTopic({ brokers: kafka, topic, records: RECORDS }));
  const values = (key: string) => (sent.get(key) ?? []).map(({ value }) => Buffer.from(value ?? []).toString());
  assert.deepEqual(
    values('A'),
    [POISON[0], POISON[2], POISON[3]].map(({ value }) => value),
  );
  assert.deepEqual(values('B'), [POISON[1].value]);
  const base64 = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('base64');
  const headers = Object.entries(sent.get('A')?.[0].headers ?? {}).map(([name, list]) => [name, list.map(base64)]);
  const from = Buffer.from(first.position).toString('base64');
  assert.deepEqual(Object.fromEntries(headers), { ...first.headersBase64, [REDRIVEN_FROM_HEADER]: [from] });

  const again = await tideline(['dlq', 'redrive', '--position', first.position], { env });
  assert.equal(again.code, 78);
  assert.match(again.stderr, /was redriven to .*'--again'/);
  const elsewhere = uniqueName('mended');
  await ensureTopics({ brokers: [kafka], topics: [{ topic: elsewhere, partitions: 1 }] });
  const mapped = ['dlq', 'redrive', '--position', first.position, '--again', '--map-topic', `${topic}=${elsewhere}`];
  const moved = await tideline(mapped, { env });
  assert.equal(moved.code, 0, moved.stderr);
  assert.equal((await readTopic({ brokers: kafka, topic: elsewhere, records: 1 })).size, 1);
  const mark = (await letters()).find(
    ({ offset, shard }) => `${shard.topic}/${shard.partition}/${offset}` === first.position,
  );
  assert.equal(mark?.redriven?.topic, elsewhere);
});

test('the dead letters of an embedded run are listed and shown from its folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-dlq-'));
  try {
    const record = {
      offset: 7,
      key: Buffer.from([255, 0]),
      value: Buffer.from([1, 255]),
      timestampMs: 5,
      headers: { a: [Buffer.from('b'), Buffer.from([255])] },
    };
    const letter = {
      code: 'POISON_RECORD',
      shard: { topic: 'ticks', partition: 1 },
      offset: 7,
      reason: 'price is missing',
      field: 'price',
      record,
    } as const;
    const sink = createLmdbDeadLetterSink({ folder: join(folder, 'dead-letters') });
    await sink.write([letter]);
    await sink[Symbol.asyncDispose]();
    const [list, show, absent] = await Promise.all([
      tideline(['dlq', 'list', '--json', '--state', folder]),
      tideline(['dlq', 'show', 'ticks/1/7', '--state', folder]),
      tideline(['dlq', 'list', '--state', join(folder, 'elsewhere')]),
    ]);
    assert.deepEqual(JSON.parse(list.stdout), {
      ...{ position: 'ticks/1/7', code: 'POISON_RECORD', topic: 'ticks', partition: 1, offset: 7 },
      ...{ reason: 'price is missing', field: 'price' },
      ...{
        key: null,
        keyBase64: '/wA=',
        value: null,
        valueBase64: 'Af8=',
        headers: { a: ['b', null] },
        headersBase64: { a: ['Yg==', '/w=='] },
        timestampMs: 5,
        redriven: null,
      },
    });
    assert.match(show.stdout, /reason +price is missing\n[\s\S]*value +2 bytes\n0x01ff/);
    assert.equal(absent.code, 78);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
