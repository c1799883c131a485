/** onnxruntime-node as a contestant, one thread: `node onnx-contestant.js FOLDER`, where FOLDER's node_modules hold the package. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { elementCount } from '@tideline/nn';
import { outputRowsOf, rowsOf } from './cases.ts';
import { type Runner, serve } from './contestant.ts';
import type { LoadRequest } from './protocol.ts';
import { cut, readFloats } from './vectors.ts';

/** As much of onnxruntime-node as is used; it is no dependency of the repository. */
interface Tensor {
  readonly data: Float32Array;
  dispose(): void;
}
type Tensors = Record<string, Tensor>;
interface Session {
  run(feeds: Tensors, fetches?: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}
interface Onnxruntime {
  readonly Tensor: new (type: 'float32', values: Float32Array, shape: readonly number[]) => Tensor;
  readonly InferenceSession: { create(path: string, options: object): Promise<Session> };
}

const requirePeer = createRequire(join(process.argv[2], 'package.json'));
const ort = requirePeer('onnxruntime-node') as Onnxruntime;
const { version } = requirePeer('onnxruntime-node/package.json') as { version: string };

async function load(request: LoadRequest, name: string, allocates: boolean): Promise<Runner> {
  const { spec, form, batch } = request;
  const session = await ort.InferenceSession.create(request.graphs[name], {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    executionProviders: ['cpu'],
  });
  const rows = rowsOf(request);
  // The operator takes [steps][series][size], the spelled cell [series][size].
  const lead = name === 'operator' ? [1, batch] : form === 'step' ? [batch] : [rows, 1];
  const inputs = cut(readFloats(request.inputs), Array<number>(request.sets).fill(rows * spec.inputSize)).map(
    (values) => new ort.Tensor('float32', values, [...lead, spec.inputSize]),
  );
  const { names: states, shape: stateShape } = statesOf(request, name);
  const zero = (): Tensor => new ort.Tensor('float32', new Float32Array(elementCount(stateShape)), stateShape);
  const sets = [0, 1].map(() => ({
    y: new ort.Tensor('float32', new Float32Array(outputRowsOf(request) * spec.outputSize), [
      outputRowsOf(request),
      spec.outputSize,
    ]),
    states: states.map(zero),
  }));
  const feeds: Tensors = {};
  const fetches = sets.map(({ y, states: held }): Tensors => ({ y, ...named(states.map(newName), held) }));
  let turn = 0;
  let y = sets[0].y;
  const call = async (set: number): Promise<void> => {
    feeds.x = inputs[set];
    const results = allocates ? await session.run(feeds) : await session.run(feeds, fetches[turn]);
    for (const state of states) feeds[state] = results[newName(state)];
    y = results.y;
    // Two sets of outputs take turns: the one written last is the next call's input.
    turn = 1 - turn;
  };
  const reset = (): void => {
    for (const state of states) feeds[state] = zero();
  };
  reset();
  return {
    variant: `${name}${allocates ? '' : ', outputs kept'}`,
    call,
    outputs: () => y.data,
    reset,
    dispose: () => session.release(),
  };
}

/** Names of the graph's states and the shape of each. */
function statesOf({ spec, form, batch }: LoadRequest, name: string): { names: string[]; shape: number[] } {
  const { layers, hiddenSize } = spec;
  const kinds = spec.cell === 'lstm' ? ['h', 'c'] : ['h'];
  const names =
    form === 'window' ? [] : Array.from({ length: layers }, (_, l) => kinds.map((kind) => `${kind}${l}`)).flat();
  if (name === 'packed') return { names: ['s'], shape: [batch, names.length * hiddenSize] };
  return { names, shape: name.startsWith('gemm') ? [batch, hiddenSize] : [1, batch, hiddenSize] };
}

function newName(state: string): string {
  return `${state[0]}n${state.slice(1)}`;
}

function named(names: readonly string[], tensors: readonly Tensor[]): Tensors {
  return Object.fromEntries(names.map((name, i) => [name, tensors[i]]));
}

await serve(version, async (request) =>
  Object.keys(request.graphs).flatMap((name) => [false, true].map((allocates) => () => load(request, name, allocates))),
);
