/** What a result says of the data, the split and the model behind its figures. */
import type { Model } from '@tideline/nn';
import { countAlerts, QUANTILE_TRAINING } from '../declared.ts';
import type { BacktestStreamOptions, History } from './backtest-stream.ts';
import { JUMP, jumpNotes, jumpsIn } from './jumps.ts';
import type { BacktestResult, DataRange } from './result.ts';
import { rowsBefore } from './walk-forward.ts';

export function dataOf({ records, files }: BacktestStreamOptions, { read, rows, rowsMin }: History): DataRange {
  const refused = [...read.refused.values()].map(({ count, reason }): [string, number] => [
    `records refused: ${reason}`,
    count,
  ]);
  const short = read.series.length - rows.length;
  const [from, to] = [
    Math.min(...rows.map(({ timeMs }) => timeMs[0])),
    Math.max(...rows.map(({ timeMs }) => timeMs[timeMs.length - 1])),
  ];
  return {
    ...{ files, from: isoOf(from), to: isoOf(to), records: records.length, series: rows.length },
    steps: rows.reduce((sum, one) => sum + one.rows, 0),
    refused: {
      ...Object.fromEntries(refused),
      ...(read.untimely === 0 ? {} : { 'records late or repeated': read.untimely }),
      ...(short === 0 ? {} : { [`series with less than ${rowsMin} steps: no forecast is scored`]: short }),
    },
  };
}

export function splitOf({ folds, rows }: History, model: Model | null): string {
  const blocks = folds.map(({ validationMs, testMs, endMs }) => {
    const steps = rows.reduce((sum, { timeMs }) => sum + rowsBefore(timeMs, endMs) - rowsBefore(timeMs, testMs), 0);
    const training = model === null ? `training before ${isoOf(validationMs)}, validation from there, ` : '';
    return `${training}test from ${isoOf(testMs)} (${steps} steps)`;
  });
  const kind =
    model === null ? `walk-forward, ${folds.length} fold${folds.length === 1 ? '' : 's'}` : 'the model as it is';
  return `${kind}, by time over all series: ${blocks.join('; ')}`;
}

export function modelOf(options: BacktestStreamOptions): BacktestResult['model'] {
  const { model, network, epochs, patience, learningRate } = options;
  if (model !== null) return { ...model.spec, digest: model.digest };
  return { ...network, epochs, patience, learningRate, ...QUANTILE_TRAINING };
}

export function notesOf({ declaration, model }: BacktestStreamOptions, { output, series, rows }: History): string[] {
  const notes = [
    'pinball: mean over the levels, in units of the stream times the root of the horizon. MASE: error of the middle forecast as a ' +
      'share of what the last value missed by before the test.',
  ];
  const jumps = series.reduce((sum, { log }) => sum + jumpsIn(log), 0);
  notes.push(
    ...jumpNotes(jumps, output.of, `Use an adjusted column, or {op: split_guard, of: ${output.of}, jump: ${JUMP}}.`),
  );
  for (const [kind, count] of Object.entries(countAlerts(declaration, rows)))
    if (count > 0) notes.push(`${count} alerts of kind ${kind}: their returns count as 0.`);
  if (model !== null) notes.push('The model may have learnt from these records: its card says from which.');
  return notes;
}

function isoOf(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text;
}
