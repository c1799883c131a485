/** Mean and standard deviation over repeated trainings. */
export interface MeanDeviation {
  readonly mean: number;
  /** With n - 1 below the root; NaN of one value. */
  readonly deviation: number;
}

export function meanDeviation(values: readonly number[]): MeanDeviation {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: n < 2 ? Number.NaN : Math.sqrt(squares / (n - 1)) };
}

/** Figures by the path to them, such as 'all series, horizon 1 pinball': every number that all of the nested objects have. */
export function spreadOfFigures(trees: readonly unknown[]): Record<string, MeanDeviation> {
  const all = trees.map((tree) => new Map(numbersOf(tree, [])));
  const [first = new Map<string, number>()] = all;
  return Object.fromEntries(
    [...first.keys()]
      .filter((path) => all.every((figures) => figures.has(path)))
      .map((path) => [path, meanDeviation(all.map((figures) => figures.get(path) ?? Number.NaN))]),
  );
}

function numbersOf(tree: unknown, path: readonly string[]): [string, number][] {
  if (typeof tree === 'number') return Number.isFinite(tree) ? [[path.join(' '), tree]] : [];
  if (tree === null || typeof tree !== 'object') return [];
  return Object.entries(tree).flatMap(([name, part]) => numbersOf(part, [...path, name]));
}
