import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createInfluxReader,
  createRedisLiveFeed,
  createRedisShardStore,
  createTopicProducer,
  ensureTopics,
  readDeadLetters,
} from '@tideline/adapters';
import { Redis } from 'ioredis';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { ownEnvironment, startService } from './services.ts';

const TS = 1_700_000_000_000;
/** None of these may be found anywhere but in Kafka's own topic of calls. */
const SECRETS = [
  'Rahul',
  'Sharma',
  '4111',
  '1111 1111',
  'DE89',
  '0532 0130',
  'rahul.sharma',
  'example.org',
  '170 123',
  'Evergreen',
  // Only the tagger finds these.
  'oluwaseun',
  'adeyemi',
];
const SPEECH = [
  'Hello, my name is Rahul Sharma.',
  'My card is 4111 1111 1111 1111 and the account is DE89 3704 0044 0532 0130 00.',
  'Write to rahul.sharma@example.org or call +49 170 1234567, I live at 742 Evergreen Avenue.',
];

function callRecords() {
  const record = (at: number, event: object) => ({
    key: 'c1',
    value: JSON.stringify({ callId: 'c1', ts: TS + at, ...event }),
  });
  const says = (at: number, text: unknown, more: object = {}) =>
    record(at, { type: 'utterance', speaker: 'customer', text, customerName: 'Rahul Sharma', ...more });
  return [
    record(0, { type: 'started', queue: 'billing', agentId: 'a7', customerId: 'rahul.sharma@example.org' }),
    ...SPEECH.map((text, i) => says(1_000 + 1_000 * i, text)),
    says(1_500, `Partial: ${SPEECH[1]}`, { final: false }),
    // Late, repeated (the partial is late, too), and four that cannot be read.
    says(1_500, `Late: ${SPEECH[0]}`),
    says(3_000, SPEECH[2]),
    says(4_000, { said: SPEECH[0] }),
    says(4_000, 4111111111111111),
    record(4_000, { type: SPEECH[0] }),
    { key: 'c1', value: `{"callId":"c1","text":"${SPEECH[1]}` },
    says(5_000, 'ask oluwaseun adeyemi, he signed it'),
  ];
}

/** All bytes below the prefix, whatever their kind. */
async function redisText(redis: Redis, prefix: string): Promise<string> {
  const parts: Buffer[] = [];
  const commands: Readonly<Record<string, readonly [string, ...string[]]>> = {
    ...{ string: ['GET'], hash: ['HGETALL'], set: ['SMEMBERS'], list: ['LRANGE', '0', '-1'] },
    ...{ zset: ['ZRANGE', '0', '-1'], stream: ['XRANGE', '-', '+'] },
  };
  const gather = (value: unknown): void => {
    if (Buffer.isBuffer(value)) parts.push(value);
    else if (typeof value === 'string') parts.push(Buffer.from(value));
    else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        parts.push(Buffer.from(name));
        gather(inner);
      }
    }
  };
  for (const key of await redis.keys(`*${prefix}*`)) {
    parts.push(Buffer.from(key));
    // A key may have gone meanwhile.
    const [command, ...range] = commands[await redis.type(key)] ?? ['GET'];
    gather(await redis.callBuffer(command, key, ...range));
  }
  return Buffer.concat(parts).toString('latin1');
}

function assertFree(where: string, text: string): void {
  for (const secret of SECRETS)
    assert.ok(!text.includes(secret), `${where} holds '${secret}': ${text.slice(0, 2_000)}`);
}

test('no raw text reaches Redis, InfluxDB, the live feed, the dead letters or a log', async () => {
  const { kafka, redis: redisUrl, influx } = stackAddresses();
  const topic = uniqueName('calls');
  const prefix = uniqueName('pii');
  const database = uniqueName('pii').replaceAll('-', '_');
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: prefix,
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: `${topic}=calls`,
    // Records are kept beside their rows.
    TIDELINE_LATE: `${topic}=dead-letter`,
    TIDELINE_LOG_LEVEL: 'debug',
  };
  const records = callRecords();
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 1 }] });
  const redis = new Redis(redisUrl);
  await using _redis = { [Symbol.asyncDispose]: async () => redis.disconnect() };
  await using reader = createInfluxReader({ url: influx, database });
  const onWarning = () => undefined;
  await using store = await createRedisShardStore({ url: redisUrl, prefix, logBytesMax: 1, onWarning });
  await using feed = await createRedisLiveFeed({ url: redisUrl, channel: `${prefix}-live`, onWarning });
  const live: string[] = [];
  await feed.subscribe((lines) => void live.push(...lines));
  await using ingest = await startService('ingest', env);
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  await producer.send(records);
  await eventually('every record is in the log', async () => (await store.status())[0]?.head === records.length);
  // Before a forecaster has read it, the log holds every record that was taken.
  const logged = await redisText(redis, prefix);
  assert.match(logged, /My card is \[CARD\] and the account is \[IBAN\]\./, 'the log is what was looked at');
  assertFree('The log in Redis', logged);
  await using forecaster = await startService('forecaster', env);
  await eventually('every record is stepped', async () => (await store.status())[0].position === records.length);
  assertFree('Redis', await redisText(redis, prefix));
  await eventually('the live feed has come', () => live.length >= 4);
  assertFree('The live feed', live.join('\n'));
  const points: string[] = [];
  for (const { name } of (await reader.query('SHOW MEASUREMENTS')) as unknown as { name: string }[])
    for await (const line of reader.exportLines(name)) points.push(line);
  assert.equal(
    points.length,
    15,
    'a sentiment, a text and a roll-up of each turn, and the score of each forecast but the last',
  );
  assertFree('InfluxDB', points.join('\n'));
  const letters = await readDeadLetters({ brokers: [kafka], topic: env.TIDELINE_DEAD_LETTER_TOPIC });
  assert.equal(letters.length, 7);
  const kept = letters.map(({ record: { value, ...rest }, ...letter }) =>
    JSON.stringify([letter, rest, Buffer.from(value ?? []).toString('utf8')]),
  );
  assertFree('A dead letter', kept.join('\n'));
  assert.match(kept.join('\n'), /Late: Hello, my name is \[NAME\]\./);
  const logs = ingest.log() + forecaster.log();
  assert.match(logs, /Record dead-lettered/);
  assertFree('A log', logs);
  await reader.dropDatabase();
});
