/** A scripted day of calls on the real servers, while every service is killed once: what comes of it is what the script says. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInfluxReader, createRedisShardStore, createTopicProducer, ensureTopics } from '@tideline/adapters';
import type { Alert } from '@tideline/streams';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { openReceiver } from '../unit/gateway/receiver.ts';
import { DAY_MS, KINDS, QUEUES, RULES, type ScriptedCall, scriptedCalls, scriptedRecords } from './call-centre-day.ts';
import { addressOf, ownEnvironment, startService } from './services.ts';

type Row = Readonly<Record<string, unknown>>;
const WHERE = `WHERE time >= ${DAY_MS}ms AND time < ${DAY_MS + 86_400_000}ms`;

async function dayEnvironment(folder: string, webhook: string) {
  const rules = join(folder, 'rules.yaml');
  await writeFile(rules, RULES);
  const topic = uniqueName('calls');
  return {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: uniqueName('day'),
    TIDELINE_INFLUX_DATABASE: uniqueName('day').replaceAll('-', '_'),
    TIDELINE_STREAMS: `${topic}=calls`,
    TIDELINE_RULES: rules,
    TIDELINE_ALERT_TOPIC: uniqueName('alerts'),
    TIDELINE_INGEST_SHARE: '1/1',
    TIDELINE_CHUNK_ROWS_MAX: '20',
    TIDELINE_BATCH_ENTRIES_MAX: '2',
    TIDELINE_GATEWAY_PORT: '0',
    TIDELINE_WEBHOOK_URL: webhook,
    TIDELINE_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 5).toString('base64')}`,
    topic,
  };
}

const sum = (calls: readonly ScriptedCall[], value: (kind: (typeof KINDS)[keyof typeof KINDS]) => number): number =>
  calls.reduce((total, { kind }) => total + value(KINDS[kind]), 0);

test('of a scripted day every turn, alert and roll-up is there once, whoever is killed; each alert reaches the webhook, and one is acknowledged', async () => {
  const { kafka, redis, influx } = stackAddresses();
  const folder = await mkdtemp(join(tmpdir(), 'tideline-day-'));
  await using _folder = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  await using receiver = await openReceiver();
  receiver.answer = { status: 503 };
  const { topic, ...env } = await dayEnvironment(folder, receiver.url);
  const { TIDELINE_REDIS_PREFIX: prefix, TIDELINE_INFLUX_DATABASE: database } = env;
  const records = scriptedRecords();
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 3 }] });
  await using reader = createInfluxReader({ url: influx, database });
  await using store = await createRedisShardStore({ url: redis, prefix, logBytesMax: 1, onWarning: () => undefined });
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  const services = await Promise.all(
    (['ingest', 'forecaster', 'gateway'] as const).map((name) => startService(name, env)),
  );
  const stepped = async () => (await store.status()).reduce((total, { position }) => total + Math.max(0, position), 0);
  await producer.send(records.slice(0, records.length / 2));
  await eventually('some of the morning is stepped', async () => (await stepped()) > 0);
  for (const service of services) await service.kill();
  await producer.send(records.slice(records.length / 2));
  await using _ingest = await startService('ingest', env);
  await using _forecaster = await startService('forecaster', env);
  await using gateway = await startService('gateway', env);
  await eventually('the day is stepped', async () => (await stepped()) === records.length);
  receiver.answer = { status: 204 };

  const calls = scriptedCalls();
  const total = async (fields: readonly string[], groups: string): Promise<Row[]> => {
    const sums = fields.map((name) => `SUM("${name}") AS "${name}"`).join(', ');
    return (await reader.query(`SELECT ${sums} FROM "call_rollup" ${WHERE} GROUP BY ${groups}`)) as unknown as Row[];
  };
  for (const queue of QUEUES) {
    const own = calls.filter((call) => call.queue === queue);
    const [row] = (await total(['turns', 'calls', 'alerts', 'silence_ms'], '"queue"')).filter(
      (one) => one.queue === queue,
    );
    const { turns, calls: begun, alerts, silence_ms: silenceMs } = row;
    assert.deepEqual(
      { turns, begun, alerts, silenceMs },
      {
        turns: sum(own, (kind) => kind.turns),
        begun: own.length,
        alerts: sum(own, (kind) => kind.alerts.length),
        silenceMs: sum(own, (kind) => kind.silenceMs),
      },
      queue,
    );
  }
  // The last turn of each quiet call is the second line's, who is nobody's.
  const quiet = calls.filter(({ kind }) => kind === 'quiet').length;
  const morning = calls.filter(({ hour }) => hour < 13);
  const bySupervisor = new Map((await total(['turns'], '"supervisor"')).map((row) => [row.supervisor, row.turns]));
  const nora = sum(morning, (kind) => kind.turns) - quiet / 2;
  assert.deepEqual(Object.fromEntries(bySupervisor), { Nora: nora, unknown: sum(calls, (kind) => kind.turns) - nora });
  const perHour = (await total(['calls'], 'time(1h)')).map((row) => row.calls).filter((count) => count !== null);
  assert.deepEqual(
    perHour,
    Array.from({ length: 8 }, () => 9),
  );

  const listed = async () =>
    (
      (await (await fetch(`${addressOf(gateway)}/api/alerts?limit=500`)).json()) as {
        readonly alerts: (Alert & { readonly acknowledgement: { readonly by: string } | null })[];
      }
    ).alerts;
  const expected = calls.flatMap(({ callId, kind }) => KINDS[kind].alerts.map((rule) => `${callId} ${rule}`)).sort();
  const names = (alerts: readonly Alert[]): string[] => alerts.map(({ series, rule }) => `${series} ${rule}`).sort();
  await eventually('the gateway knows every alert', async () => (await listed()).length === expected.length);
  assert.deepEqual(names(await listed()), expected);
  await eventually('the webhook has each', () => receiver.taken().size === expected.length);
  const told = [...receiver.taken().values()].map((body) => JSON.parse(body) as Alert);
  assert.deepEqual(names(told), expected);
  const [{ id }] = await listed();
  const answer = await fetch(`${addressOf(gateway)}/api/alerts/${id}/acknowledgement`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"by":"Ada"}',
  });
  assert.equal(answer.status, 201);
  const taken = async () => (await listed()).filter(({ acknowledgement }) => acknowledgement?.by === 'Ada');
  await eventually('it is shown', async () => (await taken()).length === 1);
  const { rows } = (await (await fetch(`${addressOf(gateway)}/api/series/calls/angry-billing-16/history`)).json()) as {
    readonly rows: readonly { readonly text?: string }[];
  };
  assert.equal(rows[5].text, 'I want to cancel the contract.');
  await reader.dropDatabase();
});
