/** Which engine serves and why. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine, ENGINE_KINDS, type EngineKind, SINGLE_KINDS } from '@tideline/nn';
import {
  allocate,
  bitsOf,
  modelOf,
  randomOf,
  rowsUpTo,
  statesOf,
  TICK_LIKE,
  valuesOf,
} from '../../contract/engine-model.ts';

const MODEL = modelOf(TICK_LIKE, randomOf(21));

/** A clock that runs fast: `fastest` measures for a twentieth of its time. */
const now = (): number => performance.now() * 20;

test('every kind gives an engine and its reasons, or an error that says what to install', async () => {
  for (const kind of ENGINE_KINDS) {
    const outcome = await createEngine(MODEL, { kind, slotsMax: 4, now }).catch((error: Error) => error);
    if (outcome instanceof Error) {
      assert.match(kind, /^(tfjs-node-gpu|tfjs-node-gpu-fused|simd-native|simd-native-fused)$/, outcome.message);
      assert.equal(outcome.name, 'BackendError');
      assert.match(outcome.message, /not installed|no GPU|one native TensorFlow|not compiled|runs no/);
      continue;
    }
    if (isSingle(kind)) assert.equal(outcome.engine.name, kind);
    assert.match(outcome.reasons.at(-1) ?? '', new RegExp(`^${outcome.engine.name}: `));
    outcome.engine.dispose();
  }
});

test('auto is the fused kernel, whatever else is installed', async () => {
  const { engine, reasons } = await createEngine(MODEL, { kind: 'auto', slotsMax: 4 });
  assert.match(engine.name, /^simd-/);
  assert.deepEqual(reasons, [`${engine.name}: the first that loads for 'auto'.`]);
  engine.dispose();
});

test('fastest says what each engine costs, and that another choice changes the last bits', async () => {
  const { engine, reasons } = await createEngine(MODEL, { kind: 'fastest', slotsMax: 4, widthExpected: 3, now });
  assert.equal(reasons.length, SINGLE_KINDS.length + 1);
  assert(reasons.some((reason) => /^reference: [\d.e-]+ ms a step of 3\.$/.test(reason)));
  assert.match(reasons.at(-1) ?? '', new RegExp(`^${engine.name}: taken for batches of 3\\. .*last bits`));
  const slots = allocate(engine, 4);
  assert.ok((await statesOf(engine, slots)).every((value) => value === 0));
  engine.dispose();
});

function isSingle(kind: EngineKind): boolean {
  return SINGLE_KINDS.some((single) => single === kind);
}

test('engines of several backends take turns in one process without mixing their states', async () => {
  const random = randomOf(23);
  const inputs = valuesOf(random, 4 * 6);
  const kinds = ['tfjs-cpu', 'tfjs-wasm', 'tfjs-node'] as const;
  const alone = new Map<string, string>();
  for (const kind of kinds) {
    const { engine } = await createEngine(MODEL, { kind, slotsMax: 1 });
    const outputs = new Float32Array(6 * 6);
    const [slot] = allocate(engine, 1);
    await engine.run({ slot, rows: rowsUpTo(6), inputs, outputs });
    alone.set(kind, bitsOf(outputs) + bitsOf(await statesOf(engine, [slot])));
    engine.dispose();
  }
  const engines = await Promise.all(
    kinds.map(async (kind) => (await createEngine(MODEL, { kind, slotsMax: 1 })).engine),
  );
  const results = engines.map((engine) => ({ engine, slots: allocate(engine, 1), outputs: new Float32Array(6 * 6) }));
  for (let row = 0; row < 6; row += 1)
    for (const { engine, slots, outputs } of results)
      await engine.step({ slots, rows: Uint32Array.of(row), inputs, outputs });
  for (const { engine, slots, outputs } of results) {
    assert.equal(bitsOf(outputs) + bitsOf(await statesOf(engine, slots)), alone.get(engine.name));
    engine.dispose();
  }
});
