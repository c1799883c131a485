import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInfluxReader, createRedisShardStore, createTopicProducer, ensureTopics } from '@tideline/adapters';
import { type Alert, generatedCalls, parseAlert } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { readTopic } from './offline-pass.ts';
import { ownEnvironment, ROOT, startService } from './services.ts';

test('a forecaster that is killed over a day of calls leaves each alert once in InfluxDB and tells each in the topic', async () => {
  const { kafka, redis, influx } = stackAddresses();
  const topic = uniqueName('calls');
  const alertTopic = uniqueName('alerts');
  const prefix = uniqueName('alerts');
  const database = uniqueName('alerts').replaceAll('-', '_');
  const env = {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: prefix,
    TIDELINE_INFLUX_DATABASE: database,
    TIDELINE_STREAMS: `${topic}=calls`,
    TIDELINE_RULES: join(ROOT, 'docs', 'rules.yaml'),
    TIDELINE_ALERT_TOPIC: alertTopic,
    TIDELINE_CHUNK_ROWS_MAX: '50',
    TIDELINE_BATCH_ENTRIES_MAX: '1',
  };
  const records = [...generatedCalls({ seed: 9, calls: 120 })];
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 2 }] });
  await using reader = createInfluxReader({ url: influx, database });
  await using store = await createRedisShardStore({ url: redis, prefix, logBytesMax: 1, onWarning: () => undefined });
  await using _ingest = await startService('ingest', env);
  await using first = await startService('forecaster', env);
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  await producer.send(records);
  const stepped = async () => (await store.status()).reduce((sum, { position }) => sum + Math.max(0, position), 0);
  await eventually('some records are stepped', async () => (await stepped()) > 0);
  await first.kill();
  await using _second = await startService('forecaster', env);
  await eventually('every record is stepped', async () => (await stepped()) === records.length);
  const stored: Alert[] = [];
  for await (const line of reader.exportLines('alert'))
    stored.push(...[parseAlert(line)].filter((alert) => alert !== null));
  assert.ok(stored.length > 20, `${stored.length} alerts`);
  const told = new Map<string, Alert>();
  for (const messages of (await readTopic({ brokers: kafka, topic: alertTopic, records: stored.length })).values())
    for (const { key, value } of messages) told.set(String(key), JSON.parse(String(value)) as Alert);
  const byId = (alerts: Iterable<Alert>): Alert[] => [...alerts].sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(byId(told.values()), byId(stored));
  await using gateway = await startService('gateway', { ...env, TIDELINE_GATEWAY_PORT: '0' });
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(
    gateway.log().split('Gateway is ready')[0].split('\n').at(-1) ?? '',
  )?.[0];
  const { alerts } = (await (await fetch(`${url}/api/alerts`)).json()) as { readonly alerts: Alert[] };
  assert.deepEqual(byId(alerts), byId(stored), 'the gateway finds them in InfluxDB');
  await reader.dropDatabase();
});
