import type { ClassPlaces, RowLoss } from '@tideline/nn';

/** What one row should have answered to one question: a share for each class (people may disagree); null: nobody said. */
export type ClassTarget = readonly number[] | null;

export interface GroupLoss {
  readonly group: ClassPlaces;
  /** Of each row of the sequence. */
  readonly targets: readonly ClassTarget[];
  /** Weight of each class; 1 unless said. */
  readonly weights?: readonly number[];
  /** Weight of the question beside the others; 1 unless said. */
  readonly weight?: number;
  /** Share of a target that is spread over all classes (C. Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016); 0 unless said. */
  readonly smoothing?: number;
}

/** Cross-entropy of several groups of classes, summed over the groups that have a target at the row; null where none has. */
export function classLoss(groups: readonly GroupLoss[]): RowLoss {
  return (outputs, row, gradient) => {
    let loss: number | null = null;
    for (const one of groups) {
      const target = one.targets[row];
      if (target !== null) loss = (loss ?? 0) + addGroup(one, target, outputs, gradient);
    }
    return loss;
  };
}

/** loss = -sum_c w_c t_c ln p_c; its gradient is p_c sum_k w_k t_k - w_c t_c. */
function addGroup(one: GroupLoss, target: readonly number[], z: Float64Array, gradient: Float64Array): number {
  const { group, weights, weight = 1, smoothing = 0 } = one;
  const { from, count } = group;
  const p = shares(z, group);
  const pull = target.map((share, c) => (weights?.[c] ?? 1) * weight * (share * (1 - smoothing) + smoothing / count));
  const total = pull.reduce((sum, value) => sum + value, 0);
  let loss = 0;
  for (let c = 0; c < count; c += 1) {
    loss -= pull[c] * Math.log(Math.max(p[c], 1e-12));
    gradient[from + c] += p[c] * total - pull[c];
  }
  return loss;
}

/** How many of the questions that have a target are answered wrongly, each by its weight; null where none has: what chooses an epoch by its errors. */
export function classErrors(groups: readonly GroupLoss[]): RowLoss {
  return (outputs, row) => {
    let errors: number | null = null;
    for (const { group, targets, weight = 1 } of groups) {
      const target = targets[row];
      if (target === null) continue;
      const said = shares(outputs, group);
      const isWrong = said.indexOf(Math.max(...said)) !== target.indexOf(Math.max(...target));
      errors = (errors ?? 0) + (isWrong ? weight : 0);
    }
    return errors;
  };
}

/** Softmax over a group's outputs, which stand at `at`. */
export function shares(z: ArrayLike<number>, { from, count }: Pick<ClassPlaces, 'from' | 'count'>, at = 0): number[] {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < count; c += 1) greatest = Math.max(greatest, z[at + from + c]);
  const raw = Array.from({ length: count }, (_, c) => Math.exp(z[at + from + c] - greatest));
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((value) => value / sum);
}

/** All on one class. */
export function certain(index: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, c) => (c === index ? 1 : 0));
}
