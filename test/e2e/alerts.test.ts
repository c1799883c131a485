import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInfluxReader, createRedisShardStore, createTopicProducer, ensureTopics } from '@tideline/adapters';
import { type Alert, generatedCalls, parseAlert } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { readTopic } from './offline-pass.ts';
import { addressOf, ownEnvironment, ROOT, startService } from './services.ts';

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
  await using forecaster = await startService('forecaster', env);
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  await producer.send(records);
  const stepped = async () => (await store.status()).reduce((sum, { position }) => sum + Math.max(0, position), 0);
  await eventually('some records are stepped', async () => (await stepped()) > 0);
  await forecaster.kill();
  await using _successor = await startService('forecaster', env);
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
  const gateways = await Promise.all([1, 2].map(() => startService('gateway', { ...env, TIDELINE_GATEWAY_PORT: '0' })));
  const [first, second] = gateways.map(addressOf);
  assert.deepEqual(
    byId((await listAlerts(first)).map(({ acknowledgement, ...alert }) => alert)),
    byId(stored),
    'the gateway finds them in InfluxDB',
  );
  const [{ id }, { id: other }] = stored;
  const answers = await Promise.all(
    [first, second, first, second].map((url, i) => acknowledge(url, id, i % 2 === 0 ? 'Ada' : 'Ben')),
  );
  const statuses = answers.map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 201).length, 1, `one is first: ${statuses}`);
  assert.equal(new Set(answers.filter(({ status }) => status < 300).map(({ body }) => body.by)).size, 1, 'one stands');
  assert.equal(statuses.filter((status) => status === 409).length, 2);
  const by = answers.find(({ status }) => status === 201)?.body.by;
  const shown = async (url: string) => (await listAlerts(url)).find((alert) => alert.id === id)?.acknowledgement?.by;
  for (const url of [first, second])
    await eventually('each gateway shows who has it', async () => (await shown(url)) === by);
  for (const gateway of gateways) await gateway.kill();
  await using third = await startService('gateway', { ...env, TIDELINE_GATEWAY_PORT: '0' });
  assert.equal(await shown(addressOf(third)), by, 'a restart has it from InfluxDB');
  assert.equal((await acknowledge(addressOf(third), id, by ?? '')).status, 200);
  assert.equal((await listAlerts(addressOf(third))).find((alert) => alert.id === other)?.acknowledgement, null);
  const points: string[] = [];
  for await (const line of reader.exportLines('acknowledgement')) points.push(line);
  assert.equal(points.length, 1);
  await reader.dropDatabase();
});

type ShownAlert = Alert & { readonly acknowledgement: { readonly by: string } | null };

async function listAlerts(url: string): Promise<readonly ShownAlert[]> {
  return ((await (await fetch(`${url}/api/alerts`)).json()) as { readonly alerts: ShownAlert[] }).alerts;
}

async function acknowledge(url: string, id: string, by: string) {
  const response = await fetch(`${url}/api/alerts/${id}/acknowledgement`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by, note: 'I listen in.' }),
  });
  return { status: response.status, body: (await response.json()) as { readonly by?: string } };
}
