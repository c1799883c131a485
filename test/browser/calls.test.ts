/** A call's view: its turns, its alerts and who takes them on; and forecasts of a time ahead. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PointLines } from '@tideline/pipeline';
import type { Browser } from 'playwright-core';
import { alertLine, callEndLine, forecastLines, sentimentLine, turnLine } from '../unit/gateway/lines.ts';
import { type RunningGateway, startGateway } from '../unit/gateway/running-gateway.ts';
import { openBrowser, openPage } from './browser.ts';

let browser: Browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

function feedCall({ feed }: RunningGateway, series: string, { texts }: { readonly texts: boolean }): void {
  for (let offset = 0; offset < 6; offset += 1) {
    const speaker = offset % 2 === 0 ? 'customer' : 'agent';
    const lines = [sentimentLine({ series, offset, score: -0.5, speaker, escalation: 0.7 })];
    if (texts) lines.push(turnLine({ series, offset, text: `I said "[NAME]" ${offset} <b>times</b>.` }));
    feed.publish(PointLines.of(lines));
  }
}

test('a call shows its turns with what was said as text alone, and follows as it goes on', async () => {
  await using gateway = await startGateway();
  feedCall(gateway, 'call-1', { texts: true });
  await using opened = await openPage(browser, gateway.url);
  const { page, complaints } = opened;
  const turns = page.locator('#turns .turn');
  await turns.nth(5).waitFor();
  assert.match(await turns.nth(0).innerText(), /^customer\s+22:13:20\s+−0\.50\s+I said "\[NAME\]" 0 <b>times<\/b>\.$/);
  assert.equal(await turns.nth(0).locator('.bar').getAttribute('title'), 'negative 10 %, neutral 20 %, positive 70 %');
  assert.equal(await page.locator('#turns-note').isVisible(), false);
  gateway.feed.publish(
    PointLines.of([
      sentimentLine({ series: 'call-1', offset: 6, score: 0.3 }),
      turnLine({ series: 'call-1', offset: 6, text: 'Thanks.' }),
    ]),
  );
  await page.getByText('Thanks.').waitFor();
  assert.equal(await turns.count(), 7);
  const history = await fetch(`${gateway.url}/api/series/calls/call-1/history`);
  const { rows } = (await history.json()) as { readonly rows: readonly { readonly text?: string }[] };
  assert.equal(rows[6].text, 'Thanks.');
  assert.deepEqual(complaints, []);
});

test('a call that is over shows how it ended, which turns decided and what was said; the list no longer counts it among those at risk', async () => {
  await using gateway = await startGateway();
  feedCall(gateway, 'call-2', { texts: true });
  feedCall(gateway, 'call-1', { texts: true });
  gateway.feed.publish(PointLines.of([callEndLine({ series: 'call-1', turns: 6 })]));
  await using opened = await openPage(browser, `${gateway.url}/#call=calls%2Fcall-1`);
  const { page, complaints } = opened;
  const end = page.getByRole('region', { name: 'How this call ended' });
  await end.waitFor();
  const text = await end.innerText();
  assert.match(text, /Over: negative −0\.60\s+rating 2\.1 of 5 expected, 71 % dissatisfied · 6 turns in 6 s · ended/);
  assert.match(text, /1 customer: I said "\[NAME\]" <b>once<\/b>/);
  assert.match(text, /billing\s*cancellation/);
  const marked = page.locator('#turns .turn.decisive');
  assert.equal(await marked.count(), 2);
  assert.match(await marked.nth(0).innerText(), /decisive −0\.41\s+I said "\[NAME\]" 2 /);
  await end.getByRole('button', { name: 'Turn 3 (−0.41)' }).click();
  await page.locator('#turns .turn.decisive.pointed').waitFor();
  assert.match(await page.getByRole('button', { name: /^call-1/ }).innerText(), /over/);
  assert.match(await page.locator('#calls-list li').nth(0).innerText(), /^call-2/);
  const history = await fetch(`${gateway.url}/api/series/calls/call-1/history`);
  const { end: told } = (await history.json()) as {
    readonly end: { readonly turns: number; readonly categories: readonly string[] };
  };
  assert.deepEqual([told.turns, told.categories], [6, ['billing', 'cancellation']]);
  // The id is heard again: another call.
  gateway.feed.publish(PointLines.of([sentimentLine({ series: 'call-1', offset: 9, score: 0.3 })]));
  await end.waitFor({ state: 'hidden' });
  assert.deepEqual(complaints, []);
});

test('where texts are not kept the turns are there without, and the page says what keeps them', async () => {
  await using gateway = await startGateway();
  feedCall(gateway, 'call-1', { texts: false });
  await using opened = await openPage(browser, gateway.url);
  await opened.page.locator('#turns .turn').nth(5).waitFor();
  await opened.page.getByText('TIDELINE_CALL_POINTS=turns,rollups').waitFor();
  assert.deepEqual(opened.complaints, []);
});

test('a person acknowledges an alert on the page, every page shows it, and who comes too late is told', async () => {
  await using gateway = await startGateway();
  for (const series of ['call-1', 'call-2']) feedCall(gateway, series, { texts: true });
  const alerts = [
    alertLine({ series: 'call-1', offset: 2 }),
    alertLine({ series: 'call-2', offset: 3, severity: 'critical' }),
  ];
  gateway.feed.publish(PointLines.of(alerts));
  await using first = await openPage(browser, gateway.url);
  await using second = await openPage(browser, gateway.url, {
    viewport: { width: 360, height: 740 },
    colorScheme: 'dark',
  });
  const { page } = first;
  await page.locator('#alerts').getByRole('button', { name: 'call-1', exact: true }).click();
  await page.getByRole('heading', { name: 'Call call-1' }).waitFor();
  assert.equal(await page.locator('#open-alerts').innerText(), '2');
  assert.match(
    await page.locator('#calls-list').getByRole('button', { name: 'call-1' }).innerText(),
    /1 alert · billing/,
  );
  for (const other of [page, second.page])
    await other.locator('#alerts').getByRole('button', { name: 'Acknowledge sad of call-1' }).click();
  const form = page.locator('#alerts form');
  await form.getByLabel('Your name').fill('Ada');
  await form.getByLabel('Note').fill('I listen in.');
  await page.keyboard.press('Enter');
  for (const other of [page, second.page])
    await other.locator('#alert-list .taken').getByText('✓ Ada: I listen in.').waitFor();
  await page.locator('#call-alerts').getByText('✓ Ada: I listen in.').waitFor();
  await page.locator('#alerts-count').getByText('1 open, 1 acknowledged').waitFor();
  assert.match(await page.locator('#alert-list .alert').first().innerText(), /call-2/, 'open ones stand first');
  assert.equal(await page.locator('#alerts form').count(), 0);
  // The page keeps the name for the next alert.
  await page.locator('#alerts').getByRole('button', { name: 'Acknowledge sad of call-2' }).click();
  assert.equal(await page.locator('#alerts').getByLabel('Your name').inputValue(), 'Ada');
  const [{ id }] = ((await (await fetch(`${gateway.url}/api/alerts`)).json()) as { readonly alerts: { id: string }[] })
    .alerts;
  await fetch(`${gateway.url}/api/alerts/${id}/acknowledgement`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'Ben' }),
  });
  await page.locator('#alert-list .taken').getByText('✓ Ben').waitFor();
  assert.equal(await second.page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), true);
  assert.deepEqual([...first.complaints, ...second.complaints], []);
});

test('who writes a note goes on writing while alerts come and others are acknowledged', async () => {
  await using gateway = await startGateway();
  feedCall(gateway, 'call-1', { texts: true });
  gateway.feed.publish(
    PointLines.of([1, 2, 3].map((offset) => alertLine({ series: 'call-1', offset, rule: `r${offset}` }))),
  );
  await using opened = await openPage(browser, gateway.url);
  const { page } = opened;
  await page.locator('#alerts').getByRole('button', { name: 'Acknowledge r1 of call-1' }).click();
  await page.locator('#alerts').getByLabel('Your name').fill('Ada');
  await page.locator('#alerts').getByLabel('Note').fill('I am');
  gateway.feed.publish(PointLines.of([alertLine({ series: 'call-1', offset: 5, rule: 'r5' })]));
  const [, { id }] = (
    (await (await fetch(`${gateway.url}/api/alerts`)).json()) as { readonly alerts: { id: string }[] }
  ).alerts;
  await fetch(`${gateway.url}/api/alerts/${id}/acknowledgement`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'Ben' }),
  });
  await page.locator('#alert-list .taken').getByText('✓ Ben').waitFor();
  await page.keyboard.type(' there.');
  await page.keyboard.press('Enter');
  await page.locator('#alert-list .taken').getByText('✓ Ada: I am there.').waitFor();
});

test('an alert that cannot be acknowledged says why where the person is', async () => {
  await using gateway = await startGateway({
    keepAcknowledgement: async (_alert, own) => ({ ...own, by: 'Ben', atMs: 0 }),
  });
  feedCall(gateway, 'call-1', { texts: true });
  gateway.feed.publish(PointLines.of([alertLine({ series: 'call-1', offset: 2 })]));
  await using opened = await openPage(browser, gateway.url);
  const { page } = opened;
  await page.locator('#alerts').getByRole('button', { name: 'Acknowledge sad of call-1' }).click();
  await page.locator('#alerts').getByLabel('Your name').fill('Ada');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('Ben acknowledged it at 1970-01-01').waitFor();
});

test('forecasts of times ahead are on the page as those of records ahead are', async () => {
  await using gateway = await startGateway();
  for (let offset = 0; offset < 40; offset += 1)
    gateway.feed.publish(
      PointLines.of(
        forecastLines({ series: 'EURUSD', offset, last: 100 + Math.sin(offset / 4), horizons: ['1s', '10s'] }),
      ),
    );
  await using opened = await openPage(browser, gateway.url);
  const { page, complaints } = opened;
  const row = page.getByRole('button', { name: 'EURUSD' });
  await row.waitFor();
  assert.match(await row.innerText(), /in 10 s/);
  await page.locator('#chart-headline').getByText('in 10 s').waitFor();
  assert.match((await page.locator('#chart-text').textContent()) ?? '', /1 s ahead: median 99\.7.*10 s ahead: median/);
  const rows = (await (await fetch(`${gateway.url}/api/series/ticks/EURUSD/history`)).json()) as {
    readonly rows: readonly { readonly forecasts: readonly { readonly horizon: unknown }[] }[];
  };
  assert.deepEqual(
    rows.rows[0].forecasts.map(({ horizon }) => horizon),
    ['1s', '10s'],
  );
  assert.deepEqual(complaints, []);
});
