import type { ModelSpec } from '../model.ts';
import type { ClassGroup, HeadSpec } from './head.ts';
import { middleOf, writeQuantiles } from './quantiles.ts';
import { argmax, writeSoftmax } from './softmax.ts';

/** Makes of a model's linear outputs what its head says they are. */
export interface HeadReader {
  /** Outputs of one step, [outputSize] at `at`, from z, [outputSize] at `zAt`. */
  read(z: ArrayLike<number>, zAt: number, outputs: Float32Array, at: number): void;
  /** What a decoder reads of an output at the next step, [feedbackSize], from z: z itself; the middle quantile of each target; 1 at the likeliest class. */
  feedBack(z: ArrayLike<number>, zAt: number, into: Float32Array, at: number): void;
  readonly feedbackSize: number;
}

const LINEAR: HeadSpec = { kind: 'linear' };

/** Values of an output that a decoder reads at its next step. */
export function feedbackSizeOf({ head, outputSize }: Pick<ModelSpec, 'head' | 'outputSize'>): number {
  return head?.kind === 'multi-quantile' ? outputSize / head.levels.length : outputSize;
}

/** Where a group's classes stand among the outputs. */
export interface ClassPlaces extends ClassGroup {
  readonly from: number;
  readonly count: number;
}

/** The groups of a head of classes, one without a name where the head names none; empty for other heads. */
export function classGroupsOf({ head, outputSize }: Pick<ModelSpec, 'head' | 'outputSize'>): readonly ClassPlaces[] {
  if (head?.kind !== 'classes') return [];
  if (head.groups === undefined) return [{ name: '', classes: [], from: 0, count: outputSize }];
  let from = 0;
  return head.groups.map((group) => {
    from += group.classes.length;
    return { ...group, from: from - group.classes.length, count: group.classes.length };
  });
}

/** The reader of a spec's head. Also for the outputs of a streaming engine, which are linear. */
export function headOf(spec: Pick<ModelSpec, 'head' | 'outputSize'>): HeadReader {
  const { head = LINEAR, outputSize } = spec;
  const feedbackSize = feedbackSizeOf(spec);
  switch (head.kind) {
    case 'linear':
      return {
        feedbackSize,
        read: (...place) => copy(outputSize, ...place),
        feedBack: (...place) => copy(outputSize, ...place),
      };
    case 'classes': {
      const groups = classGroupsOf(spec);
      return {
        feedbackSize,
        read(z, zAt, outputs, at) {
          for (const { from, count } of groups) writeSoftmax(z, zAt + from, count, outputs, at + from);
        },
        feedBack(z, zAt, into, at) {
          into.fill(0, at, at + outputSize);
          for (const { from, count } of groups) into[at + from + argmax(z, zAt + from, count)] = 1;
        },
      };
    }
    case 'multi-quantile':
      return quantileReader(head.levels, feedbackSize);
  }
}

/** z and quantiles are [targets][levels]; a target's z_0 is its middle quantile. */
function quantileReader(levels: readonly number[], targets: number): HeadReader {
  const count = levels.length;
  const places = { count, middle: middleOf(levels) };
  return {
    feedbackSize: targets,
    read(z, zAt, outputs, at) {
      const one = new Float64Array(count);
      for (let target = 0; target < targets; target += 1) {
        writeQuantiles(z, zAt + target * count, places, one, 0);
        outputs.set(one, at + target * count);
      }
    },
    feedBack(z, zAt, into, at) {
      for (let target = 0; target < targets; target += 1) into[at + target] = z[zAt + target * count];
    },
  };
}

function copy(n: number, z: ArrayLike<number>, zAt: number, outputs: Float32Array, at: number): void {
  for (let i = 0; i < n; i += 1) outputs[at + i] = z[zAt + i];
}
