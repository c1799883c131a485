import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { createTopicProducer, ensureTopics, readDeadLetters, redriveDeadLetters } from '@tideline/adapters';
import { freePort } from '@tideline/native';
import { Redis } from 'ioredis';
import { eventually, stackAddresses, uniqueName } from '../stack/index.ts';
import { openReceiver, type ReceivedRequest } from '../unit/gateway/receiver.ts';
import { ownEnvironment, startService } from './services.ts';

const KEY = Buffer.alloc(32, 3);
const SECRET = `whsec_${KEY.toString('base64')}`;

function alertOf(i: number) {
  const id = `calls-sad-${String(i).padStart(24, 'a')}`;
  return { key: id, value: JSON.stringify({ id, rule: 'sad', series: `call-${i}` }) };
}

function webhookEnvironment(url: string, giveUpMs: number) {
  return {
    ...ownEnvironment(),
    TIDELINE_REDIS_PREFIX: uniqueName('webhook'),
    TIDELINE_INFLUX_DATABASE: uniqueName('webhook').replaceAll('-', '_'),
    TIDELINE_ALERT_TOPIC: uniqueName('alerts'),
    TIDELINE_GATEWAY_PORT: '0',
    TIDELINE_WEBHOOK_URL: url,
    TIDELINE_WEBHOOK_SECRET: SECRET,
    TIDELINE_WEBHOOK_GIVE_UP_MS: String(giveUpMs),
  };
}

/** As docs/calls.md says that a receiver should. */
function isGenuine({ headers, body }: ReceivedRequest): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  return headers['webhook-signature'] === `v1,${createHmac('sha256', KEY).update(signed).digest('base64')}`;
}

test('a receiver that was down gets each alert, signed, although the gateway was killed meanwhile', async () => {
  const { kafka } = stackAddresses();
  const port = await freePort();
  const env = webhookEnvironment(`http://127.0.0.1:${port}/hook`, 600_000);
  const topic = env.TIDELINE_ALERT_TOPIC;
  await ensureTopics({ brokers: [kafka], topics: [{ topic, partitions: 1 }] });
  await using producer = await createTopicProducer({ brokers: [kafka], topic });
  const alerts = Array.from({ length: 40 }, (_, i) => alertOf(i));
  await producer.send([...alerts.slice(0, 20), ...alerts.slice(10, 20), { key: 'x', value: 'no alert' }]);
  const first = await startService('gateway', env);
  await eventually('an attempt has failed', () => first.log().includes('Alert not delivered yet.'));
  await first.kill();
  await producer.send(alerts.slice(20));
  await using receiver = await openReceiver(port);
  receiver.answer = { status: 500 };
  await using second = await startService('gateway', env);
  await eventually('the receiver has refused some', () => receiver.requests.length > 5);
  receiver.answer = { status: 204 };
  const done = /^forecast_webhook_waiting_alerts 0$/m;
  const health = /"health":"([^"]+)"/.exec(second.log())?.[1] ?? '';
  await eventually('nothing waits', async () => done.test(await (await fetch(`${health}/metrics`)).text()));
  assert.deepEqual([...receiver.taken().keys()].sort(), alerts.map(({ key }) => key).sort());
  assert.deepEqual(
    receiver.requests.filter((request) => !isGenuine(request)),
    [],
  );
  const letters = await readDeadLetters({ brokers: [kafka], topic: env.TIDELINE_DEAD_LETTER_TOPIC });
  assert.deepEqual(
    letters.map(({ code, offset }) => [code, offset]),
    [['POISON_RECORD', 30]],
  );
  assert.equal(await second.stop(), 0);
  assert.ok(!`${first.log()}${second.log()}`.includes(SECRET.slice(6)), 'the secret is in no log');
});

test('a Redis that lost the queue and its position has every alert delivered again', async () => {
  const { kafka, redis: url } = stackAddresses();
  await using receiver = await openReceiver();
  const env = webhookEnvironment(receiver.url, 600_000);
  await using _gateway = await startService('gateway', env);
  await using producer = await createTopicProducer({ brokers: [kafka], topic: env.TIDELINE_ALERT_TOPIC });
  await producer.send([alertOf(1), alertOf(2), alertOf(1)]);
  await eventually('both are delivered', () => receiver.requests.length >= 2);
  const redis = new Redis(url);
  await using _redis = { [Symbol.asyncDispose]: async () => redis.disconnect() };
  const name = `${env.TIDELINE_REDIS_PREFIX}-webhook`;
  await redis.del(`${name}-positions`, ...(await redis.keys(`bull:${name}:*`)));
  await eventually('both are delivered again', () => receiver.requests.length >= 4);
  const ids = receiver.requests.map(({ headers }) => String(headers['webhook-id'])).sort();
  assert.deepEqual(
    ids,
    [1, 1, 2, 2].map((i) => alertOf(i).key),
  );
});

test('an alert that is given up is a dead letter with the reason, and a redrive delivers it', async () => {
  const { kafka } = stackAddresses();
  await using receiver = await openReceiver();
  receiver.answer = { status: 401 };
  const env = webhookEnvironment(receiver.url, 0);
  const [brokers, topic] = [[kafka], env.TIDELINE_DEAD_LETTER_TOPIC];
  await using gateway = await startService('gateway', env);
  await using producer = await createTopicProducer({ brokers, topic: env.TIDELINE_ALERT_TOPIC });
  await producer.send([alertOf(1)]);
  await eventually('it is given up', () => gateway.log().includes('Alert given up: dead letter.'));
  const [letter] = await readDeadLetters({ brokers, topic });
  assert.equal(letter.code, 'UNDELIVERED_RECORD');
  assert.match(letter.reason, /^The receiver answered 401\. 1 attempt in 0 s\.$/);
  assert.equal(String(letter.record.value), alertOf(1).value);
  receiver.answer = { status: 200 };
  await redriveDeadLetters({ brokers, topic, select: (letters) => letters, atMs: Date.now() });
  await eventually('it is sent again', () => receiver.requests.length === 2);
  assert.equal(receiver.requests[1].headers['webhook-id'], alertOf(1).key);
});
