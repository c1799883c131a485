import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadModel } from '@tideline/nn';
import { ConfigError, splitLine } from '@tideline/pipeline';
import {
  CALL_VOLUME_DEFAULTS,
  type CallVolumeSettings,
  createCallVolumeStream,
  createStream,
  generatedCallVolume,
  readCallVolumeSettings,
  type SourceRecord,
  VOLUME_CONTEXT,
  volumeLoss,
  volumeQuantiles,
} from '@tideline/streams';
import { pipelinePass, readRows, type SeriesRows } from '@tideline/trainer';
import { ROOT } from '../../e2e/services.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A Monday. */
const START_MS = Date.UTC(2024, 0, 1);
const [NEXT, HOUR, FOUR_HOURS, TOMORROW] = [0, 1, 2, 3];
const STREAM = createCallVolumeStream({ modelName: 'm' });

function record(
  ts: number | string,
  calls: number,
  more: Record<string, unknown> = { intervalMs: HOUR_MS / 2 },
): SourceRecord {
  const value = JSON.stringify({ queue: 'q', ts, calls, ...more });
  return { topic: 'call-volume', key: 'q', value, timestampMs: 0 };
}

/** Office hours: Monday to Friday, 9 to 17, half-hours. */
function office(weeks: number, calls: (ts: number) => number = () => 20): SourceRecord[] {
  const found: SourceRecord[] = [];
  for (let ts = START_MS; ts < START_MS + weeks * 7 * DAY_MS; ts += HOUR_MS / 2) {
    const hour = (ts % DAY_MS) / HOUR_MS;
    const isWeekday = ((ts - START_MS) / DAY_MS) % 7 < 5;
    if (isWeekday && hour >= 9 && hour < 17) found.push(record(ts, calls(ts)));
  }
  return found;
}

function rowsOf(records: readonly SourceRecord[], settings: CallVolumeSettings = CALL_VOLUME_DEFAULTS): SeriesRows {
  return readRows(createCallVolumeStream({ modelName: 'm', settings }), records).series[0];
}

/** When horizon `h` of the last row is due, and whether it is open. */
function dueAt({ context, rows }: SeriesRows, h: number): { readonly at: string; readonly open: boolean } {
  const place = (rows - 1) * STREAM.contextSize + VOLUME_CONTEXT.horizons + h * VOLUME_CONTEXT.each;
  return { at: new Date(context[place + 1]).toISOString(), open: context[place + 3] === 1 };
}

test('inputs and contexts of a row do not depend on what comes after it', () => {
  const records = [...generatedCallVolume({ seed: 3, days: 30 })];
  const whole = readRows(STREAM, records).series;
  for (const cut of [1, 100, 1_777, records.length - 5])
    for (const part of readRows(STREAM, records.slice(0, cut)).series) {
      const one = whole.find(({ key }) => key === part.key);
      assert.deepEqual(part.inputs, one?.inputs.subarray(0, part.inputs.length));
      assert.deepEqual(part.context, one?.context.subarray(0, part.context.length));
    }
});

test('the next interval of Friday evening is Monday morning, hours in which the queue is closed have no forecast', () => {
  const friday = office(3).filter(({ value }) => JSON.parse(value).ts < START_MS + 19 * DAY_MS);
  const rows = rowsOf(friday);
  assert.deepEqual(dueAt(rows, NEXT), { at: '2024-01-22T09:00:00.000Z', open: true });
  assert.equal(dueAt(rows, HOUR).open, false);
  assert.equal(dueAt(rows, FOUR_HOURS).open, false);
  assert.deepEqual(dueAt(rows, TOMORROW), { at: '2024-01-22T16:30:00.000Z', open: true });
  const noon = rowsOf(friday.slice(0, -9));
  assert.deepEqual(dueAt(noon, HOUR), { at: '2024-01-19T13:00:00.000Z', open: true });
  assert.deepEqual(dueAt(noon, FOUR_HOURS), { at: '2024-01-19T16:00:00.000Z', open: true });
});

test('a declared holiday is not due, and its day does not teach what a weekday is like', () => {
  const settings = readCallVolumeSettings('test', { kind: 'call-volume', holidays: ['2024-01-22', '2024-01-23'] });
  assert.deepEqual(dueAt(rowsOf(office(3), settings), NEXT), { at: '2024-01-24T09:00:00.000Z', open: true });
  const quiet = office(5, (ts) => (ts >= START_MS + 21 * DAY_MS && ts < START_MS + 23 * DAY_MS ? 2 : 20));
  const usual = (set: CallVolumeSettings): number => {
    const { context, rows } = rowsOf(quiet, set);
    return context[(rows - 1) * STREAM.contextSize + VOLUME_CONTEXT.horizons + 2] ** 2 - 0.25;
  };
  assert.ok(Math.abs(usual(settings) - 20) < 1e-9, 'next Monday is like other Mondays');
  assert.ok(usual(CALL_VOLUME_DEFAULTS) < 16);
});

test('missing hours and days advance the calendar, and nothing becomes NaN', () => {
  const records = office(6).filter(({ value }) => {
    const at = (JSON.parse(value).ts - START_MS) / DAY_MS;
    return !(at > 15 && at < 17) && !(at > 22.5 && at < 22.58);
  });
  const { inputs, context, rows } = rowsOf(records);
  assert.equal(rows, records.length);
  assert.ok(inputs.every(Number.isFinite) && context.every(Number.isFinite));
  const missed = inputs.filter((_, i) => i % STREAM.inputSize === 29);
  assert.equal(
    missed.filter((share) => share > 0).length,
    3,
    'two gaps, and the first weekend, of which nobody knew yet',
  );
});

test('a queue that is nearly always silent has finite inputs, and counts that are not negative', async () => {
  const { model } = await loadModel(join(ROOT, 'models', 'call-volume-gru', 'model.tdl'));
  const records = Array.from({ length: 24 * 40 }, (_, i) =>
    record(START_MS + i * HOUR_MS, i % 97 === 5 ? 1 : 0, { intervalMs: HOUR_MS }),
  );
  const { inputs } = rowsOf(records);
  assert.ok(inputs.every(Number.isFinite));
  const { lines, refused } = await pipelinePass({ stream: STREAM, model, records, keepLines: true });
  assert.deepEqual(refused, {});
  assert.ok(lines.length >= 4 * 24 * 38, 'from the third day on every hour has its four points');
  for (const line of lines) {
    const values = fieldsOf(line);
    assert.ok(values.q10 >= 0 && values.q10 <= values.q50 && values.q50 <= values.q90, line);
    assert.ok(values.agents >= 0 && values.agents <= values.agents_q90 && values.q50 < 3, line);
  }
});

function fieldsOf(line: string): Record<string, number> {
  return Object.fromEntries(
    splitLine(line)
      .fields.split(',')
      .map((field) => field.split('='))
      .map(([name, value]) => [name, Number(value.replace('i', ''))]),
  );
}

test('each horizon has an arrivals point with the agents that its service level needs', async () => {
  const { model } = await loadModel(join(ROOT, 'models', 'call-volume-gru', 'model.tdl'));
  const settings = readCallVolumeSettings('test', {
    kind: 'call-volume',
    staffing: { handle_time_s: 600, queues: { q: { service_level: 0.95 } } },
  });
  const records = office(4, () => 60);
  const run = async (set: CallVolumeSettings): Promise<Record<string, number>> => {
    const stream = createCallVolumeStream({ modelName: 'm', settings: set });
    const { lines } = await pipelinePass({ stream, model, records, keepLines: true });
    const [last] = lines.slice(-2);
    assert.match(last, /^arrivals,horizon=next,model=m,queue=q,series=q,stream=call-volume agents=\d+i,/);
    return fieldsOf(last);
  };
  const own = await run(settings);
  const usual = await run(CALL_VOLUME_DEFAULTS);
  assert.ok(own.q50 > 45 && own.q50 < 75, `${own.q50}`);
  assert.ok(own.load > 1.99 * usual.load && own.agents > 1.6 * usual.agents);
  assert.ok(own.service_level >= 0.95 && own.agents_q90 >= own.agents);
});

test('an interval that comes late or twice is no step, whatever the policy', () => {
  const records = office(2);
  const plain = rowsOf(records);
  const again = [...records.slice(0, 40), records[39], records[3], ...records.slice(40)];
  for (const late of ['apply', 'drop'] as const) {
    const { series } = readRows(createCallVolumeStream({ modelName: 'm', late }), again);
    assert.deepEqual(series[0].inputs, plain.inputs);
  }
});

test('intervals whose length nobody says are learnt from the time between records; other lengths begin anew', () => {
  const unsaid = Array.from({ length: 50 }, (_, i) => record(START_MS + i * 900_000, 5, {}));
  const rows = rowsOf(unsaid);
  assert.equal(rows.rows, 49, 'the first waits for the second');
  assert.equal(rows.context[VOLUME_CONTEXT.intervalMs], 900_000);
  const changed = [
    ...office(1),
    ...Array.from({ length: 5 }, (_, i) => record(START_MS + 7 * DAY_MS + i * 900_000, 5, { intervalMs: 900_000 })),
  ];
  const { context, rows: count } = rowsOf(changed);
  assert.equal(context[(count - 1) * STREAM.contextSize + VOLUME_CONTEXT.days], 1);
});

test('slots are those of the local clock, before and after its change', () => {
  const settings = readCallVolumeSettings('test', {
    kind: 'call-volume',
    utc_offset_min: 60,
    clock_changes: [{ from: '2024-03-31T01:00:00Z', utc_offset_min: 120 }],
  });
  const daily: SourceRecord[] = [];
  // Local 9 to 17 each day, in UTC an hour less, from the change on two.
  for (let day = Date.UTC(2024, 2, 1); day <= Date.UTC(2024, 3, 5); day += DAY_MS)
    for (let hour = 9; hour < 17; hour += 1) {
      const local = day + hour * HOUR_MS;
      daily.push(record(local - (day >= Date.UTC(2024, 2, 31) ? 2 : 1) * HOUR_MS, 10, { intervalMs: HOUR_MS }));
    }
  assert.equal(dueAt(rowsOf(daily, settings), NEXT).at, '2024-04-06T07:00:00.000Z');
});

for (const [what, value, reason] of [
  ['no calls', { queue: 'q', ts: START_MS }, /'calls' is undefined, must be a number from 0/],
  ['fewer than none', { queue: 'q', ts: START_MS, calls: -1 }, /'calls' is -1/],
  ['a counter that is broken', { queue: 'q', ts: START_MS, calls: 1e12 }, /'calls' is 1000000000000/],
  [
    'an interval of seven minutes',
    { queue: 'q', ts: START_MS, calls: 1, intervalMs: 420_001 },
    /a day must hold a whole number/,
  ],
  ['no queue', { ts: START_MS, calls: 1 }, /'queue' is undefined/],
  ['no time', { queue: 'q', calls: 1 }, /no time/],
] as const)
  test(`a record with ${what} is refused with field, value and cure`, () => {
    const read = readRows(STREAM, [{ topic: 'call-volume', key: '', value: JSON.stringify(value), timestampMs: 0 }]);
    const [{ reason: said }] = read.refused.values();
    assert.match(said, reason);
  });

test('a file of the kind declares the stream wherever a stream has a name; one with mistakes is refused with all of them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tideline-volumes-'));
  const path = join(folder, 'centre.yaml');
  writeFileSync(path, 'kind: call-volume\nname: centre\nstaffing: {service_level: 0.9}\n');
  assert.equal(createStream(path, { modelName: 'm' }).name, 'centre');
  assert.throws(
    () => readCallVolumeSettings('x', { kind: 'call-volume', holidays: ['soon'], staffing: { service_level: 80 } }),
    (error: unknown) =>
      error instanceof ConfigError && error.problems.length === 3 && /below 1/.test(error.problems.join()),
  );
});

test('the loss has the gradient that finite differences find', () => {
  const outputs = Float64Array.from({ length: STREAM.outputSize }, (_, i) => Math.sin(3 * i) - 0.3);
  const targets = [0.4, Number.NaN, -1.2, 2.5];
  const gradient = new Float64Array(STREAM.outputSize);
  volumeLoss(outputs, targets, gradient);
  const step = 1e-6;
  outputs.forEach((value, i) => {
    const at = (shift: number): number =>
      volumeLoss(
        Float64Array.from(outputs, (v, j) => (i === j ? value + shift : v)),
        targets,
        new Float64Array(STREAM.outputSize),
      );
    assert.ok(Math.abs((at(step) - at(-step)) / (2 * step) - gradient[i]) < 1e-6, `output ${i}`);
  });
});

test('quantiles never cross and are never negative', () => {
  const context = new Float64Array(STREAM.contextSize).fill(0.6);
  for (const extreme of [-1e9, -5, 0, 5, 1e9])
    for (const width of [-1e9, 0, 1e9]) {
      const outputs = Float64Array.from({ length: STREAM.outputSize }, (_, i) => (i % 3 === 0 ? extreme : width));
      const [q10, q50, q90] = volumeQuantiles({ outputs, outputAt: 0, context, contextAt: 0 }, 0);
      assert.ok(q10 >= 0 && q10 <= q50 && q50 <= q90 && Number.isFinite(q90));
    }
});
