/** Trains a model of calls on dialogues that people labelled: the stream's own features, our trainer, scaling folded into the weights. */
import {
  type ClassGroup,
  type ClassPlaces,
  classGroupsOf,
  createModel,
  type Dropout,
  type EpochReport,
  type InputActivation,
  initWeights,
  type Model,
  type ModelSpec,
  type ModelWeights,
  type RowEntries,
  SeededRandom,
  type TextEncoderSpec,
  type TrainingSequence,
  trainRecurrent,
} from '@tideline/nn';
import { callInputSize, createCallStream, gramBuckets, type SentenceEncoder, tokensOf } from '@tideline/streams';
import { readPreparedRows } from '../series-rows.ts';
import { foldScaling, type Scaling, scalingOf, standardised } from '../standardise.ts';
import type { TrainerOptions } from '../trained-model.ts';
import { type ClassTarget, classErrors, classLoss, type GroupLoss } from './class-loss.ts';
import { callRecords, type Dialogue } from './dialogue.ts';

export interface CallNetwork {
  /** Entries of the table, and values of each. */
  readonly buckets: number;
  readonly embedding: number;
  readonly inputLayer: number;
  readonly inputActivation?: InputActivation;
  readonly hiddenSize: number;
}

/** A question with the targets of each dialogue's turns and how its loss counts. */
export interface Question extends ClassGroup, Pick<GroupLoss, 'weights' | 'weight' | 'smoothing'> {
  readonly targetsOf: (dialogue: Dialogue) => readonly ClassTarget[];
}

export interface CallSettings {
  readonly epochs: number;
  readonly batchSequences: number;
  /** Epochs without a better one after which training stops; all are run unless said. */
  readonly patience?: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly averaging: number;
  readonly clipNorm: number;
  readonly dropout: Dropout;
}

/** The features of a dialogue as the stream makes them, and its entries in the table. */
export interface DialogueRows {
  readonly dialogue: Dialogue;
  readonly rows: number;
  /** [rows][inputSize]; the table's own inputs are not set. */
  readonly inputs: Float32Array;
  readonly entries: RowEntries;
}

/** A network that reads the words of a turn, and its weights: see `word-encoder.ts`. */
export interface TextEncoderPart {
  readonly spec: TextEncoderSpec;
  readonly weights: ModelWeights;
}

export function callSpec(
  name: string,
  network: CallNetwork,
  groups: readonly ClassGroup[],
  encoders: { readonly text?: TextEncoderSpec | null; readonly sentence?: SentenceEncoder | null } = {},
): ModelSpec {
  const { text = null, sentence = null } = encoders;
  const { buckets, embedding, inputLayer, inputActivation = 'tanh', hiddenSize } = network;
  return {
    ...{ name, cell: 'gru', layers: 1, hiddenSize, inputLayer, inputActivation, skipConnection: true },
    inputSize: callInputSize({
      ...{ embedding, encoder: text?.outputSize ?? 0, sentence: sentence?.size ?? 0, words: true },
    }),
    outputSize: groups.reduce((sum, { classes }) => sum + classes.length, 0),
    embedding: { buckets, size: embedding },
    ...(text === null ? {} : { textEncoder: text }),
    ...(sentence === null ? {} : { sentenceEncoder: { size: sentence.size, digest: sentence.digest } }),
    head: { kind: 'classes', groups: groups.map(({ name: group, classes }) => ({ name: group, classes })) },
  };
}

/** Reads dialogues through the call stream, once for all trainings of a spec and its encoders; `text`: weights of its text encoder. */
export async function readDialogues(
  spec: ModelSpec,
  dialogues: readonly Dialogue[],
  { text = null, sentence = null }: { readonly text?: ModelWeights | null; readonly sentence?: SentenceEncoder | null },
): Promise<DialogueRows[]> {
  // The other weights do not matter here: only the table's inputs depend on them, and training sets those itself.
  const random = new SeededRandom(1);
  const weights = initWeights(spec, () => random.next());
  const stream = createCallStream({
    modelName: spec.name,
    // The words that people labelled, as the published models read them; the entries below are of the same text.
    redact: false,
    model: createModel(spec, text === null ? weights : { ...weights, textEncoder: text }),
    ...(sentence === null ? {} : { sentenceEncoder: sentence }),
  });
  const buckets = spec.embedding?.buckets ?? 0;
  const read: DialogueRows[] = [];
  for (const [i, dialogue] of dialogues.entries()) {
    const [series] = (await readPreparedRows(stream, callRecords(dialogue, i))).series;
    const bags = dialogue.turns.map(({ text }) => gramBuckets(tokensOf(text), buckets));
    const starts = new Uint32Array(bags.length + 1);
    bags.forEach((bag, t) => {
      starts[t + 1] = starts[t] + bag.length;
    });
    const entries = { starts, entries: Uint32Array.from(bags.flat()) };
    read.push({ dialogue, rows: series.rows, inputs: series.inputs, entries });
  }
  return read;
}

export interface CallTraining extends Partial<Omit<TrainerOptions, 'seed' | 'epochs'>> {
  readonly spec: ModelSpec;
  readonly train: readonly DialogueRows[];
  readonly validation: readonly DialogueRows[];
  readonly questions: readonly Question[];
  readonly settings: CallSettings;
  /** Weights of the spec's text encoder, by which the dialogues were read. They are not trained here. */
  readonly encoder?: ModelWeights;
  /** What chooses the epoch on the validation part: its loss, or its wrong answers (a network that is too sure of itself still gets better at choosing). */
  readonly chosenBy?: 'loss' | 'errors';
  readonly seed: number;
}

/** The model of the epoch that is best on the validation part. */
export async function trainCallModel(
  options: CallTraining,
): Promise<{ readonly model: Model; readonly epoch: number; readonly history: readonly EpochReport[] }> {
  const { spec, train, validation, questions, settings, encoder, seed, chosenBy, ...trainer } = options;
  const { textEncoder: _, ...trained } = spec;
  const scaling = inputScaling(spec, train);
  const groups = classGroupsOf(spec);
  const sequence = (rows: DialogueRows, lossOf = classLoss): TrainingSequence => ({
    ...{ name: rows.dialogue.id, rows: rows.rows, entries: rows.entries },
    inputs: standardised(rows.inputs, scaling),
    loss: lossOf(questions.map((question, i) => groupLoss(question, groups[i], rows.dialogue))),
  });
  const { weights, history } = await trainRecurrent({
    ...{ ...settings, spec: trained, seed, schedule: 'constant', patience: settings.patience ?? settings.epochs },
    train: train.map((one) => sequence(one)),
    validation: validation.map((one) => sequence(one, chosenBy === 'errors' ? classErrors : classLoss)),
    windowRows: Math.max(...train.map(({ rows }) => rows)),
    ...trainer,
  });
  const outputs: Scaling = {
    mean: new Float64Array(spec.outputSize),
    deviation: new Float64Array(spec.outputSize).fill(1),
  };
  const folded = foldScaling(spec, weights, { inputs: scaling, outputs });
  const model = createModel(spec, encoder === undefined ? folded : { ...folded, textEncoder: encoder });
  return {
    ...{ model, history },
    epoch: history.findLast(({ best }) => best)?.epoch ?? 0,
  };
}

function groupLoss(question: Question, group: ClassPlaces, dialogue: Dialogue): GroupLoss {
  const { weights, weight, smoothing, targetsOf } = question;
  return {
    ...{ group, targets: targetsOf(dialogue) },
    ...(weights ? { weights } : {}),
    ...(weight === undefined ? {} : { weight }),
    ...(smoothing === undefined ? {} : { smoothing }),
  };
}

/** Of the inputs that the stream makes; the table's own are trained to the scale that they need. */
function inputScaling(spec: ModelSpec, train: readonly DialogueRows[]): Scaling {
  const columns = spec.inputSize;
  const rows = train.reduce((sum, one) => sum + one.rows, 0);
  const all = new Float32Array(rows * columns);
  let at = 0;
  for (const { inputs } of train) {
    all.set(inputs, at);
    at += inputs.length;
  }
  const { mean, deviation } = scalingOf(all, { columns, from: 0, to: rows });
  const own = columns - (spec.embedding?.size ?? 0);
  return { mean: mean.fill(0, own), deviation: deviation.fill(1, own) };
}
