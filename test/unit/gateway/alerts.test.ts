import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PointLines } from '@tideline/pipeline';
import type { Alert } from '@tideline/streams';
import { startGateway } from './running-gateway.ts';

function alertLine(offset: number, rule = 'sad'): string {
  return (
    `alert,agent=a\\ 7,kind=rule,queue=billing,rule=${rule},series=c1,severity=warning,stream=calls ` +
    `offset=${offset}i,partition=2i,reason="It said \\"no\\".",value=-0.5 ${1_700_000_000_000 + offset}000000`
  );
}

test('alerts are listed once each, newest first, from before the start and from the live feed', async () => {
  const history = () => Promise.resolve([alertLine(1), alertLine(3)]);
  await using gateway = await startGateway({ history });
  const quarantine =
    'alert,kind=quarantine,series=c2,stream=calls offset=4i,partition=0i,reason="NaN" 1700000000004000000';
  gateway.feed.publish(PointLines.of([alertLine(3), alertLine(2), alertLine(2, 'legal'), quarantine, 'alert,broken']));
  const list = async (query: string) =>
    ((await (await fetch(`${gateway.url}/api/alerts${query}`)).json()) as { readonly alerts: Alert[] }).alerts;
  const alerts = await list('');
  assert.deepEqual(
    alerts.map(({ id, offset }) => `${id.replace(/-[0-9a-f]{24}$/, '')} ${offset}`),
    ['calls-quarantine 4', 'calls-sad 3', 'calls-legal 2', 'calls-sad 2', 'calls-sad 1'],
  );
  assert.equal(new Set(alerts.map(({ id }) => id)).size, 5);
  assert.deepEqual(alerts[1], {
    ...{ id: alerts[1].id, rule: 'sad', severity: 'warning', stream: 'calls', series: 'c1', queue: 'billing' },
    ...{ agent: 'a 7', timeNs: '1700000000003000000', reason: 'It said "no".', value: -0.5, partition: 2, offset: 3 },
    acknowledgement: null,
  });
  assert.deepEqual(
    (await list('?limit=1')).map(({ severity, value }) => [severity, value]),
    [['critical', null]],
  );
  assert.equal((await fetch(`${gateway.url}/api/alerts?limit=0`)).status, 400);
});
