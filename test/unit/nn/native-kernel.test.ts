/** Every build of the native kernel that this processor runs has the WebAssembly kernel's bits. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { createModel, createSimdEngine, type Engine, initWeights, loadNativeKernel, nativeKinds } from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';

type WasmMemory = Parameters<typeof loadNativeKernel>[0];
/** Node's types leave WebAssembly to the DOM's. */
const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (size: { initial: number }) => WasmMemory } })
  .WebAssembly;

const KINDS = nativeKinds();
const EXACT = KINDS.filter(({ name }) => !name.endsWith('_fused'));
const FUSED = KINDS.filter(({ name }) => name.endsWith('_fused'));
const SKIP = KINDS.length === 0 ? 'the native kernel is not compiled here' : false;
const MODELS_EACH = 10;
const ROWS_MAX = 70;
const FUSED_ERROR_MAX = 2e-5;

const FORMS = {
  rnn: { cell: 'rnn' },
  lstm: { cell: 'lstm' },
  'lstm with peepholes': { cell: 'lstm', peephole: true },
  'lstm with an input layer': { cell: 'lstm', inputLayer: 21 },
  'gru with an input layer and a skip': { cell: 'gru', inputLayer: 37, skipConnection: true },
  'gru with a rectified input layer and a skip': {
    cell: 'gru',
    inputLayer: 19,
    inputActivation: 'relu',
    skipConnection: true,
  },
  'rnn with a skip': { cell: 'rnn', skipConnection: true },
  'gru, reset after': { cell: 'gru' },
  'gru, reset before': { cell: 'gru', gruReset: 'before' },
} as const;

/** Plain inputs, large ones, subnormal ones, zeros of both signs. */
const SCALES = [2, 1e3, 1e-40, 0];

/** A model of odd sizes, its engines over `kernels`, and a random course of steps and runs that they all take. */
class Course {
  readonly engines: readonly Engine[];
  readonly inputSize: number;
  readonly outputSize: number;
  readonly rows: number;
  readonly #random: () => number;
  readonly #slots: readonly Uint32Array[];

  constructor(form: keyof typeof FORMS, seed: number, kernels: Parameters<typeof createSimdEngine>[1]['kernel'][]) {
    const random = mulberry32(seed);
    const upTo = (most: number): number => 1 + Math.floor(random() * most);
    const sizes = { inputSize: upTo(20), hiddenSize: upTo(75), layers: upTo(3), outputSize: upTo(40) };
    // One in five is so wide that its weights are taken in parts.
    if (seed % 5 === 0) Object.assign(sizes, { inputSize: 37, hiddenSize: 180, layers: 2 });
    const spec = { name: 'course', ...FORMS[form], ...sizes };
    const model = createModel(spec, initWeights(spec, random));
    this.rows = upTo(ROWS_MAX);
    this.engines = kernels.map((kernel) =>
      createSimdEngine(model, { slotsMax: ROWS_MAX, ...(kernel === undefined ? {} : { kernel }) }),
    );
    this.#slots = this.engines.map((engine) => Uint32Array.from({ length: this.rows }, () => engine.allocate()));
    this.inputSize = spec.inputSize;
    this.outputSize = spec.outputSize;
    this.#random = random;
  }

  inputs(scale: number, rows: number): Float32Array {
    return Float32Array.from({ length: rows * this.inputSize }, () => (this.#random() * 2 - 1) * scale);
  }

  /** One step of all slots, or a run of the first: each engine's outputs. */
  async take(kind: 'step' | 'run', inputs: Float32Array): Promise<Float32Array[]> {
    const count = inputs.length / this.inputSize;
    const rows = Uint32Array.from({ length: count }, (_, row) => row);
    const all: Float32Array[] = [];
    for (const [i, engine] of this.engines.entries()) {
      const outputs = new Float32Array(count * this.outputSize);
      if (kind === 'step') await engine.step({ slots: this.#slots[i], rows, inputs, outputs });
      else await engine.run({ slot: this.#slots[i][0], rows, inputs, outputs });
      all.push(outputs);
    }
    return all;
  }

  async states(): Promise<Float32Array[]> {
    const all: Float32Array[] = [];
    for (const [i, engine] of this.engines.entries()) {
      const states = new Float32Array(this.rows * engine.stateSize);
      await engine.readStates(this.#slots[i], states);
      all.push(states);
    }
    return all;
  }

  dispose(): void {
    for (const engine of this.engines) engine.dispose();
  }
}

const hashOf = (values: Float32Array): string => createHash('sha256').update(values).digest('hex');

function assertSameBits(all: readonly Float32Array[], what: string): void {
  for (const [i, values] of all.entries())
    assert.equal(hashOf(values), hashOf(all[0]), `${what} of ${i === 0 ? 'wasm' : EXACT[i - 1].name}`);
}

const kernelOf =
  (name: string) =>
  (memory: WasmMemory): ReturnType<typeof loadNativeKernel> =>
    loadNativeKernel(memory, { name });

describe('the native kernel', { skip: SKIP }, () => {
  const kernels = ['wasm' as const, ...EXACT.map(({ name }) => kernelOf(name))];

  for (const form of Object.keys(FORMS) as (keyof typeof FORMS)[])
    test(`has the WebAssembly kernel's bits in outputs and states, steps and runs mixed: ${form}`, async () => {
      for (let seed = 1; seed <= MODELS_EACH; seed += 1) {
        const course = new Course(form, seed, kernels);
        for (const scale of SCALES) {
          const what = `seed ${seed}, inputs to ${scale}`;
          assertSameBits(await course.take('step', course.inputs(scale, course.rows)), `step, ${what}`);
          assertSameBits(await course.take('run', course.inputs(scale, 1 + seed)), `run, ${what}`);
          assertSameBits(await course.states(), `states, ${what}`);
        }
        course.dispose();
      }
    });

  test('keeps a NaN and an infinity to the rows that have them, as the WebAssembly kernel does', async () => {
    for (const form of Object.keys(FORMS) as (keyof typeof FORMS)[]) {
      const course = new Course(form, 3, kernels);
      const inputs = course.inputs(2, course.rows);
      const sound = await course.take('step', inputs);
      const marred = inputs.slice();
      const bad = [0, course.rows >> 1];
      marred[bad[0] * course.inputSize] = Number.NaN;
      marred[bad[1] * course.inputSize + course.inputSize - 1] = Number.NEGATIVE_INFINITY;
      const after = await course.take('step', marred);
      for (const [i, outputs] of after.entries()) {
        const { outputSize } = course;
        for (let at = 0; at < outputs.length; at += 1) {
          const isBad = bad.includes(Math.floor(at / outputSize));
          assert.equal(Number.isNaN(outputs[at]), isBad, `${form}, engine ${i}, output ${at}`);
          // The bits of a NaN are the machine's own; all others agree.
          if (!isBad) assert.ok(Object.is(outputs[at], after[0][at]), `${form}, engine ${i}, output ${at}`);
        }
      }
      assertSameBits(sound, form);
      course.dispose();
    }
  });

  test('serves states that have outgrown the memory it was attached to', async () => {
    const spec = { name: 'grown', cell: 'lstm', inputSize: 3, hiddenSize: 64, layers: 2, outputSize: 2 } as const;
    const model = createModel(spec, initWeights(spec, mulberry32(7)));
    const outputs = kernels.map((kernel) => {
      const engine = createSimdEngine(model, { slotsMax: 4000, kernel });
      const into = new Float32Array(2 * 3000);
      const inputs = new Float32Array(3 * 3000).fill(0.5);
      for (let row = 0; row < 3000; row += 1)
        engine.step({ slots: Uint32Array.of(engine.allocate()), rows: Uint32Array.of(row), inputs, outputs: into });
      return into;
    });
    assertSameBits(outputs, 'outputs');
  });

  test('the fused build is close, and a row has the same bits in any company', {
    skip: FUSED.length === 0,
  }, async () => {
    for (const { name } of FUSED) {
      const course = new Course('lstm', 5, ['wasm', kernelOf(name), kernelOf(name)]);
      const inputs = course.inputs(2, 9);
      const [exact, fused] = await course.take('run', inputs);
      const worst = Math.max(...fused.map((value, i) => Math.abs(value - exact[i])));
      assert.ok(worst < FUSED_ERROR_MAX, `${name} differs by ${worst}`);
      const alone = course.engines[2];
      const slot = alone.allocate();
      for (let row = 0; row < 9; row += 1) {
        const outputs = new Float32Array(9 * course.outputSize);
        await alone.step({ slots: Uint32Array.of(slot), rows: Uint32Array.of(row), inputs, outputs });
        const part = [row * course.outputSize, (row + 1) * course.outputSize] as const;
        assert.deepEqual(outputs.slice(...part), fused.slice(...part), `${name}, step ${row}`);
      }
      course.dispose();
    }
  });

  test('refuses a kind that the processor lacks and a memory that is none', () => {
    const memory = new Memory({ initial: 1 });
    assert.throws(() => loadNativeKernel(memory, { name: 'abacus' }), /runs no abacus kernel, but these: /);
    assert.throws(() => loadNativeKernel({} as WasmMemory), TypeError);
    assert.throws(() => loadNativeKernel(memory, { file: '/nowhere/kernel.node' }), /run 'npm run build'/);
    const { step } = loadNativeKernel(memory);
    assert.throws(() => step('program' as unknown as number, 1), TypeError);
  });
});
