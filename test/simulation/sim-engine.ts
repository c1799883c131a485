/** An engine inside a simulated process: it may work in the background, and fail, at each step; and it says how many slots are in use. */
import type { StepEngine } from '@tideline/pipeline';

export interface SimEngine extends StepEngine {
  readonly used: number;
}

/** `beforeStep` throws where the engine shall fail, and gives a promise where it shall work in the background. */
export function createSimEngine(engine: StepEngine, beforeStep: () => Promise<void> | undefined): SimEngine {
  let used = 0;
  const later = (work: () => void | Promise<void>): void | Promise<void> => {
    const background = beforeStep();
    return background ? background.then(work) : work();
  };
  const { name, modelDigest, modelName, inputSize, outputSize, stateSize } = engine;
  return {
    ...{ name, modelDigest, modelName, inputSize, outputSize, stateSize },
    get used() {
      return used;
    },
    allocate() {
      const slot = engine.allocate();
      used += 1;
      return slot;
    },
    release(slot) {
      engine.release(slot);
      used -= 1;
    },
    step: (batch) => later(() => engine.step(batch)),
    run: (run) => later(() => engine.run(run)),
    readStates: (slots, into) => engine.readStates(slots, into),
    writeStates: (slots, from) => engine.writeStates(slots, from),
    dispose: () => engine.dispose(),
  };
}
