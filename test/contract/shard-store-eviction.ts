/** Series that make room in memory and come back from the store: through the real forecaster, engine and model, to the bit. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createSimdEngine, loadModel } from '@tideline/nn';
import type { RawRecord, ShardStore } from '@tideline/pipeline';
import { createTickStream, generatedTicks } from '@tideline/streams';
import { ROOT } from '../e2e/services.ts';
import { runRecords } from '../unit/pipeline/order-run.ts';

const SYMBOLS = 12;
const RECORDS = 480;
const IN_MEMORY = 3;

/** A few series in memory over `store` give the points and the states of a run that keeps all of them in memory. */
export async function evictsWithoutATrace(store: ShardStore): Promise<void> {
  const { model } = await loadModel(join(ROOT, 'models', 'ticks-lstm', 'model.tdl'));
  const ticks = [...generatedTicks({ seed: 9, symbols: SYMBOLS, records: RECORDS })];
  const records = ticks.map(
    ({ key, value }, offset): RawRecord => ({
      ...{ offset, key: Buffer.from(key), value: Buffer.from(value) },
      ...{ timestampMs: 0, headers: {} },
    }),
  );
  let loaded = 0;
  const counting = new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name).bind(target);
      if (name !== 'load') return method;
      return (...args: Parameters<ShardStore['load']>) => {
        loaded += args[1].length;
        return method(...args);
      };
    },
  });
  const run = (options: { readonly store?: ShardStore; readonly seriesMax: number; readonly batch: number }) =>
    runRecords(records, {
      ...options,
      stream: createTickStream({ modelName: 'm', idleTtlMs: 86_400_000 }),
      newEngine: () => createSimdEngine(model, { slotsMax: 64 }),
      draw: () => 0,
      writesACrash: 0,
      sizes: [options.batch, options.batch, 1],
    });
  const evicted = await run({ store: counting, seriesMax: IN_MEMORY, batch: 7 });
  const kept = await run({ seriesMax: 100, batch: RECORDS });
  assert.ok(loaded > 8 * SYMBOLS, `only ${loaded} states came back from the store`);
  assert.equal(kept.lines.length, 2 * RECORDS);
  assert.deepEqual(new Set(evicted.lines), new Set(kept.lines));
  assert.deepEqual(evicted.states, kept.states);
}
