/** What models of calls are worth on anybody's labelled calls: a table a question, beside what is known without a network. */
import { CALL_CLASSES, englishWordVectors } from '@tideline/streams';
import type { BacktestResult, Figures, Metric, NamedFigures, ResultTable, SeedFigures } from '../backtest/result.ts';
import { resultCard } from '../backtest/result-files.ts';
import type { RecordFiles } from '../record-files.ts';
import type { TrainedModel, TrainerOptions } from '../trained-model.ts';
import {
  brierScore,
  calibrationError,
  cohenKappa,
  confusionOf,
  reliability,
  reliabilityText,
  unweightedRecall,
  weightedF1,
} from './class-scores.ts';
import { assignedTimes } from './dialogue.ts';
import { encodersOf, type TextReading } from './dialogue-reader.ts';
import { type LabelledCall, readLabelledCalls } from './labelled-calls.ts';
import { type Answer, answersOf, OWN_SETTINGS, prepareCalls, trainOwnCalls } from './own-calls.ts';

export interface CallsBacktest extends RecordFiles, TextReading {
  readonly seeds: readonly number[];
  readonly epochs: number;
  readonly progress: (message: string) => void | Promise<void>;
  /** Of each training. */
  readonly trainer?: Partial<TrainerOptions>;
}

/** Trains a model for each seed on the first calls and scores it on the last. Throws ConfigError where there is too little to learn from. */
export async function backtestCalls({
  records,
  files,
  seeds,
  epochs,
  progress,
  trainer,
  ...reading
}: CallsBacktest): Promise<BacktestResult> {
  const calls = readLabelledCalls(records);
  const own = prepareCalls(calls, reading);
  const { questions, spec, parts } = own;
  const tables: { -readonly [K in keyof ResultTable]: ResultTable[K] }[] = [];
  const notes: string[] = [];
  let trained: BacktestResult['trained'];
  for (const seed of seeds) {
    const { model, epoch, history } = await trainOwnCalls(own, {
      onEpoch: (report) =>
        progress(`seed ${seed}: epoch ${report.epoch}, validation loss ${report.validationLoss.toFixed(4)}`),
      ...{ ...trainer, seed, epochs },
    });
    trained ??= { model, seed, declaration: null, words: englishWordVectors().digest, epochs: history };
    const answers = await answersOf(model, parts[2], own);
    questions.forEach(({ name }, q) => {
      const judged = judgeAnswers(name, answers.get(name) ?? []);
      tables[q] ??= {
        title: judged.title,
        metrics: judged.metrics,
        seeds: [],
        baselines: judged.baselines,
        published: [],
      };
      tables[q].seeds = [...tables[q].seeds, { seed, epoch, figures: judged.figures } satisfies SeedFigures];
      if (seed === seeds[0] && judged.note !== '') notes.push(`${name}, seed ${seed}, ${judged.note}`);
    });
  }
  return {
    name: 'calls',
    task: questions.map(({ name }) => TASKS[name]).join('; '),
    data: { files, ...rangeOf(calls), records: records.length, refused: {} },
    split: `${parts.map(({ length }) => length).join(', ')} calls in their order: training, validation (chooses the epoch, calibrates), test`,
    model: { ...spec, ...OWN_SETTINGS, epochs, ...encodersOf(reading) },
    ...{ tables, tracks: [], notes: [...NOTES, ...notes] },
    ...(trained ? { trained } : {}),
  };
}

/** The model alone, with what it is worth in its card. */
export async function trainOwnModel(
  { records, files }: RecordFiles,
  trainer: TrainerOptions,
  reading: TextReading = {},
): Promise<TrainedModel> {
  const { seed, epochs } = trainer;
  const progress = (): void => undefined;
  const result = await backtestCalls({ records, files, seeds: [seed], epochs, progress, ...reading, trainer });
  if (result.trained === undefined) throw new RangeError('The backtest trained no model.');
  return { model: result.trained.model, card: resultCard(result) };
}

const NOTES = ['Texts are redacted as they are online. Causal: no turn after the judged one is read.'] as const;

const TASKS: Readonly<Record<string, string>> = {
  sentiment: 'sentiment of a turn',
  emotion: 'emotion of a turn',
  escalation: 'whether one of the next turns is negative',
  satisfaction: "rating of the customer's next turn",
  call_satisfaction: 'rating of the whole call',
};

function rangeOf(calls: readonly LabelledCall[]): { from: string; to: string; series: number; steps: number } {
  const turns = calls.flatMap((call) => call.turns);
  const times = turns.flatMap(({ timeMs }) => (timeMs === undefined ? [] : [timeMs]));
  const range = times.length === 0 ? assignedTimes(calls.length) : timeRange(times);
  return { ...range, series: calls.length, steps: turns.length };
}

function timeRange(times: readonly number[]): { readonly from: string; readonly to: string } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (ms: number): string => new Date(ms).toISOString();
  return { from: at(sorted[0]), to: at(sorted[sorted.length - 1]) };
}

interface Judgement {
  readonly title: string;
  readonly metrics: readonly Metric[];
  readonly figures: Figures;
  readonly baselines: readonly NamedFigures[];
  readonly note: string;
}

const FORECAST_METRICS: readonly Metric[] = [
  { name: 'Brier', better: 'lower' },
  { name: 'calibration error', better: 'lower' },
];
const RATING_METRICS: readonly Metric[] = [
  ...[{ name: 'mean absolute error', better: 'lower' } as const, ...FORECAST_METRICS],
  { name: 'UAR', better: 'higher' },
  { name: 'kappa', better: 'higher' },
];

function judgeAnswers(name: string, answers: readonly Answer[]): Judgement {
  if (name === 'sentiment' || name === 'emotion') return judgeClasses(name, answers);
  if (name === 'escalation') return judgeProbability(answers);
  return judgeRatings(name, name === 'call_satisfaction' ? answers.filter(({ isLast }) => isLast) : answers);
}

const likeliest = (shares: readonly number[]): number => shares.indexOf(Math.max(...shares));
const titleOf = (name: string, count: number, at = ''): string => `${TASKS[name]}${at}: ${count} of the test calls`;

function judgeClasses(name: 'sentiment' | 'emotion', answers: readonly Answer[]): Judgement {
  const classes = answers[0]?.target.length ?? 1;
  const truth = answers.map(({ target }) => likeliest(target));
  const f1 = (said: readonly number[]): number => weightedF1(confusionOf(truth, said, classes));
  const counts = Array.from({ length: classes }, (_, c) => truth.filter((one) => one === c).length);
  const usual = {
    name: 'always the most frequent',
    figures: { 'weighted F1': f1(truth.map(() => likeliest(counts))) },
  };
  const lexicon = { name: 'VADER alone', figures: { 'weighted F1': f1(answers.map((one) => one.lexicon)) } };
  return {
    ...{ title: titleOf(name, answers.length), metrics: [{ name: 'weighted F1', better: 'higher' }], note: '' },
    figures: { 'weighted F1': f1(answers.map(({ said }) => likeliest(said))) },
    baselines: name === 'sentiment' && classes === CALL_CLASSES.length ? [usual, lexicon] : [usual],
  };
}

function judgeProbability(answers: readonly Answer[]): Judgement {
  const said = answers.map(({ said: [, yes] }) => yes);
  const came = answers.map(({ target: [, yes] }) => yes > 0.5);
  return {
    ...{ title: titleOf('escalation', answers.length), metrics: FORECAST_METRICS, ...calibrationOf(said, came) },
    baselines: [{ name: 'always the base rate', figures: { Brier: baseBrier(came) } }],
  };
}

function calibrationOf(
  said: readonly number[],
  came: readonly boolean[],
): { readonly figures: Figures; readonly note: string } {
  const bins = reliability(said, came);
  return {
    figures: { Brier: brierScore(said, came), 'calibration error': calibrationError(bins) },
    note: reliabilityText(bins),
  };
}

function judgeRatings(name: string, answers: readonly Answer[]): Judgement {
  const rating = (shares: readonly number[]): number => shares.reduce((sum, share, c) => sum + share * (c + 1), 0);
  const truth = answers.map(({ target }) => rating(target));
  const error = (said: (one: Answer) => number): number =>
    answers.reduce((sum, one, i) => sum + Math.abs(said(one) - truth[i]), 0) / answers.length;
  const came = truth.map((one) => one < 3);
  const calibration = calibrationOf(
    answers.map(({ said }) => said[0] + said[1]),
    came,
  );
  const confusion = confusionOf(
    answers.map(({ target }) => likeliest(target)),
    answers.map(({ said }) => likeliest(said)),
    answers[0]?.target.length ?? 1,
  );
  const sorted = [...truth].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const usual = { 'mean absolute error': error(() => median), Brier: baseBrier(came) };
  return {
    title: titleOf(name, answers.length, name === 'call_satisfaction' ? ' at the last turn' : ''),
    metrics: RATING_METRICS,
    figures: {
      'mean absolute error': error(({ said }) => rating(said)),
      ...calibration.figures,
      ...{ UAR: unweightedRecall(confusion), kappa: cohenKappa(confusion) },
    },
    baselines: [{ name: 'always the median, the base rate', figures: usual }],
    note: `probability of a rating below 3: ${calibration.note}`,
  };
}

function baseBrier(came: readonly boolean[]): number {
  const base = came.filter(Boolean).length / came.length;
  return base * (1 - base);
}
