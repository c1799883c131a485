import {
  createModel,
  type EpochReport,
  type ModelCard,
  type ModelSpec,
  type TrainingSequence,
  trainRecurrent,
} from '@tideline/nn';
import {
  CALL_CLASSES,
  CALL_CONTEXT,
  type CallLabel,
  callLoss,
  callReaderOf,
  createCallStream,
  generatedCalls,
  sentimentClass,
} from '@tideline/streams';
import { evaluate } from './evaluate.ts';
import { readRows, type SeriesRows } from './series-rows.ts';
import type { TrainedModel, TrainerOptions } from './trained-model.ts';

const CALLS = { train: 900, validation: 200, test: 300 } as const;

/** Trains the call model on generated calls that the VADER lexicon labels, and scores it on other generated calls. */
export async function trainCalls(options: TrainerOptions): Promise<TrainedModel> {
  const stream = createCallStream({ modelName: 'calls-gru' });
  const spec: ModelSpec = {
    name: 'calls-gru',
    cell: 'gru',
    inputSize: stream.inputSize,
    hiddenSize: 16,
    layers: 1,
    outputSize: stream.outputSize,
  };
  const labelled = (part: keyof typeof CALLS, seed: number): LabelledCall[] =>
    readRows(stream, generatedCalls({ seed, calls: CALLS[part] })).series.map((call) => ({
      call,
      labels: labelsOf(call, stream.contextSize),
    }));
  const sequence = ({ call, labels }: LabelledCall): TrainingSequence => ({
    name: call.key,
    inputs: call.inputs,
    rows: call.rows,
    loss: (outputs, row, gradient) => callLoss(outputs, labels[row], gradient),
  });
  const train = labelled('train', options.seed + 2_000);
  const result = await trainRecurrent({
    ...options,
    spec,
    train: train.map(sequence),
    validation: labelled('validation', options.seed + 3_000).map(sequence),
    windowRows: 64,
    batchSequences: 16,
    learningRate: 5e-3,
    clipNorm: 1,
    patience: 5,
  });
  const model = createModel(spec, result.weights);
  const test = labelled('test', options.seed + 4_000);
  const seen = seenShare(train, test);
  return { model, card: card(model.digest, options.seed, result.history, { ...score(model, test), seen }) };
}

interface LabelledCall {
  readonly call: SeriesRows;
  readonly labels: readonly CallLabel[];
}

/** The lexicon's class of each utterance, and whether the customer's next one is negative. */
function labelsOf(call: SeriesRows, contextSize: number): CallLabel[] {
  const compound = (row: number): number => call.context[row * contextSize + CALL_CONTEXT.compound];
  const isCustomer = call.records.map(
    ({ value }) => (JSON.parse(value) as { speaker?: string }).speaker === 'customer',
  );
  return call.records.map((_, row) => {
    const next = isCustomer.indexOf(true, row + 1);
    return { sentiment: sentimentClass(compound(row)), escalates: next === -1 ? null : compound(next) <= -0.05 };
  });
}

/** Share of the test utterances that stand word for word in the training part: what a test on generated text is worth. */
function seenShare(train: readonly LabelledCall[], test: readonly LabelledCall[]): number {
  const texts = (calls: readonly LabelledCall[]): string[] =>
    calls.flatMap(({ call }) => call.records.map(({ value }) => (JSON.parse(value) as { text: string }).text));
  const known = new Set(texts(train));
  const asked = texts(test);
  return asked.filter((text) => known.has(text)).length / asked.length;
}

interface Score {
  readonly accuracy: number;
  readonly majority: number;
  /** F1 of each class, then their mean. */
  readonly f1: Readonly<Record<string, number>>;
  /** Brier score of `escalation`, and of always saying its base rate. */
  readonly escalationBrier: number;
  readonly escalationBaselineBrier: number;
  readonly utterances: number;
}

function score(model: Parameters<typeof evaluate>[0], calls: readonly LabelledCall[]): Score {
  const counts = CALL_CLASSES.map(() => 0);
  const said = CALL_CLASSES.map(() => 0);
  const hits = CALL_CLASSES.map(() => 0);
  const escalations: { readonly p: number; readonly y: number }[] = [];
  const read = callReaderOf(model.spec);
  let [right, utterances] = [0, 0];
  for (const { call, labels } of calls) {
    const outputs = evaluate(model, call.inputs, call.rows);
    labels.forEach((label, row) => {
      const { sentiment, escalation } = read(outputs, row * model.spec.outputSize);
      const shares = [...(sentiment ?? [])];
      const guess = shares.indexOf(Math.max(...shares));
      said[guess] += 1;
      if (guess === label.sentiment) {
        hits[guess] += 1;
        right += 1;
      }
      counts[label.sentiment] += 1;
      utterances += 1;
      if (label.escalates !== null) escalations.push({ p: Number(escalation), y: label.escalates ? 1 : 0 });
    });
  }
  const rate = escalations.reduce((sum, { y }) => sum + y, 0) / escalations.length;
  const brier = (p: (one: { p: number }) => number): number =>
    escalations.reduce((sum, one) => sum + (p(one) - one.y) ** 2, 0) / escalations.length;
  return {
    accuracy: right / utterances,
    majority: Math.max(...counts) / utterances,
    f1: f1Of(hits, counts, said),
    escalationBrier: brier(({ p }) => p),
    escalationBaselineBrier: brier(() => rate),
    utterances,
  };
}

function f1Of(hits: readonly number[], counts: readonly number[], said: readonly number[]): Record<string, number> {
  const f1 = hits.map((hit, i) => (2 * hit) / (counts[i] + said[i]));
  const macro = f1.reduce((sum, value) => sum + value, 0) / f1.length;
  return { ...Object.fromEntries(CALL_CLASSES.map((name, i) => [name, f1[i]])), macro };
}

function card(
  digest: string,
  seed: number,
  history: readonly EpochReport[],
  test: Score & { readonly seen: number },
): ModelCard {
  return {
    name: 'calls-gru',
    digest,
    task: 'sentiment of an utterance (negative, neutral, positive) and the probability that the next utterance of the customer is negative',
    data: [{ source: 'libs/streams generatedCalls', kind: 'generated: not real', calls: CALLS }],
    labels:
      "the VADER lexicon's compound score (vader-sentiment 1.1.3, Apache-2.0) at its usual thresholds of -0.05 and 0.05; no person labelled anything",
    split: 'three sets of calls of different seeds: training, validation (chooses the epoch), test (reported only)',
    seed,
    epochs: history,
    test,
    limits: [
      'Its sentiment score says nothing about real calls: it repeats the lexicon, whose scores are among its inputs, and `seen`',
      'of the test utterances stand word for word in training, because both come from the same few sentences.',
      'What it learns beyond the lexicon is the escalation, on a mood that the generator draws.',
      'It shows the pipeline; real calls need models of their own.',
    ].join(' '),
  };
}
