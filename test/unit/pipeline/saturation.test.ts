/** A network that answers the same to everything is found at the same record whatever the batches, the workers and the crashes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModel, createSimdEngine, initWeights, type Model, type ModelSpec } from '@tideline/nn';
import { pointIdentity, type RawRecord, REBUILD_SLOTS, SATURATED_STEPS, SeriesRebuild } from '@tideline/pipeline';
import { createTickStream, mulberry32 } from '@tideline/streams';
import fc from 'fast-check';
import { runRecords, SHARD } from './order-run.ts';

const TS = 1_700_000_000_000;
const STREAM = createTickStream({ modelName: 'stuck' });
const SPEC: ModelSpec = {
  ...{
    name: 'stuck',
    cell: 'rnn',
    inputSize: STREAM.inputSize,
    hiddenSize: 4,
    layers: 1,
    outputSize: STREAM.outputSize,
  },
};

/** Units at the bound of tanh, whatever comes: their bias is far beyond it. */
function stuckModel(): Model {
  const { layers, headW, headB } = initWeights(SPEC, mulberry32(3));
  return createModel(SPEC, {
    layers: layers.map((layer) => ({ ...layer, bIh: layer.bIh.map(() => 50) })),
    headW,
    headB,
  });
}

function ticks(keys: readonly string[], priceOf: (i: number) => number): RawRecord[] {
  return keys.map((symbol, i) => ({
    offset: i,
    key: Buffer.from(symbol),
    value: Buffer.from(JSON.stringify({ symbol, price: priceOf(i), ts: TS + 1_000 * i })),
    timestampMs: 0,
    headers: {},
  }));
}

const walk = (i: number): number => 100 + ((i * 7_919) % 97) / 10;

test('a series is quarantined at the step that makes it too many, and another one is not', async () => {
  const model = stuckModel();
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 9 }), async (seed, share) => {
      const random = mulberry32(seed + 1);
      const keys = Array.from({ length: 150 }, () => (random() * 10 < share ? 'B' : 'A'));
      const result = await runRecords(ticks(keys, walk), {
        stream: STREAM,
        newEngine: () => createSimdEngine(model, { slotsMax: 400 }),
        draw: (below) => Math.floor(random() * below),
        writesACrash: 4,
        seriesMax: 1,
      });
      for (const key of ['A', 'B']) {
        const offsets = keys.flatMap((one, offset) => (one === key ? [offset] : []));
        const own = result.lines.filter((line) => line.includes(`series=${key}`));
        const alerts = own.filter((line) => line.startsWith('alert,kind=quarantine'));
        const forecasts = new Set(own.filter((line) => line.startsWith('forecast,horizon=1,')).map(pointIdentity));
        assert.equal(forecasts.size, Math.min(offsets.length, SATURATED_STEPS));
        const isFound = offsets.length > SATURATED_STEPS;
        assert.equal(alerts.length, isFound ? 1 : 0);
        if (isFound) assert.match(alerts[0], new RegExp(`offset=${offsets[SATURATED_STEPS]}i.*its state is saturated`));
      }
    }),
    { numRuns: 25 },
  );
});

test('the same answer to the same inputs is no sign of anything', async () => {
  const flat = ticks(Array<string>(300).fill('A'), () => 100);
  const stream = { ...STREAM, advance: quiet };
  const { lines } = await runRecords(flat, {
    ...{ stream, newEngine: () => createSimdEngine(stuckModel(), { slotsMax: 9 }) },
    ...{ draw: () => 1, writesACrash: 0 },
  });
  assert.ok(lines.every((line) => !line.startsWith('alert')));
  assert.equal(lines.filter((line) => line.startsWith('forecast,horizon=1,')).length, 300);
});

/** Inputs that never change. */
const quiet: typeof STREAM.advance = (chunk, row, buffers) => {
  const action = STREAM.advance(chunk, row, buffers);
  buffers.inputs.fill(0, buffers.inputAt, buffers.inputAt + STREAM.inputSize);
  return action;
};

test("a rebuild begins the series anew where it was found saturated: 'tideline state reset KEY --replay'", async () => {
  const engine = createSimdEngine(stuckModel(), { slotsMax: REBUILD_SLOTS });
  const rebuild = new SeriesRebuild({
    ...{ shard: SHARD, key: 'A', stream: STREAM, engine, onPoison: 'skip', write: async () => undefined },
  });
  for (const record of ticks(Array<string>(150).fill('A'), walk)) rebuild.add(record);
  await rebuild.advance(150);
  const { records, forecasts, poison, saturated } = rebuild.report;
  assert.deepEqual(
    { records, forecasts, poison, saturated },
    {
      ...{ records: 150, forecasts: 150, poison: [] },
      saturated: [SATURATED_STEPS, 2 * SATURATED_STEPS],
    },
  );
  engine.dispose();
});
