import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, postAlert, readSecrets, signedHeaders } from '@tideline/gateway';
import { openReceiver } from './receiver.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const KEYS = readSecrets(SECRET) ?? [];

test("the signature is that of the Standard Webhooks specification's example", () => {
  const headers = signedHeaders({
    ...{ id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestampS: 1_614_265_330, body: '{"test": 2432232314}', keys: KEYS },
  });
  assert.deepEqual(headers, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('while a key is changed each alert carries a signature of both; what is no secret is refused', () => {
  const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const keys = readSecrets(`${SECRET} ${other}`) ?? [];
  const signatures = signedHeaders({ id: 'a', timestampS: 1, body: '{}', keys })['webhook-signature'].split(' ');
  assert.equal(new Set(signatures).size, 2);
  assert.equal(signatures[0], signedHeaders({ id: 'a', timestampS: 1, body: '{}', keys: KEYS })['webhook-signature']);
  for (const bad of ['', 'secret', 'whsec_', 'whsec_c2hvcnQ=', SECRET.slice(6), `${SECRET} nonsense`])
    assert.equal(readSecrets(bad), null, bad);
});

test('waits double up to a minute, differ by chance, and heed what the receiver asks for', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 50, 5_000].map((attempts) => [backoffMs(attempts, 0), backoffMs(attempts, 1)]);
  assert.deepEqual(waits.slice(0, 4), [
    [500, 1_000],
    [1_000, 2_000],
    [2_000, 4_000],
    [4_000, 8_000],
  ]);
  assert.deepEqual(waits.slice(6), [
    [30_000, 60_000],
    [30_000, 60_000],
    [30_000, 60_000],
  ]);
  assert.equal(backoffMs(1, 0.5, 20_000), 20_000);
  assert.equal(backoffMs(1, 0.5, 9_999_999), 60_000);
});

test('an alert is posted as signed JSON, and what the receiver answers decides whether it is tried again', async () => {
  await using receiver = await openReceiver();
  const post = (url = receiver.url) =>
    postAlert(
      { url, keys: KEYS, timeoutMs: 300 },
      {
        id: 'calls-sad-1',
        body: '{"id":"calls-sad-1"}',
        nowMs: 1_700_000_000_900,
        signal: new AbortController().signal,
      },
    );
  assert.deepEqual(await post(), { kind: 'delivered' });
  const [{ headers, body }] = receiver.requests;
  assert.equal(body, '{"id":"calls-sad-1"}');
  assert.equal(headers['content-type'], 'application/json');
  const expected = signedHeaders({ id: 'calls-sad-1', timestampS: 1_700_000_000, body, keys: KEYS });
  for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value);
  receiver.answer = { status: 503, headers: { 'retry-after': '7' } };
  assert.deepEqual(await post(), { kind: 'failed', reason: 'The receiver answered 503.', retryAfterMs: 7_000 });
  receiver.answer = { status: 302, headers: { location: `${receiver.url}/elsewhere` } };
  const redirected = await post();
  assert.equal(redirected.kind, 'failed');
  assert.equal(receiver.requests.length, 3, 'a redirect is not followed');
  receiver.answer = { status: 410 };
  assert.equal((await post()).kind, 'refused');
  receiver.answer = null;
  assert.match(JSON.stringify(await post()), /did not answer within 300 ms/);
  assert.match(JSON.stringify(await post('http://127.0.0.1:1/')), /cannot be reached/);
});
