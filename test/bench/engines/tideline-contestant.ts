/** One engine of Tideline as a contestant: `node tideline-contestant.js KIND`. */
import { createEngine, createModel, type EngineKind, elementCount, weightsOf } from '@tideline/nn';
import { outputRowsOf, rowsOf } from './cases.ts';
import { type Runner, serve } from './contestant.ts';
import type { LoadRequest } from './protocol.ts';
import { cut, readFloats } from './vectors.ts';

const kind = process.argv[2] as EngineKind;

async function load(request: LoadRequest): Promise<Runner> {
  const { spec, form, batch, sets } = request;
  const tensors = cut(
    readFloats(request.weights),
    request.tensors.map(({ shape }) => elementCount(shape)),
  );
  const model = createModel(spec, weightsOf(spec, tensors));
  const { engine } = await createEngine(model, { kind, slotsMax: batch });
  const rowCount = rowsOf(request);
  const slots = Uint32Array.from({ length: batch }, () => engine.allocate());
  const rows = Uint32Array.from({ length: rowCount }, (_, row) => row);
  const all = readFloats(request.inputs);
  const inputs = cut(all, Array<number>(sets).fill(rowCount * spec.inputSize));
  const outputs = new Float32Array(rowCount * spec.outputSize);
  const shown = outputs.subarray(outputs.length - outputRowsOf(request) * spec.outputSize);
  const zero = new Float32Array(batch * engine.stateSize);
  const batches = inputs.map((values) => ({ slots, rows, inputs: values, outputs }));
  const runs = inputs.map((values) => ({ slot: slots[0], rows, inputs: values, outputs }));
  const calls = {
    step: (set: number) => engine.step(batches[set]),
    run: (set: number) => engine.run(runs[set]),
    window: (set: number) => {
      engine.writeStates(slots, zero);
      return engine.run(runs[set]);
    },
  };
  return {
    variant: '',
    call: calls[form],
    outputs: () => shown,
    reset: () => engine.writeStates(slots, zero),
    dispose: () => engine.dispose(),
  };
}

/** A small engine of the kind, so that one that cannot be loaded says so before any case. */
async function assertLoads(): Promise<void> {
  const spec = { name: 'probe', cell: 'rnn', inputSize: 1, hiddenSize: 1, layers: 1, outputSize: 1 } as const;
  const one = () => Float32Array.of(0.5);
  const layer = { wIh: one(), wHh: one(), bIh: one(), bHh: one() };
  const model = createModel(spec, { layers: [layer], headW: one(), headB: one() });
  const { engine } = await createEngine(model, { kind, slotsMax: 1 });
  engine.dispose();
}

try {
  await assertLoads();
  await serve('', async (request) => [() => load(request)]);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: error instanceof Error ? error.message : String(error) })}\n`);
}
