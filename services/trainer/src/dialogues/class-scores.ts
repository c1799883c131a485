/** Scores of classes said against classes that were true, and of probabilities against what came. */

/** [true class][said class] */
export type Confusion = readonly (readonly number[])[];

export function confusionOf(truth: readonly number[], said: readonly number[], classes: number): Confusion {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  truth.forEach((value, i) => {
    counts[value][said[i]] += 1;
  });
  return counts;
}

/** F1 of each class, weighted by how often it was true. */
export function weightedF1(confusion: Confusion): number {
  const total = sumOf(confusion.map(sumOf));
  return sumOf(confusion.map((row, c) => (sumOf(row) / total) * f1Of(confusion, [c])));
}

/** F1 of "one of these classes". */
export function f1Of(confusion: Confusion, classes: readonly number[]): number {
  const isOne = (c: number): boolean => classes.includes(c);
  let [hits, truths, said] = [0, 0, 0];
  confusion.forEach((row, t) => {
    row.forEach((count, s) => {
      if (isOne(t) && isOne(s)) hits += count;
      if (isOne(t)) truths += count;
      if (isOne(s)) said += count;
    });
  });
  return truths + said === 0 ? 0 : (2 * hits) / (truths + said);
}

/** Mean recall over the classes that were ever true. */
export function unweightedRecall(confusion: Confusion): number {
  const recalls = confusion.flatMap((row, c) => (sumOf(row) === 0 ? [] : [row[c] / sumOf(row)]));
  return sumOf(recalls) / recalls.length;
}

/** J. Cohen, "A Coefficient of Agreement for Nominal Scales", 1960. */
export function cohenKappa(confusion: Confusion): number {
  const total = sumOf(confusion.map(sumOf));
  const agreed = sumOf(confusion.map((row, c) => row[c])) / total;
  const chance = sumOf(confusion.map((row, c) => (sumOf(row) / total) * (sumOf(confusion.map((r) => r[c])) / total)));
  return chance === 1 ? 0 : (agreed - chance) / (1 - chance);
}

/** A bin of a reliability table: what was said on average, and how often it came. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly said: number;
  readonly came: number;
}

/** Bins of equal width over [0, 1]; empty ones are left out. */
export function reliability(said: readonly number[], came: readonly boolean[], bins = 10): ReliabilityBin[] {
  return Array.from({ length: bins }, (_, b) => {
    const inside = said.flatMap((p, i) => (Math.min(bins - 1, Math.floor(p * bins)) === b ? [i] : []));
    const mean = (value: (i: number) => number): number => sumOf(inside.map(value)) / inside.length;
    const shares = { said: mean((i) => said[i]), came: mean((i) => (came[i] ? 1 : 0)) };
    return { from: b / bins, to: (b + 1) / bins, count: inside.length, ...shares };
  }).filter(({ count }) => count > 0);
}

/** One line for people. */
export function reliabilityText(bins: readonly ReliabilityBin[]): string {
  return bins.map(({ said, came, count }) => `said ${said.toFixed(3)} came ${came.toFixed(3)} (${count})`).join('; ');
}

/** Mean distance between what was said and how often it came, weighted by the bins' counts (expected calibration error). */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  const total = sumOf(bins.map(({ count }) => count));
  return sumOf(bins.map(({ count, said, came }) => (count / total) * Math.abs(said - came)));
}

/** Mean squared distance of a probability from what came (G. Brier, 1950). */
export function brierScore(said: readonly number[], came: readonly boolean[]): number {
  return sumOf(said.map((p, i) => (p - (came[i] ? 1 : 0)) ** 2)) / said.length;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
