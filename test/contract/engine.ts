/** What every engine promises: the same bits whatever shares the batch, however a sequence is cut, and after any restore. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine, type Engine, type EngineKind, type Model } from '@tideline/nn';
import { engineInvariance } from './engine-invariance.ts';
import { allocate, bitsOf, modelOf, randomOf, rowsUpTo, statesOf, TICK_LIKE, valuesOf } from './engine-model.ts';

export interface EngineContract {
  readonly kind: EngineKind;
  /** Random cases a property. */
  readonly cases: number;
}

export function engineContract({ kind, cases }: EngineContract): void {
  const make = async (model: Model, slotsMax = 256): Promise<Engine> => {
    const { engine } = await createEngine(model, { kind, slotsMax });
    return engine;
  };
  engineInvariance({ kind, cases, make });
  slotPromises(kind, make);
  faultPromises(kind, make);
}

type Make = (model: Model, slotsMax?: number) => Promise<Engine>;

function slotPromises(kind: string, make: Make): void {
  test(`${kind}: it says its name, its model's and its sizes`, async () => {
    const model = modelOf(TICK_LIKE, randomOf(1));
    const engine = await make(model);
    assert.equal(engine.name, kind);
    assert.equal(engine.modelName, 'contract');
    assert.equal(engine.modelDigest, model.digest);
    assert.deepEqual([engine.inputSize, engine.outputSize, engine.stateSize], [4, 6, 2 * 2 * 16]);
    engine.dispose();
  });

  test(`${kind}: a slot begins at zero, also one that was used before`, async () => {
    const random = randomOf(2);
    const engine = await make(modelOf(TICK_LIKE, random));
    const slots = allocate(engine, 3);
    const batch = { slots, rows: rowsUpTo(3), inputs: valuesOf(random, 12), outputs: new Float32Array(18) };
    await engine.step(batch);
    assert.ok((await statesOf(engine, slots)).every((value) => value !== 0));
    engine.release(slots[1]);
    const again = engine.allocate();
    assert.equal(again, slots[1]);
    assert.ok((await statesOf(engine, [again])).every((value) => value === 0));
    engine.dispose();
  });

  test(`${kind}: slots grow up to the bound and keep their states; beyond it is a RangeError`, async () => {
    const random = randomOf(3);
    const engine = await make(modelOf(TICK_LIKE, random), 150);
    const early = allocate(engine, 60);
    const written = valuesOf(random, 60 * engine.stateSize);
    engine.writeStates(early, written);
    allocate(engine, 90);
    assert.throws(() => engine.allocate(), RangeError);
    assert.equal(bitsOf(await statesOf(engine, early)), bitsOf(written));
    engine.release(early[0]);
    assert.equal(engine.allocate(), early[0]);
    engine.dispose();
  });
}

function faultPromises(kind: string, make: Make): void {
  test(`${kind}: a slot that was given back cannot be used`, async () => {
    const random = randomOf(4);
    const engine = await make(modelOf(TICK_LIKE, random));
    const [slot] = allocate(engine, 1);
    engine.release(slot);
    const vectors = { rows: rowsUpTo(1), inputs: valuesOf(random, 4), outputs: new Float32Array(6) };
    await assert.rejects(async () => engine.step({ slots: Uint32Array.of(slot), ...vectors }), /Slot 0 is not in use/);
    await assert.rejects(async () => engine.run({ slot, ...vectors }), /Slot 0 is not in use/);
    await assert.rejects(async () => statesOf(engine, [slot]), /Slot 0 is not in use/);
    assert.throws(() => engine.writeStates([slot], new Float32Array(engine.stateSize)), /Slot 0 is not in use/);
    assert.throws(() => engine.release(slot), /Slot 0 is not in use/);
    engine.dispose();
  });

  test(`${kind}: a step or run that fails changes nothing`, async () => {
    const random = randomOf(5);
    const engine = await make(modelOf(TICK_LIKE, random));
    const slots = allocate(engine, 3);
    engine.writeStates(slots, valuesOf(random, 3 * engine.stateSize));
    const before = bitsOf(await statesOf(engine, slots));
    const inputs = valuesOf(random, 12);
    const outputs = new Float32Array(18);
    const failing: readonly (() => void | Promise<void>)[] = [
      () => engine.step({ slots: Uint32Array.of(slots[0], slots[1], 77), rows: rowsUpTo(3), inputs, outputs }),
      () => engine.step({ slots, rows: Uint32Array.of(0, 1, 3), inputs, outputs }),
      () => engine.step({ slots, rows: rowsUpTo(2), inputs, outputs }),
      () => engine.run({ slot: slots[0], rows: Uint32Array.of(0, 1, 3), inputs, outputs }),
      () => engine.run({ slot: slots[0], rows: rowsUpTo(3), inputs, outputs: outputs.subarray(0, 12) }),
    ];
    for (const fail of failing) await assert.rejects(async () => fail(), { name: 'AssertionError' });
    assert.equal(bitsOf(await statesOf(engine, slots)), before);
    assert.ok(outputs.every((value) => value === 0));
    engine.dispose();
  });

  test(`${kind}: states are read and written all or none`, async () => {
    const random = randomOf(7);
    const engine = await make(modelOf(TICK_LIKE, random));
    const slots = allocate(engine, 2);
    const written = valuesOf(random, 2 * engine.stateSize);
    engine.writeStates(slots, written);
    const other = valuesOf(random, 2 * engine.stateSize);
    assert.throws(() => engine.writeStates([slots[0], 77], other), /Slot 77 is not in use/);
    assert.throws(() => engine.writeStates(slots, other.subarray(1)), /2 states need 128 values/);
    await assert.rejects(async () => engine.readStates(slots, other.subarray(1)), /2 states need 128 values/);
    assert.equal(bitsOf(await statesOf(engine, slots)), bitsOf(written));
    engine.dispose();
  });

  test(`${kind}: after its end no slot can be used, and it can end twice`, async () => {
    const random = randomOf(8);
    const engine = await make(modelOf(TICK_LIKE, random));
    const [slot] = allocate(engine, 1);
    engine.dispose();
    engine.dispose();
    const run = { slot, rows: rowsUpTo(1), inputs: valuesOf(random, 4), outputs: new Float32Array(6) };
    await assert.rejects(async () => engine.run(run), /Slot 0 is not in use/);
  });

  test(`${kind}: a NaN or an infinity stays in its own slot, and shows`, async () => {
    const random = randomOf(6);
    const engine = await make(modelOf(TICK_LIKE, random));
    const inputs = valuesOf(random, 4 * 40);
    const pass = async (values: Float32Array) => {
      const slots = allocate(engine, 40);
      const outputs = new Float32Array(6 * 40);
      await engine.step({ slots, rows: rowsUpTo(40), inputs: values, outputs });
      const states = await statesOf(engine, slots);
      return Array.from({ length: 40 }, (_, row) => ({
        outputs: outputs.subarray(row * 6, row * 6 + 6),
        state: states.subarray(row * engine.stateSize, (row + 1) * engine.stateSize),
      }));
    };
    const clean = await pass(inputs);
    const spoiled = Float32Array.from(inputs);
    spoiled[4 * 7 + 2] = Number.NaN;
    spoiled[4 * 33] = Number.POSITIVE_INFINITY;
    const found = await pass(spoiled);
    found.forEach(({ outputs, state }, row) => {
      if (row === 7) assert.ok(outputs.every(Number.isNaN) && state.some(Number.isNaN));
      else if (row !== 33)
        assert.equal(bitsOf(outputs) + bitsOf(state), bitsOf(clean[row].outputs) + bitsOf(clean[row].state));
    });
    engine.dispose();
  });
}
