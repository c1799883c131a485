/** The promised numbers, and what this run says about them. */
import { ONNXRUNTIME, PYTORCH, TENSORFLOW } from './peers.ts';
import type { Target, Throughput, ThroughputCase } from './result.ts';

const WASM = 'simd-wasm';
const NATIVE = 'simd-native';
const MAIN_SHAPE = 'LSTM 16->64x2';
const OF_FMA_PEAK = { fused: 0.75, portable: 0.6 } as const;
const OF_WASM_PEAK = 0.5;
const OVER_TENSORFLOW = 4;
const OVER_PYTORCH = 1;
const WIDE = 512;

/** Steps a second over onnxruntime-node's, by shape and batch. */
interface RatioTarget {
  readonly shape: string;
  readonly from: Target['from'];
  readonly batches: readonly number[];
  readonly wasm: readonly number[];
  readonly native: readonly number[];
}

/** `trial`: what a throw-away kernel in C reached on a processor with AVX-512 (the issue asks for no more than to be within it). */
const RATIOS: readonly RatioTarget[] = [
  {
    ...{ shape: MAIN_SHAPE, from: 'issue', batches: [1, 8, 64, 512] },
    ...{ wasm: [6, 1.5, 0.75, 0.6], native: [13, 4, 2, 1.7] },
  },
  {
    ...{ shape: 'LSTM 8->32x1', from: 'trial', batches: [1, 64, 512] },
    ...{ wasm: [33, 1.6, 1.1], native: [65, 5.2, 3.5] },
  },
  { ...{ shape: 'LSTM 32->128x2', from: 'trial', batches: [1, 512] }, wasm: [2.7, 0.49], native: [4.9, 1.3] },
];

export function judge(cases: readonly ThroughputCase[]): Target[] {
  const names = [...new Set(cases.flatMap(({ contestants }) => contestants.map(({ name }) => name)))];
  const natives = names.filter((name) => name.startsWith(NATIVE));
  const engines = [WASM, ...(natives.length > 0 ? natives : [NATIVE])];
  return engines.flatMap((engine) => [
    ...RATIOS.flatMap((ratio) => ratioTargets(ratio, engine, cases)),
    peakTarget(engine, cases),
    everyWidth({ engine, peer: PYTORCH, needed: OVER_PYTORCH, what: 'ahead of PyTorch eager at every width' }, cases),
    everyWidth(
      { engine, peer: TENSORFLOW, needed: OVER_TENSORFLOW, what: 'over TensorFlow.js wasm at every width' },
      cases,
    ),
  ]);
}

function ratioTargets(ratio: RatioTarget, engine: string, cases: readonly ThroughputCase[]): Target[] {
  const { shape, from, batches } = ratio;
  return batches.map((batch, i) => {
    const found = contestantOf(cases, { shape, batch, engine });
    return target({
      ...{ engine, from, unit: 'x' },
      what: `steps/s over ${ONNXRUNTIME}`,
      needed: (engine === WASM ? ratio.wasm : ratio.native)[i],
      got: found?.over[ONNXRUNTIME]?.median ?? null,
      where: `${shape}, batch ${batch}`,
    });
  });
}

function peakTarget(engine: string, cases: readonly ThroughputCase[]): Target {
  const found = contestantOf(cases, { shape: MAIN_SHAPE, batch: WIDE, engine });
  const where = `${MAIN_SHAPE}, batch ${WIDE}`;
  if (engine === WASM) {
    const what = "of WebAssembly's 128-bit ceiling";
    return target({
      engine,
      from: 'issue',
      unit: '%',
      what,
      needed: OF_WASM_PEAK,
      got: found?.ofWasmPeak ?? null,
      where,
    });
  }
  const needed = /fused|fma/.test(engine) ? OF_FMA_PEAK.fused : OF_FMA_PEAK.portable;
  const what = "of the processor's measured FMA peak";
  return target({ engine, from: 'issue', unit: '%', what, needed, got: found?.ofFmaPeak ?? null, where });
}

/** The case in which the engine is the least ahead. */
function everyWidth(
  wanted: { readonly engine: string; readonly peer: string; readonly needed: number; readonly what: string },
  cases: readonly ThroughputCase[],
): Target {
  const { engine, peer, needed, what } = wanted;
  const found = cases
    .filter(({ batch }) => batch !== null)
    .flatMap(({ title, contestants }) => {
      const ratio = contestants.find(({ name }) => name === engine)?.over[peer]?.median;
      return ratio === undefined ? [] : [{ title, ratio }];
    })
    .toSorted((a, b) => a.ratio - b.ratio)
    .at(0);
  return target({
    ...{ engine, from: 'issue', unit: 'x', what, needed },
    got: found?.ratio ?? null,
    where: found ? `least at ${found.title}` : '',
  });
}

function contestantOf(
  cases: readonly ThroughputCase[],
  wanted: { readonly shape: string; readonly batch: number; readonly engine: string },
): Throughput | undefined {
  return cases
    .find(({ shape, batch }) => shape === wanted.shape && batch === wanted.batch)
    ?.contestants.find(({ name }) => name === wanted.engine);
}

function target(found: Omit<Target, 'verdict'>): Target {
  const { got, needed } = found;
  return { ...found, verdict: got === null ? 'not measured' : got >= needed ? 'pass' : 'fail' };
}
