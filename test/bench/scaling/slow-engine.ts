import { setTimeout as sleep } from 'node:timers/promises';
import type { StepEngine } from '@tideline/pipeline';

/** Sleeps shorter than this are not worth a timer: they are saved up. */
const SLEEP_MS_MIN = 4;

/** The engine with an accelerator's cost: each row takes `rowMs` of one device, which does one thing at a time; the processor is free meanwhile. */
export function createSlowEngine(engine: StepEngine, rowMs: number): StepEngine {
  let device: Promise<unknown> = Promise.resolve();
  let owedMs = 0;
  const busy = async (rows: number): Promise<void> => {
    owedMs += rows * rowMs;
    if (owedMs < SLEEP_MS_MIN) return;
    const ms = owedMs;
    owedMs = 0;
    device = device.then(() => sleep(ms));
    await device;
  };
  const { name, modelDigest, modelName, inputSize, outputSize, stateSize } = engine;
  return {
    ...{ name, modelDigest, modelName, inputSize, outputSize, stateSize },
    allocate: () => engine.allocate(),
    release: (slot) => engine.release(slot),
    step: (batch) => busy(batch.slots.length).then(() => engine.step(batch)),
    run: (sequence) => busy(sequence.rows.length).then(() => engine.run(sequence)),
    readStates: (slots, into) => engine.readStates(slots, into),
    writeStates: (slots, from) => engine.writeStates(slots, from),
    dispose: () => engine.dispose(),
  };
}
