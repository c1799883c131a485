import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PointLines, RetryableError } from '@tideline/pipeline';
import { acknowledgementLine, parseAcknowledgement, parseAlert } from '@tideline/streams';
import { startGateway } from './running-gateway.ts';

const LINE =
  'alert,kind=rule,queue=billing,rule=sad,series=c1,severity=warning,stream=calls offset=1i,partition=2i,' +
  'reason="Sad.",value=-0.5 1700000000001000000';
const ALERT = parseAlert(LINE) ?? assert.fail('the line is an alert');

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await fetch(`${url}/api/alerts/${ALERT.id}/acknowledgement`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, body: (await response.json()) as Answer['body'] };
}

test('the first acknowledgement of an alert stands, and the same person may send it again', async () => {
  await using gateway = await startGateway();
  const { url } = gateway;
  gateway.feed.publish(PointLines.of([LINE]));
  const first = await post(url, { by: ' Ada Lovelace ', note: 'I call "back", soon.' });
  assert.equal(first.status, 201);
  assert.deepEqual({ ...first.body, atMs: 0 }, { by: 'Ada Lovelace', note: 'I call "back", soon.', atMs: 0 });
  assert.deepEqual(await post(url, { by: 'Ada Lovelace', note: 'another' }), { ...first, status: 200 });
  const other = await post(url, { by: 'Ben' });
  assert.equal(other.status, 409);
  assert.match(String(other.body.detail), /^Ada Lovelace acknowledged it at 20/);
  const { alerts } = (await (await fetch(`${url}/api/alerts`)).json()) as { readonly alerts: unknown[] };
  assert.deepEqual(alerts, [{ ...ALERT, acknowledgement: first.body }]);
});

test('what is no acknowledgement is refused with a problem document that says why', async () => {
  await using gateway = await startGateway();
  const { url } = gateway;
  const unknown = await post(url, { by: 'Ada' });
  assert.deepEqual([unknown.status, unknown.type], [404, 'application/problem+json; charset=utf-8']);
  gateway.feed.publish(PointLines.of([LINE]));
  const refused: readonly (readonly [number, unknown, Readonly<Record<string, string>>])[] = [
    [400, {}, {}],
    [400, { by: '  ' }, {}],
    [400, { by: 'x'.repeat(81) }, {}],
    [400, { by: 'Ada', note: 'x'.repeat(501) }, {}],
    [400, '{"by":', {}],
    [413, { by: 'Ada', note: 'x'.repeat(9_000) }, {}],
    [415, 'by=Ada', { 'content-type': 'text/plain' }],
    [415, 'by=Ada', { 'content-type': 'application/x-www-form-urlencoded' }],
    [403, { by: 'Ada' }, { 'sec-fetch-site': 'cross-site' }],
  ];
  for (const [status, body, headers] of refused) {
    const answer = await post(url, body, headers);
    assert.deepEqual([answer.status, answer.body.status], [status, status], JSON.stringify(body));
    assert.match(answer.type, /^application\/problem\+json/);
  }
  assert.equal((await post(url, { by: 'Ada' })).status, 201, 'nothing of it was kept');
});

test('with a token nobody acknowledges without it', async () => {
  const token = 'a-token-of-this-test-alone';
  await using gateway = await startGateway({ token });
  gateway.feed.publish(PointLines.of([LINE]));
  assert.equal((await post(gateway.url, { by: 'Ada' })).status, 401);
  assert.equal((await post(`${gateway.url}`, { by: 'Ada' }, { authorization: `Bearer ${token}` })).status, 201);
});

test('where it cannot be kept the person is told, and may try again', async () => {
  let fails = true;
  await using gateway = await startGateway({
    keepAcknowledgement: async (_alert, own) => {
      if (fails) throw new RetryableError('No Redis answers.');
      return own;
    },
  });
  gateway.feed.publish(PointLines.of([LINE]));
  const answer = await post(gateway.url, { by: 'Ada' });
  assert.deepEqual([answer.status, answer.body.detail], [503, 'No Redis answers. Try again.']);
  fails = false;
  assert.equal((await post(gateway.url, { by: 'Ada' })).status, 201);
});

test('an acknowledgement is a point that reads back as it was, at the time of its alert', () => {
  const acknowledgement = { by: 'Ada "A\\" = L, B', note: 'two\\ words "x"', atMs: 1_700_000_000_123 };
  const line = acknowledgementLine(ALERT, acknowledgement);
  assert.match(line, / 1700000000001000000$/);
  assert.deepEqual(parseAcknowledgement(line), { id: ALERT.id, acknowledgement });
  assert.equal(parseAcknowledgement(LINE), null);
  assert.equal(parseAcknowledgement('acknowledgement,broken'), null);
});
