/**
 * Sentiment and emotion of each utterance of a conversation, from what was said up to it and nothing later (MELD), and the probability that one of the
 * next utterances is negative.
 */
import { join } from 'node:path';
import { classGroupsOf, type Model, mergeMembers } from '@tideline/nn';
import { CALL_CLASSES, CALL_CONTEXT, ESCALATION_TURNS, sentimentClass, YES_NO } from '@tideline/streams';
import { pipelinePass, type SeriesPass } from '../backtest/pipeline-pass.ts';
import type { BacktestResult, Figures, Metric, NamedFigures, ResultTable, SeedFigures } from '../backtest/result.ts';
import { calibrated } from '../dialogues/calibrate.ts';
import { type CallNetwork, callSpec, type Question, trainCallModel } from '../dialogues/call-model.ts';
import { turnsNegative } from '../dialogues/call-questions.ts';
import { certain, shares } from '../dialogues/class-loss.ts';
import {
  brierScore,
  calibrationError,
  confusionOf,
  type ReliabilityBin,
  reliability,
  reliabilityText,
  weightedF1,
} from '../dialogues/class-scores.ts';
import { assignedTimes, callRecords } from '../dialogues/dialogue.ts';
import {
  createDialogueReader,
  type DialogueReader,
  encodersOf,
  type TextReading,
  trainedStream,
} from '../dialogues/dialogue-reader.ts';
import { sha256Of } from '../record-files.ts';
import { EMOTIONS, readSpoken, reversed, type SpokenDialogue } from './meld-dialogues.ts';
import type { Recipe, RecipeOptions } from './recipe.ts';

const PARTS = ['train', 'dev', 'test'] as const;

export const meld: Recipe = {
  name: 'meld',
  summary:
    'sentiment and emotion of each utterance of a conversation without its future, and whether it turns negative: weighted F1',
  folder: 'sentiment-meld',
  files: PARTS.map((part) => `${part}_sent_emo.csv`),
  hasTexts: true,
  run,
};

const NETWORK: CallNetwork = {
  buckets: 4_096,
  embedding: 64,
  inputLayer: 192,
  inputActivation: 'relu',
  hiddenSize: 96,
};
const SETTINGS = {
  epochs: 10,
  batchSequences: 16,
  learningRate: 1e-3,
  weightDecay: 1e-4,
  averaging: 0.998,
  clipNorm: 5,
  dropout: { entries: 0.4, inputs: 0.3, betweenLayers: 0.5, beforeHead: 0.5 },
} as const;
const SMOOTHING = 0.05;
/** Networks of a seed, merged into one model. */
const MEMBERS: number = 3;
const AHEAD = ESCALATION_TURNS;

const QUESTIONS: readonly Question[] = [
  {
    ...{ name: 'sentiment', classes: CALL_CLASSES, smoothing: SMOOTHING },
    targetsOf: (dialogue) => (dialogue as SpokenDialogue).sentiment.map((c) => certain(c, CALL_CLASSES.length)),
  },
  {
    ...{ name: 'emotion', classes: EMOTIONS, smoothing: SMOOTHING },
    targetsOf: (dialogue) => (dialogue as SpokenDialogue).emotion.map((c) => certain(c, EMOTIONS.length)),
  },
  {
    ...{ name: 'escalation', classes: YES_NO, weight: 0.2 },
    targetsOf: (dialogue) =>
      turnsNegative((dialogue as SpokenDialogue).sentiment).map((comes) =>
        comes === null ? null : certain(comes ? 1 : 0, 2),
      ),
  },
];
const NAME = 'calls-meld';

const METRICS: readonly Metric[] = [
  { name: 'F1 sentiment', better: 'higher', target: 0.67 },
  { name: 'F1 emotion', better: 'higher', target: 0.575 },
];
const AHEAD_METRICS: readonly Metric[] = [
  { name: 'Brier', better: 'lower' },
  { name: 'calibration error', better: 'lower' },
];
const FUTURE = 'text only; reads the utterances after the judged one too, which a stream cannot';
const PUBLISHED: readonly NamedFigures[] = [
  { name: 'text-CNN', figures: { 'F1 sentiment': 0.643 }, source: 'S. Poria et al., ACL 2019; quoted from memory' },
  { name: 'bc-LSTM', figures: { 'F1 emotion': 0.564 }, source: `S. Poria et al., "MELD", ACL 2019; ${FUTURE}` },
  { name: 'DialogueRNN', figures: { 'F1 emotion': 0.57 }, source: `N. Majumder et al., AAAI 2019; ${FUTURE}` },
];

async function run(options: RecipeOptions): Promise<BacktestResult> {
  const { folder, seeds, progress } = options;
  const paths = meld.files.map((file) => join(folder, file));
  const files: { file: string; sha256: string }[] = [];
  const parts: SpokenDialogue[][] = [];
  for (const [i, path] of paths.entries()) {
    files.push({ file: meld.files[i], sha256: await sha256Of(path) });
    parts.push(await readSpoken(path, PARTS[i]));
  }
  const mirrored = parts.map((part) => part.map(reversed));
  const reader = createDialogueReader({ name: NAME, network: NETWORK, questions: QUESTIONS }, options);
  const found: Judged[] = [];
  for (const seed of seeds) {
    const one = await saidOfTest(parts, reader, { ...options, seed, name: `seed ${seed}` });
    const back = await saidOfTest(mirrored, reader, { ...options, seed, name: `seed ${seed}, backwards` });
    const judged = judge(one.said, back.said, { seed, epoch: one.epoch });
    found.push(judged);
    await progress(
      `seed ${seed}: ${Object.entries(judged.seed.figures)
        .map(([name, value]) => `${name} ${value.toFixed(4)}`)
        .join(', ')}`,
    );
  }
  const dialogues = parts.flat();
  const steps = dialogues.reduce((sum, { turns }) => sum + turns.length, 0);
  return {
    name: meld.name,
    task: `sentiment (3) and emotion (7) of an utterance from it and those before; whether one of the next ${AHEAD} is negative`,
    data: {
      files,
      ...assignedTimes(dialogues.length),
      records: steps + 2 * dialogues.length,
      series: dialogues.length,
      steps,
      refused: {},
    },
    split: "the set's own: train, dev (chooses the epoch and the temperatures), test",
    model: {
      ...{ ...callSpec(NAME, NETWORK, QUESTIONS), ...SETTINGS, smoothing: SMOOTHING, members: MEMBERS },
      ...encodersOf(options),
    },
    tables: tablesOf(found),
    tracks: [],
    notes: [
      'Causal: no utterance after the judged one is read. Utterances come in the order of Utterance_ID; event times are assigned.',
      'In both directions: a second network, trained on the dialogues backwards, and the geometric mean of what the two say.',
      `Seed ${seeds[0]}, probability that one of the next ${AHEAD} utterances is negative: ${reliabilityText(found[0].bins)}`,
    ],
  };
}

/** Trains the members of an ensemble on the first part, each chosen by the second, and lets them speak of the third as one model. */
async function saidOfTest(
  [train, validation, test]: readonly SpokenDialogue[][],
  reader: DialogueReader,
  { progress, signal, seed, name, ...reading }: RecipeOptions & { readonly seed: number; readonly name: string },
): Promise<{ readonly said: Said[]; readonly epoch: number }> {
  const members: Model[] = [];
  const stops = signal ? { signal } : {};
  const { spec, encoder, read } = await reader({
    ...{ train, validation, seed, ...stops },
    onEpoch: ({ epoch, epochs, validationLoss }) =>
      progress(`${name}, text encoder: epoch ${epoch} of ${epochs}, errors ${validationLoss.toFixed(3)}`),
  });
  const rows = { train: await read(train), validation: await read(validation) };
  let chosen = 0;
  for (let member = 0; member < MEMBERS; member += 1) {
    const { model, epoch } = await trainCallModel({
      ...{ spec, ...rows, questions: QUESTIONS, settings: SETTINGS, chosenBy: 'errors', ...stops },
      ...(encoder ? { encoder } : {}),
      // No other seed's members have the same.
      seed: seed * MEMBERS + member,
      onEpoch: ({ epoch: at, epochs, validationLoss }) =>
        progress(
          `${name}, member ${member + 1} of ${MEMBERS}: epoch ${at} of ${epochs}, errors ${validationLoss.toFixed(3)}`,
        ),
    });
    members.push(model);
    if (member === 0) chosen = epoch;
  }
  const model = await calm(mergeMembers(NAME, members), validation, reading);
  return { said: await saidOf(model, test, reading), epoch: chosen };
}

function tablesOf(found: readonly Judged[]): ResultTable[] {
  const [{ lexicon, majority, base }] = found;
  const mean = (name: string): number => found.reduce((sum, { seed }) => sum + seed.figures[name], 0) / found.length;
  const causal = Object.fromEntries(METRICS.map(({ name }) => [name, mean(name)]));
  return [
    {
      title: 'utterances of the test dialogues, weighted F1',
      ...{ metrics: METRICS, published: PUBLISHED, seeds: found.map(({ seed }) => seed) },
      baselines: [
        { name: 'VADER alone', figures: { 'F1 sentiment': lexicon } },
        { name: 'always neutral', figures: { 'F1 emotion': majority } },
      ],
    },
    {
      title: 'the same at the end of the dialogue, in both directions: what the future is worth',
      metrics: METRICS.map(({ name, better }) => ({ name, better })),
      ...{ published: [], seeds: found.map(({ ended }) => ended) },
      baselines: [
        { name: 'as it is said', figures: causal },
        ...(found.length < 2
          ? []
          : [{ name: 'two causal networks, averaged', figures: pairFigures(found[0], found[1]) }]),
      ],
    },
    {
      title: `one of the next ${AHEAD} utterances is negative, test dialogues`,
      ...{ metrics: AHEAD_METRICS, published: [], seeds: found.map(({ ahead }) => ahead) },
      baselines: [{ name: 'always the base rate', figures: { Brier: base * (1 - base) } }],
    },
  ];
}

/** What two networks say together, without the future: the share of the gain at the end that is only that of averaging. */
function pairFigures(one: Judged, other: Judged): Figures {
  return figuresOf(one.said.map((said, i) => averaged(said, other.said[i])));
}

/** The model with the temperatures of the validation part. */
async function calm(model: Model, validation: readonly SpokenDialogue[], reading: TextReading): Promise<Model> {
  const size = model.spec.outputSize;
  const judged = (await passOf(model, validation, reading)).flatMap(({ dialogue, pass }) => {
    const targets = QUESTIONS.map(({ targetsOf }) => targetsOf(dialogue));
    return dialogue.turns.map((_, t) => ({
      outputs: pass.outputs.subarray(t * size, (t + 1) * size),
      targets: targets.map((of) => of[t]),
    }));
  });
  return calibrated(model, judged, []);
}

interface Judged {
  readonly seed: SeedFigures;
  readonly ended: SeedFigures;
  readonly ahead: SeedFigures;
  readonly said: readonly Said[];
  readonly bins: readonly ReliabilityBin[];
  /** Weighted F1 of the baselines, and how often a negative utterance follows. */
  readonly lexicon: number;
  readonly majority: number;
  readonly base: number;
}

/** What was said of a dialogue: of each turn, the probabilities of each question's classes; the lexicon's class. */
interface Said {
  readonly dialogue: SpokenDialogue;
  readonly shares: readonly (readonly (readonly number[])[])[];
  readonly lexicon: readonly number[];
}

async function saidOf(model: Model, dialogues: readonly SpokenDialogue[], reading: TextReading): Promise<Said[]> {
  const size = model.spec.outputSize;
  const groups = classGroupsOf(model.spec);
  const stream = trainedStream(model, reading);
  return (await passOf(model, dialogues, reading)).map(({ dialogue, pass }) => ({
    dialogue,
    shares: dialogue.turns.map((_, t) => groups.map((group) => shares(pass.outputs, group, t * size))),
    lexicon: dialogue.turns.map((_, t) => sentimentClass(pass.context[t * stream.contextSize + CALL_CONTEXT.compound])),
  }));
}

/** Geometric mean of what two networks say, not brought to sum 1: only the greatest is asked for. */
function averaged(one: Said, other: Said): Said {
  const mean = (p: readonly number[], q: readonly number[]): number[] => p.map((share, c) => Math.sqrt(share * q[c]));
  return {
    ...one,
    shares: one.shares.map((groups, t) => groups.map((group, g) => mean(group, other.shares[t][g]))),
  };
}

function unreversed(said: Said): Said {
  return {
    dialogue: reversed(said.dialogue),
    shares: [...said.shares].reverse(),
    lexicon: [...said.lexicon].reverse(),
  };
}

const f1 = (truth: readonly number[], said: readonly number[], classes: number): number =>
  weightedF1(confusionOf(truth, said, classes));

function figuresOf(all: readonly Said[]): Figures {
  const [sentiment, emotion] = [0, 1].map((g) =>
    all.flatMap(({ shares: of }) => of.map((groups) => groups[g].indexOf(Math.max(...groups[g])))),
  );
  return {
    'F1 sentiment': f1(
      all.flatMap(({ dialogue }) => dialogue.sentiment),
      sentiment,
      CALL_CLASSES.length,
    ),
    'F1 emotion': f1(
      all.flatMap(({ dialogue }) => dialogue.emotion),
      emotion,
      EMOTIONS.length,
    ),
  };
}

/** `causal` and `backwards`: what the two directions say of the test dialogues. */
function judge(
  causal: readonly Said[],
  backwards: readonly Said[],
  { seed, epoch }: { seed: number; epoch: number },
): Judged {
  const forecasts = causal.flatMap(({ dialogue, shares: of }) =>
    turnsNegative(dialogue.sentiment).flatMap((came, t) => (came === null ? [] : [{ came, said: of[t][2][1] }])),
  );
  const [likely, came] = [forecasts.map(({ said }) => said), forecasts.map((one) => one.came)];
  const bins = reliability(likely, came);
  const emotion = causal.flatMap(({ dialogue }) => dialogue.emotion);
  return {
    seed: { seed, epoch, figures: figuresOf(causal) },
    ended: { seed, figures: figuresOf(causal.map((said, i) => averaged(said, unreversed(backwards[i])))) },
    ahead: { seed, epoch, figures: { Brier: brierScore(likely, came), 'calibration error': calibrationError(bins) } },
    ...{ said: causal, bins },
    lexicon: f1(
      causal.flatMap(({ dialogue }) => dialogue.sentiment),
      causal.flatMap(({ lexicon }) => lexicon),
      CALL_CLASSES.length,
    ),
    majority: f1(
      emotion,
      emotion.map(() => 0),
      EMOTIONS.length,
    ),
    base: came.filter(Boolean).length / came.length,
  };
}

/** What the pipeline emits over the dialogues, each with its own. */
async function passOf(
  model: Model,
  dialogues: readonly SpokenDialogue[],
  reading: TextReading,
): Promise<{ readonly dialogue: SpokenDialogue; readonly pass: SeriesPass }[]> {
  const stream = trainedStream(model, reading);
  const records = dialogues.flatMap(callRecords);
  const { series } = await pipelinePass({ stream, model, records });
  const byKey = new Map(series.map((one) => [one.key, one]));
  return dialogues.flatMap((dialogue) => {
    const pass = byKey.get(dialogue.id);
    return pass === undefined ? [] : [{ dialogue, pass }];
  });
}
