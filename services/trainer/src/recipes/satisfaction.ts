/**
 * A customer's satisfaction, forecast before they speak: dialogues with a task (MWOZ, SGD), the next user turn rated 1 to 5 by three people or more. Ten
 * folds by dialogue; in each the next fold chooses epoch, calibration and threshold, eight train.
 */
import { join } from 'node:path';
import { readRecordFile } from '@tideline/adapters';
import type { Model } from '@tideline/nn';
import { SATISFACTION_CLASSES } from '@tideline/streams';
import { pipelinePass } from '../backtest/pipeline-pass.ts';
import type { BacktestResult, Figures, Metric, NamedFigures, ResultTable, SeedFigures } from '../backtest/result.ts';
import { calibrated, type JudgedRow } from '../dialogues/calibrate.ts';
import { type CallNetwork, callSpec, type Question, trainCallModel } from '../dialogues/call-model.ts';
import { type ClassTarget, certain, shares } from '../dialogues/class-loss.ts';
import {
  brierScore,
  calibrationError,
  cohenKappa,
  confusionOf,
  f1Of,
  type ReliabilityBin,
  reliability,
  reliabilityText,
  unweightedRecall,
} from '../dialogues/class-scores.ts';
import { assignedTimes, callRecords, type Dialogue } from '../dialogues/dialogue.ts';
import {
  createDialogueReader,
  type DialogueReader,
  encodersOf,
  type TextReading,
  trainedStream,
} from '../dialogues/dialogue-reader.ts';
import { sha256Of } from '../record-files.ts';
import type { Recipe, RecipeOptions } from './recipe.ts';

export const satisfaction: Recipe = {
  name: 'satisfaction',
  summary:
    "a customer's satisfaction at their next turn, before it comes: UAR, kappa and F1 of the dissatisfied over ten folds",
  folder: 'satisfaction-uss',
  files: ['mwoz.jsonl', 'sgd.jsonl'],
  hasTexts: true,
  run,
};

const CLASSES = SATISFACTION_CLASSES.length;
/** Rating 3, which most turns have. */
const USUAL = 2;
const FOLDS = 10;
const NETWORK: CallNetwork = { buckets: 4_096, embedding: 32, inputLayer: 64, hiddenSize: 48 };
/** Weight of every rating but 3 in training. */
const RARE_WEIGHT = 8;
const SETTINGS = {
  epochs: 6,
  batchSequences: 16,
  learningRate: 1e-3,
  weightDecay: 1e-4,
  averaging: 0.998,
  clipNorm: 5,
  dropout: { inputs: 0.3, betweenLayers: 0.3, beforeHead: 0.3 },
} as const;
/** Logarithms by which 3 is made likelier than it is at the choice of a rating. */
const THRESHOLDS = Array.from({ length: 31 }, (_, i) => -4 + i * 0.15);
/** A threshold is judged by these many neighbours on each side, too: a fold has few dissatisfied. */
const NEIGHBOURS = 2;

interface RatedDialogue extends Dialogue {
  readonly fold: number;
  /** Of each turn: shares of the ratings of what is rated next, the user's next turn or at the end the whole; null: nothing is rated next. */
  readonly next: readonly ClassTarget[];
  /** Majority label of the same, 0 to 4; -1. */
  readonly label: readonly number[];
  /** Labels of what is rated before any turn: nothing can be known of it. */
  readonly first: readonly number[];
  readonly overall: ClassTarget;
}

const QUESTIONS: readonly Question[] = [
  {
    ...{ name: 'satisfaction', classes: SATISFACTION_CLASSES },
    weights: SATISFACTION_CLASSES.map((_, c) => (c === USUAL ? 1 : RARE_WEIGHT)),
    targetsOf: (dialogue) => (dialogue as RatedDialogue).next,
  },
  {
    ...{ name: 'call_satisfaction', classes: SATISFACTION_CLASSES, weight: 0.3 },
    targetsOf: (dialogue) => dialogue.turns.map(() => (dialogue as RatedDialogue).overall),
  },
];
const WEIGHTS = QUESTIONS.map(({ weights }) => weights);
const NAME = 'calls-satisfaction';

async function run({ folder, seeds, progress, signal, ...reading }: RecipeOptions): Promise<BacktestResult> {
  const tables: ResultTable[] = [];
  const notes: string[] = [];
  const files: { file: string; sha256: string }[] = [];
  let [turns, series] = [0, 0];
  for (const file of satisfaction.files) {
    const path = join(folder, file);
    files.push({ file, sha256: await sha256Of(path) });
    const dialogues = await readRated(path);
    const reader = createDialogueReader({ name: NAME, network: NETWORK, questions: QUESTIONS }, reading);
    turns += dialogues.reduce((sum, one) => sum + one.turns.length, 0);
    series += dialogues.length;
    const found: Judged[] = [];
    for (const seed of seeds) {
      const judged = await foldsOf(
        dialogues,
        { reader, reading },
        seed,
        (fold) => progress(`${file}, seed ${seed}: fold ${fold + 1} of ${FOLDS}`),
        signal,
      );
      found.push(judged);
      await progress(`${file}, seed ${seed}: ${text(judged.figures.figures)}`);
    }
    tables.push({
      title: `${file.replace('.jsonl', '')}: rating of the next user turn and of the whole, ${found[0].said.length} of them`,
      metrics: metricsOf(file),
      seeds: found.map(({ figures }) => figures),
      baselines: [
        { name: 'always 3', figures: { UAR: 0.2, kappa: 0, 'F1 dissatisfied': 0, Brier: found[0].baseBrier } },
      ],
      published: PUBLISHED[file] ?? [],
    });
    notes.push(`${file}, seed ${seeds[0]}, probability of a rating of 1 or 2: ${reliabilityText(found[0].bins)}`);
  }
  const range = { ...assignedTimes(series), records: turns + 2 * series, series, steps: turns, refused: {} };
  return {
    name: satisfaction.name,
    task: "rating (1 to 5) of the user's next turn, forecast at the turn before it; the whole dialogue's at its last turn",
    data: { files, ...range },
    split:
      'ten folds of dialogues: eight train, the fold after the tested one chooses epoch, temperature and threshold, all ten test parts are pooled',
    model: { ...callSpec(NAME, NETWORK, QUESTIONS), ...SETTINGS, rareWeight: RARE_WEIGHT, ...encodersOf(reading) },
    tables,
    tracks: [],
    notes: [
      'The sets have no times: turns are given one every 5 s. A first turn that the user begins with is said to be a 3.',
      "Published scores are each metric's best of 100 epochs on the test folds themselves; here the validation fold chooses.",
      ...notes,
    ],
  };
}

interface Judged {
  readonly figures: SeedFigures;
  readonly said: readonly number[];
  readonly bins: readonly ReliabilityBin[];
  readonly baseBrier: number;
}

/** All ten folds of one seed, pooled. */
async function foldsOf(
  dialogues: readonly RatedDialogue[],
  { reader, reading }: { readonly reader: DialogueReader; readonly reading: TextReading },
  seed: number,
  progress: (fold: number) => void | Promise<void>,
  signal: AbortSignal | undefined,
): Promise<Judged> {
  const [truth, said, unhappy]: [number[], number[], number[]] = [[], [], []];
  for (let fold = 0; fold < FOLDS; fold += 1) {
    await progress(fold);
    const part = (folds: (fold: number) => boolean): RatedDialogue[] =>
      dialogues.filter((dialogue) => folds(dialogue.fold));
    const chooses = (fold + 1) % FOLDS;
    const validation = part((one) => one === chooses);
    const train = part((one) => one !== fold && one !== chooses);
    const stops = signal ? { signal } : {};
    const { spec, encoder, read } = await reader({ train, validation, seed: seed * 100 + fold, ...stops });
    const { model } = await trainCallModel({
      ...{ spec, questions: QUESTIONS, settings: SETTINGS, seed: seed * 100 + fold },
      ...{ train: await read(train), validation: await read(validation), ...stops },
      ...(encoder ? { encoder } : {}),
    });
    const calm = calibrated(model, await judgedRows(model, validation, reading), WEIGHTS, { offsets: true });
    const threshold = bestThreshold(await judgedRows(calm, validation, reading));
    const test = part((one) => one === fold);
    for (const { p, label } of ratingsOf(await judgedRows(calm, test, reading))) {
      truth.push(label);
      said.push(choiceOf(p, threshold));
      unhappy.push(p[0] + p[1]);
    }
    for (const dialogue of test)
      for (const label of dialogue.first) {
        truth.push(label);
        said.push(USUAL);
        unhappy.push(0);
      }
  }
  const came = truth.map((label) => label < USUAL);
  const base = came.filter(Boolean).length / came.length;
  const bins = reliability(unhappy, came);
  const brier = { Brier: brierScore(unhappy, came), 'calibration error': calibrationError(bins) };
  const figures = { ...scoresOf(truth, said), ...brier };
  return { figures: { seed, figures }, said, bins, baseBrier: base * (1 - base) };
}

function scoresOf(truth: readonly number[], said: readonly number[]): Figures {
  const confusion = confusionOf(truth, said, CLASSES);
  return { UAR: unweightedRecall(confusion), kappa: cohenKappa(confusion), 'F1 dissatisfied': f1Of(confusion, [0, 1]) };
}

interface RatedRow extends JudgedRow {
  readonly label: number;
}

/** What the pipeline emits over the dialogues: the turns before something that is rated. */
async function judgedRows(
  model: Model,
  dialogues: readonly RatedDialogue[],
  reading: TextReading,
): Promise<RatedRow[]> {
  const stream = trainedStream(model, reading);
  const records = dialogues.flatMap(callRecords);
  const { series } = await pipelinePass({ stream, model, records });
  const byKey = new Map(series.map((one) => [one.key, one]));
  return dialogues.flatMap(({ id, next, label, overall }) => {
    const outputs = byKey.get(id)?.outputs ?? new Float32Array();
    const size = model.spec.outputSize;
    return next.flatMap((target, t) =>
      target === null
        ? []
        : [
            {
              outputs: outputs.subarray(t * size, (t + 1) * size),
              targets: [certain(label[t], CLASSES), overall],
              label: label[t],
            },
          ],
    );
  });
}

function ratingsOf(rows: readonly RatedRow[]): { readonly p: readonly number[]; readonly label: number }[] {
  return rows.map(({ outputs, label }) => ({ p: shares(outputs, { from: 0, count: CLASSES }), label }));
}

/** The likeliest rating, with 3 counted e^threshold times as likely. */
function choiceOf(p: readonly number[], threshold: number): number {
  const scores = p.map((share, c) => (c === USUAL ? share * Math.exp(threshold) : share));
  return scores.indexOf(Math.max(...scores));
}

/** That with the greatest product of the three scores: each counts by its share, however small its numbers are. */
function bestThreshold(rows: readonly RatedRow[]): number {
  const ratings = ratingsOf(rows);
  const truth = ratings.map(({ label }) => label);
  const worth = THRESHOLDS.map((threshold) => {
    const scores = scoresOf(
      truth,
      ratings.map(({ p }) => choiceOf(p, threshold)),
    );
    return Object.values(scores).reduce((product, value) => product * Math.max(0, value), 1);
  });
  const smooth = worth.map((_, i) => {
    const near = worth.slice(Math.max(0, i - NEIGHBOURS), i + NEIGHBOURS + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
  return THRESHOLDS[smooth.indexOf(Math.max(...smooth))];
}

interface UssRow {
  readonly dialogue: string;
  readonly fold: number;
  readonly seq: number;
  readonly role: 'user' | 'system';
  readonly text: string | number;
  readonly ratings?: readonly number[];
  readonly label?: number;
  readonly overall?: boolean;
}

async function readRated(path: string): Promise<RatedDialogue[]> {
  const byId = new Map<string, UssRow[]>();
  for await (const { value } of readRecordFile({ path, topic: 'calls', keyField: 'dialogue', map: {} })) {
    const row = JSON.parse(value) as UssRow;
    byId.set(row.dialogue, [...(byId.get(row.dialogue) ?? []), row]);
  }
  return [...byId].map(([id, rows]) =>
    ratedDialogue(
      id,
      rows.sort((a, b) => a.seq - b.seq),
    ),
  );
}

function ratedDialogue(id: string, rows: readonly UssRow[]): RatedDialogue {
  const spoken = rows.filter(({ overall }) => !overall);
  const next: ClassTarget[] = spoken.map(() => null);
  const label = spoken.map(() => -1);
  const first: number[] = [];
  let [turn, whole]: [number, ClassTarget] = [-1, null];
  for (const row of rows) {
    const target = row.label === undefined ? null : ratingShares(row.ratings ?? [row.label]);
    if (target !== null && turn === -1) first.push(Number(row.label) - 1);
    if (target !== null && turn >= 0) [next[turn], label[turn]] = [target, Number(row.label) - 1];
    if (row.overall) whole = target;
    else turn += 1;
  }
  const turns = spoken.map(({ role, text: said }) => ({
    speaker: role === 'user' ? 'customer' : 'agent',
    text: String(said),
  }));
  return { id, turns, fold: spoken[0].fold, next, label, first, overall: whole };
}

function ratingShares(ratings: readonly number[]): readonly number[] {
  return SATISFACTION_CLASSES.map((_, c) => ratings.filter((rating) => rating === c + 1).length / ratings.length);
}

function metricsOf(file: string): readonly Metric[] {
  const [uar, kappa, f1] = TARGETS[file] ?? [];
  const higher = (name: string, target: number | undefined): Metric => ({
    ...{ name, better: 'higher' },
    ...(target === undefined ? {} : { target }),
  });
  return [
    higher('UAR', uar),
    higher('kappa', kappa),
    higher('F1 dissatisfied', f1),
    { name: 'Brier', better: 'lower' },
    { name: 'calibration error', better: 'lower' },
  ];
}

const TARGETS: Readonly<Record<string, readonly number[]>> = {
  'mwoz.jsonl': [0.257, 0.1, 0.17],
  'sgd.jsonl': [0.298, 0.122, 0.21],
};
const SOURCE =
  'W. Sun et al., "Simulating User Satisfaction for the Evaluation of Task-oriented Dialogue Systems", SIGIR 2021; best epoch on the test folds';

function publishedRow(name: string, [uar, kappa, f1]: readonly number[]): NamedFigures {
  return { name, figures: { UAR: uar, kappa, 'F1 dissatisfied': f1 }, source: SOURCE };
}

const PUBLISHED: Readonly<Record<string, readonly NamedFigures[]>> = {
  'mwoz.jsonl': [
    publishedRow('SVM', [0.215, 0.03, 0.021]),
    publishedRow('GRU', [0.231, 0.105, 0.167]),
    publishedRow('HiGRU', [0.225, 0.143, 0.238]),
    publishedRow('BERT', [0.256, 0.133, 0.224]),
  ],
  'sgd.jsonl': [
    publishedRow('SVM', [0.23, 0.074, 0.02]),
    publishedRow('GRU', [0.245, 0.072, 0.027]),
    publishedRow('HiGRU', [0.293, 0.118, 0.086]),
    publishedRow('BERT', [0.261, 0.094, 0.048]),
  ],
};

function text(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value.toFixed(3)}`)
    .join(', ');
}
