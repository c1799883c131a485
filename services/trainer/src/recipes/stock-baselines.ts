import type { NamedFigures } from '../backtest/result.ts';
import { leastSquares } from '../least-squares.ts';
import type { SeriesRows } from '../series-rows.ts';
import { movementFigures, type Part } from './movements.ts';
import { answersOf, type Task } from './stock-task.ts';

/** Place of the day's return of the adjusted close among the inputs. */
const RETURN_AT = 4;

/** What says a direction without a network, scored on the movements of a part; what is fitted, is fitted on the parts `fitted`. */
export function movementBaselines(task: Task, part: Part, fitted: readonly Part[]): NamedFigures[] {
  const move = (one: SeriesRows, row: number): number => one.inputs[row * task.inputSize + RETURN_AT];
  const scored = (name: string, score: (one: SeriesRows, row: number) => number): NamedFigures => ({
    name,
    figures: movementFigures(answersOf(task, score)[part]),
  });
  return [
    scored('always up', () => 1),
    scored('as the last day', move),
    scored('against the last day', (one, row) => -move(one, row)),
    scored('linear, the same inputs', linear(task, fitted)),
  ];
}

/** Least squares of +-1 on a row's inputs, over the movements of some parts. */
function linear(
  { series, inputSize, labels }: Task,
  fitted: readonly Part[],
): (one: SeriesRows, row: number) => number {
  const columns = inputSize + 1;
  const x: number[] = [];
  const y: number[] = [];
  for (const one of series)
    labels.get(one)?.forEach((label, row) => {
      if (!label || !fitted.includes(label.part)) return;
      x.push(1, ...one.inputs.subarray(row * inputSize, (row + 1) * inputSize));
      y.push(label.up ? 1 : -1);
    });
  const b = leastSquares(x, y, { columns });
  return (one, row) => {
    let sum = b[0];
    for (let i = 0; i < inputSize; i += 1) sum += b[i + 1] * one.inputs[row * inputSize + i];
    return sum;
  };
}
