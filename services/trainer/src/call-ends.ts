/** The model that reads calls that are over: trained on what the pipeline itself kept of each call, and on what the customer said of it afterwards. */
import {
  createModel,
  createSequenceModel,
  type Model,
  type ModelCard,
  type TrainingSequence,
  trainRecurrent,
} from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import {
  CALL_CLASSES,
  createCallStream,
  generatedCalls,
  readNoted,
  type SentenceEncoder,
  type SourceRecord,
  SUMMARY_INPUTS,
  SUMMARY_STATE_SIZE,
  SUMMARY_TURNS_MAX,
  summarySpec,
} from '@tideline/streams';
import { pipelinePass } from './backtest/pipeline-pass.ts';
import type { TrainedModel, TrainerOptions } from './trained-model.ts';

const HIDDEN = 16;
const GENERATED = { train: 2_500, validation: 500, test: 1_000 } as const;
/** Of calls of one's own: by their order, so that the test's are the latest. */
const SHARES = { train: 0.7, validation: 0.15 } as const;
const CALLS_MIN = 50;

export interface CallEndsOptions extends TrainerOptions {
  /** The call model whose answers at each turn are read. */
  readonly callModel: Model;
  /** That of the call model, where it has one. */
  readonly sentenceEncoder?: SentenceEncoder;
  /** Own calls whose `ended` has `satisfaction`; default: generated ones. */
  readonly own?: { readonly records: readonly SourceRecord[]; readonly files: readonly unknown[] };
}

/** A call as its summary will read it, and what came of it. */
interface EndedCall {
  readonly key: string;
  /** [turns][SUMMARY_INPUTS] */
  readonly inputs: Float32Array;
  readonly turns: number;
  /** Index in CALL_CLASSES. */
  readonly sentiment: number;
  /** 1 to 5. */
  readonly rating: number;
}

/** Trains on generated calls, or on calls of one's own. Throws ConfigError where too few of those were rated. */
export async function trainCallEnds(options: CallEndsOptions): Promise<TrainedModel> {
  const { callModel, sentenceEncoder, own, ...trainer } = options;
  const parts = own === undefined ? await generatedParts(options) : await ownParts(options, own.records);
  const spec = summarySpec(HIDDEN);
  const result = await trainRecurrent({
    ...{
      ...trainer,
      spec,
      windowRows: SUMMARY_TURNS_MAX,
      batchSequences: 16,
      learningRate: 5e-3,
      clipNorm: 1,
      patience: 6,
    },
    train: parts.train.map(sequenceOf),
    validation: parts.validation.map(sequenceOf),
    dropout: { beforeHead: 0.2 },
  });
  const model = createModel(spec, result.weights);
  const test = score(model, parts);
  const source = own === undefined ? GENERATED_SOURCE : { source: 'calls of the own files', files: own.files };
  const calls = { train: parts.train.length, validation: parts.validation.length, test: parts.test.length };
  const card: ModelCard = {
    ...{ name: spec.name, digest: model.digest, reads: callModel.spec.name, readsDigest: callModel.digest },
    task: 'of a call that is over, read in both directions: how it ended (negative, neutral, positive) and the rating of 1 to 5 of the whole call',
    data: [{ ...source, calls }],
    labels:
      own === undefined
        ? "the generator's hidden mood at the end of the call, and a rating made of it and of its mean; no person rated anything"
        : "`satisfaction` of each call's `ended`, and its `sentiment`, or, where it has none, that of the rating",
    split:
      own === undefined
        ? 'three sets of calls of different seeds: training, validation (chooses the epoch), test (reported only)'
        : 'by the order of the calls: the first 70 % are learnt from, 15 % choose the epoch, the rest is the test (reported only)',
    ...{ seed: options.seed, epochs: result.history, test },
    limits:
      own === undefined
        ? 'It learnt from generated dialogues of a few dozen sentences: it shows the pipeline and says nothing about real calls. ' +
          'Train it on rated calls of your own: tideline train calls-summary --data.'
        : 'It reads what the call model named above says of each turn: after another call model it is to be trained anew.',
  };
  return { model, card };
}

const GENERATED_SOURCE = { source: 'libs/streams generatedCalls', kind: 'generated: not real' } as const;

interface Parts {
  readonly train: readonly EndedCall[];
  readonly validation: readonly EndedCall[];
  readonly test: readonly EndedCall[];
}

async function generatedParts(options: CallEndsOptions): Promise<Parts> {
  const { seed } = options;
  const part = (name: keyof typeof GENERATED, own: number): Promise<EndedCall[]> =>
    endedCalls(options, [...generatedCalls({ seed: seed + own, calls: GENERATED[name] })]);
  return {
    train: await part('train', 5_000),
    validation: await part('validation', 6_000),
    test: await part('test', 7_000),
  };
}

async function ownParts(options: CallEndsOptions, records: readonly SourceRecord[]): Promise<Parts> {
  const calls = await endedCalls(options, records);
  if (calls.length < CALLS_MIN)
    throw new ConfigError([
      `Only ${calls.length} calls end with a rating, ${CALLS_MIN} at least are needed: give each 'ended' a 'satisfaction' from 1 to 5.`,
    ]);
  const [train, validation] = [SHARES.train, SHARES.train + SHARES.validation].map((share) =>
    Math.floor(share * calls.length),
  );
  return {
    train: calls.slice(0, train),
    validation: calls.slice(train, validation),
    test: calls.slice(validation),
  };
}

/** Rated calls in the order of their ends: what the pipeline's own summary would read of them. */
async function endedCalls(
  { callModel, sentenceEncoder }: CallEndsOptions,
  records: readonly SourceRecord[],
): Promise<EndedCall[]> {
  const ratings = new Map(records.flatMap((record) => ratingOf(record) ?? []));
  const found: EndedCall[] = [];
  const stream = createCallStream({
    ...{ modelName: callModel.spec.name, model: callModel, points: ['summary'] },
    summaryModel: emptyModel(),
    ...(sentenceEncoder === undefined ? {} : { sentenceEncoder }),
  });
  const at = (stream.outputState?.size ?? 0) - SUMMARY_STATE_SIZE;
  const observed = {
    ...stream,
    close: (_: unknown, { key, cause, state }: Parameters<NonNullable<typeof stream.close>>[1]): void => {
      const rating = ratings.get(key);
      const { inputs, turnsRead: turns } = readNoted(state, at);
      if (cause === 'ended' && rating !== undefined && turns > 0) found.push({ key, inputs, turns, ...rating });
    },
  };
  await pipelinePass({ stream: observed, model: callModel, records });
  return found;
}

/** Its answers are not asked for. */
function emptyModel(): Model {
  const spec = summarySpec(1);
  const layer = () => ({
    ...{ wIh: new Float32Array(4 * SUMMARY_INPUTS), wHh: new Float32Array(4) },
    ...{ bIh: new Float32Array(4), bHh: new Float32Array(4) },
  });
  const { outputSize } = spec;
  const head = { headW: new Float32Array(outputSize * 2), headB: new Float32Array(outputSize) };
  return createModel(spec, { layers: [layer(), layer()], ...head });
}

function ratingOf({ key, value }: SourceRecord): [string, Pick<EndedCall, 'sentiment' | 'rating'>][] | null {
  if (!value.includes('"satisfaction"')) return null;
  const event = JSON.parse(value) as { type?: unknown; satisfaction?: unknown; sentiment?: unknown };
  const { satisfaction } = event;
  const given: readonly unknown[] = Array.isArray(satisfaction) ? satisfaction : [satisfaction];
  const rating = given.reduce((sum: number, one) => sum + Number(one), 0) / given.length;
  if (event.type !== 'ended' || !(rating >= 1 && rating <= 5)) return null;
  const named = (CALL_CLASSES as readonly unknown[]).indexOf(event.sentiment);
  const sentiment = named !== -1 ? named : rating < 2.5 ? 0 : rating > 3.5 ? 2 : 1;
  return [[key, { sentiment, rating: Math.round(rating) }]];
}

function sequenceOf(call: EndedCall): TrainingSequence {
  const { key: name, inputs, turns: rows, sentiment, rating } = call;
  return {
    ...{ name, inputs, rows },
    loss: (outputs, _row, gradient) =>
      crossEntropy(outputs, gradient, { from: 0, count: CALL_CLASSES.length, label: sentiment }) +
      crossEntropy(outputs, gradient, { from: CALL_CLASSES.length, count: 5, label: rating - 1 }),
  };
}

function crossEntropy(
  z: Float64Array,
  gradient: Float64Array,
  { from, count, label }: { readonly from: number; readonly count: number; readonly label: number },
): number {
  const logits = z.subarray(from, from + count);
  const most = Math.max(...logits);
  const shares = Array.from(logits, (value) => Math.exp(value - most));
  const sum = shares.reduce((a, b) => a + b, 0);
  shares.forEach((share, i) => {
    gradient[from + i] = share / sum - (i === label ? 1 : 0);
  });
  return Math.log(sum) - (logits[label] - most);
}

interface Figures {
  readonly sentimentAccuracy: number;
  readonly ratingMae: number;
}

/** The test's calls, beside always saying the training's commonest class and mean rating. */
function score(model: Model, { train, test }: Parts): Readonly<Record<string, unknown>> {
  const network = createSequenceModel(model);
  const found: Figures = figures(test, ({ inputs }) => {
    const { outputs } = network.runNow(inputs);
    const shares = [...outputs.subarray(0, CALL_CLASSES.length)];
    const rating = outputs.subarray(CALL_CLASSES.length).reduce((sum, share, i) => sum + share * (i + 1), 0);
    return { sentiment: shares.indexOf(Math.max(...shares)), rating };
  });
  network.dispose();
  const counts = CALL_CLASSES.map((_, i) => train.filter(({ sentiment }) => sentiment === i).length);
  const constant = {
    sentiment: counts.indexOf(Math.max(...counts)),
    rating: train.reduce((sum, { rating }) => sum + rating, 0) / train.length,
  };
  const lastTurns = figures(test, lastFeeling);
  return {
    ...{ ...found, constantAccuracy: figures(test, () => constant).sentimentAccuracy },
    ...{ constantRatingMae: figures(test, () => constant).ratingMae, lastTurnAccuracy: lastTurns.sentimentAccuracy },
    calls: test.length,
  };
}

/** What the customer's last turn alone says, by the call model's score at VADER's thresholds. */
function lastFeeling({ inputs, turns }: EndedCall): { sentiment: number; rating: number } {
  for (let t = turns - 1; t >= 0; t -= 1) {
    const [value, isCustomer] = [inputs[t * SUMMARY_INPUTS], inputs[t * SUMMARY_INPUTS + 6] === 1];
    if (isCustomer) return { sentiment: value <= -0.05 ? 0 : value >= 0.05 ? 2 : 1, rating: 3 + 2 * value };
  }
  return { sentiment: 1, rating: 3 };
}

function figures(
  calls: readonly EndedCall[],
  guess: (call: EndedCall) => { readonly sentiment: number; readonly rating: number },
): Figures {
  let [right, missed] = [0, 0];
  for (const call of calls) {
    const { sentiment, rating } = guess(call);
    if (sentiment === call.sentiment) right += 1;
    missed += Math.abs(rating - call.rating);
  }
  return { sentimentAccuracy: right / calls.length, ratingMae: missed / calls.length };
}
