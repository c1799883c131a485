import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PointLines } from '@tideline/pipeline';
import type { Browser, Page } from 'playwright-core';
import { arrivalsLine, forecastLines, sentimentLine } from '../unit/gateway/lines.ts';
import { type RunningGateway, startGateway } from '../unit/gateway/running-gateway.ts';
import { openBrowser, openPage } from './browser.ts';

const DEADLINE_MS = 20_000;
let browser: Browser;

before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

/** Two symbols of 60 ticks and two calls. */
function feedSome({ feed }: RunningGateway): void {
  for (let offset = 0; offset < 60; offset += 1) {
    feed.publish(PointLines.of(forecastLines({ series: 'AAPL', offset, last: 189 + Math.sin(offset / 4) })));
    feed.publish(PointLines.of(forecastLines({ series: 'MSFT', offset, last: 370 + Math.cos(offset / 4) })));
  }
  for (let offset = 0; offset < 8; offset += 1) {
    const speaker = offset % 2 === 0 ? 'customer' : 'agent';
    feed.publish(PointLines.of([sentimentLine({ series: 'call-1', offset, score: Math.sin(offset), speaker })]));
    feed.publish(PointLines.of([sentimentLine({ series: 'call-2', offset, score: -0.8, speaker, escalation: 0.91 })]));
  }
}

function rowOf(page: Page, name: string) {
  return page.getByRole('button', { name });
}

/** Pixels of the canvas that have about the colour of CSS variable `name`. What runs in the page is text: these tests know no DOM. */
function pixelsOf(page: Page, box: string, name: string): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelector('${box} canvas');
    if (canvas === null) return 0;
    const copy = Object.assign(document.createElement('canvas'), { width: canvas.width + 1, height: canvas.height });
    const probe = copy.getContext('2d', { willReadFrequently: true });
    probe.drawImage(canvas, 1, 0);
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--${name}');
    probe.fillRect(0, 0, 1, 1);
    const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
    const { data } = probe.getImageData(1, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
      const distance = Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue);
      if (data[i + 3] > 20 && distance < 40) count += 1;
    }
    return count;
  })()`);
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `not within ${DEADLINE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('the page shows prices, the fan, calls and the figures, keeps to its policy and complains of nothing', async () => {
  await using gateway = await startGateway();
  feedSome(gateway);
  await using opened = await openPage(browser, gateway.url);
  const { page, complaints } = opened;
  await rowOf(page, 'AAPL').waitFor();
  assert.match(await rowOf(page, 'AAPL').innerText(), /189\.\d\d/);
  assert.match(await rowOf(page, 'call-2').innerText(), /91 %/);
  await page.getByText('1,234').waitFor();
  assert.match(await page.locator('.figures').innerText(), /reference/);
  await until(async () => (await pixelsOf(page, '#chart', 'median')) > 50, 'the median forecast');
  await until(async () => (await pixelsOf(page, '#chart', 'price')) > 100, 'the price');
  assert.match((await page.locator('#chart-text').textContent()) ?? '', /5 records \(5 s\) ahead: median 18/);
  await until(async () => (await pixelsOf(page, '#call-chart', 'customer')) > 20, "the customer's utterances");
  await page.getByText('Live · embedded').waitFor();
  assert.deepEqual(complaints, []);
  const inline = await page.evaluate<boolean>(`(() => {
    const script = document.createElement('script');
    script.textContent = 'window.injected = true';
    document.body.append(script);
    return window.injected === true;
  })()`);
  assert.equal(inline, false, 'the content security policy lets no inline script run');
});

test('a new record is on the page at once, in the list and in the chart', async () => {
  await using gateway = await startGateway();
  feedSome(gateway);
  await using opened = await openPage(browser, gateway.url);
  const { page, complaints } = opened;
  await rowOf(page, 'AAPL').waitFor();
  const start = Date.now();
  gateway.feed.publish(PointLines.of(forecastLines({ series: 'AAPL', offset: 60, last: 195.25 })));
  await page.locator('#chart-headline').getByText('195.25').waitFor({ timeout: DEADLINE_MS });
  assert.ok(Date.now() - start < 3_000, 'within the beat of the live stream');
  assert.match(await rowOf(page, 'AAPL').innerText(), /195\.25/);
  gateway.feed.publish(PointLines.of(forecastLines({ series: 'NEW', offset: 0, last: 7 })));
  await rowOf(page, 'NEW').waitFor();
  assert.deepEqual(complaints, []);
});

test('a series and a call are chosen with the keyboard, and the address remembers them', async () => {
  await using gateway = await startGateway();
  feedSome(gateway);
  await using opened = await openPage(browser, gateway.url);
  const { page, complaints } = opened;
  await rowOf(page, 'AAPL').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'MSFT' }).waitFor();
  assert.equal(await rowOf(page, 'MSFT').getAttribute('aria-pressed'), 'true');
  assert.equal(await page.evaluate<string>("document.activeElement.getAttribute('aria-pressed')"), 'true');
  await rowOf(page, 'call-1').focus();
  await page.keyboard.press('Space');
  await page.getByRole('heading', { name: 'Call call-1' }).waitFor();
  await page.getByRole('radio', { name: '120' }).focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.getByRole('radio', { name: '500' }).isChecked(), true);
  await page.reload();
  await page.getByRole('heading', { name: 'MSFT' }).waitFor();
  await page.getByRole('heading', { name: 'Call call-1' }).waitFor();
  await page.getByRole('searchbox', { name: 'Filter the series' }).fill('aap');
  await rowOf(page, 'MSFT').waitFor({ state: 'detached' });
  assert.deepEqual(complaints, []);
});

test('queues whose calls are forecast have a row of the staffing table, which is not there without them', async () => {
  await using gateway = await startGateway();
  feedSome(gateway);
  await using opened = await openPage(browser, gateway.url);
  const { page, complaints } = opened;
  await rowOf(page, 'AAPL').waitFor();
  assert.equal(await page.locator('#staffing').isVisible(), false);
  for (const [offset, calls] of [
    [0, 40],
    [1, 52],
  ] as const)
    for (const horizon of ['next', '1h', '24h'] as const)
      for (const queue of ['billing', 'claims'])
        gateway.feed.publish(PointLines.of([arrivalsLine({ queue, horizon, offset, q50: calls, agents: calls / 2 })]));
  const row = page.getByRole('row', { name: 'billing' });
  await row.getByText('26–28 agents').first().waitFor();
  const cells = await row.getByRole('cell').allInnerTexts();
  assert.equal(cells.length, 5);
  assert.match(cells[1], /^52 \(42–62\)\s+26–28 agents · 22:43$/);
  assert.match(cells[3], /^closed\s*$/);
  assert.match(cells[4], /11-15 22:28/);
  assert.equal(await page.getByRole('row', { name: 'claims' }).count(), 1);
  assert.deepEqual(complaints, []);
});

test('without records the page says what to do', async () => {
  await using gateway = await startGateway();
  await using opened = await openPage(browser, gateway.url);
  await opened.page.getByText('npx tideline replay FILE --topic ticks').waitFor();
  await opened.page.getByText('No calls yet.').waitFor();
  assert.deepEqual(opened.complaints, []);
});

test('figures that cannot be read are said in words, and the rest goes on', async () => {
  await using gateway = await startGateway({
    stats: () => Promise.reject(new Error('No Redis answers at 127.0.0.1.')),
  });
  feedSome(gateway);
  await using opened = await openPage(browser, gateway.url);
  await opened.page.getByRole('alert').getByText('No Redis answers at 127.0.0.1.').waitFor();
  await rowOf(opened.page, 'AAPL').waitFor();
});

test('a gateway that goes away is said, and the page goes on by itself when it is back', async () => {
  const first = await startGateway();
  feedSome(first);
  const port = Number(new URL(first.url).port);
  await using opened = await openPage(browser, first.url);
  const { page } = opened;
  await rowOf(page, 'AAPL').waitFor();
  await first[Symbol.asyncDispose]();
  await page.getByRole('alert').getByText('does not answer').waitFor({ timeout: DEADLINE_MS });
  await page.getByText('Disconnected').waitFor();
  assert.equal(await rowOf(page, 'AAPL').isVisible(), true, 'what was seen stays');
  await using second = await startGateway({ port });
  feedSome(second);
  second.feed.publish(PointLines.of(forecastLines({ series: 'AAPL', offset: 61, last: 201.5 })));
  await page.locator('#chart-headline').getByText('201.50').waitFor({ timeout: DEADLINE_MS });
  await page.getByText('Live · embedded').waitFor();
});

test('a narrow screen in the dark has no sideways scrolling and draws the same', async () => {
  await using gateway = await startGateway();
  feedSome(gateway);
  await using opened = await openPage(browser, gateway.url, {
    viewport: { width: 360, height: 740 },
    colorScheme: 'dark',
  });
  const { page, complaints } = opened;
  await rowOf(page, 'AAPL').waitFor();
  await until(async () => (await pixelsOf(page, '#chart', 'price')) > 50, 'the price');
  assert.equal(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), true);
  assert.deepEqual(complaints, []);
});

test('the page opens with ?token= and keeps the token out of its address', async () => {
  const token = 'a-token-of-this-test-alone';
  await using gateway = await startGateway({ token });
  feedSome(gateway);
  await using opened = await openPage(browser, `${gateway.url}/?token=${token}`);
  await rowOf(opened.page, 'AAPL').waitFor();
  assert.ok(!opened.page.url().includes(token));
  assert.deepEqual(opened.complaints, []);
});
