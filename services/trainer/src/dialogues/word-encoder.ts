/** Trains the network that reads the words of a turn (libs/streams/src/text/word-encoder.ts): it answers a model's questions from one utterance alone. */
import { type ClassPlaces, classGroupsOf, type ModelSpec, type TrainingSequence, trainRecurrent } from '@tideline/nn';
import {
  ENCODED_TOKENS_MAX,
  englishWordVectors,
  readWords,
  tokensOf,
  type WordVectors,
  wordEncoderSpec,
} from '@tideline/streams';
import type { TrainerOptions } from '../trained-model.ts';
import type { Question, TextEncoderPart } from './call-model.ts';
import { type ClassTarget, classErrors, classLoss } from './class-loss.ts';
import type { Dialogue } from './dialogue.ts';

const NETWORK = { buckets: 2_048, embedding: 16, hiddenSize: 32 } as const;
const SETTINGS = {
  ...{
    epochs: 8,
    patience: 2,
    batchSequences: 32,
    learningRate: 1e-3,
    weightDecay: 1e-4,
    averaging: 0.998,
    clipNorm: 5,
  },
  dropout: { entries: 0.4, inputs: 0.3, beforeHead: 0.5 },
} as const;

/** A checkpoint is of the dialogues' network: an encoder is trained anew, to the same bits. */
export interface EncoderTraining extends Partial<Pick<TrainerOptions, 'onEpoch' | 'signal'>> {
  readonly train: readonly Dialogue[];
  readonly validation: readonly Dialogue[];
  readonly questions: readonly Question[];
  readonly seed: number;
}

/** An encoder whose values are the log-odds of the questions' classes. */
export async function trainWordEncoder(options: EncoderTraining): Promise<TextEncoderPart> {
  const { train, validation, questions, seed, ...trainer } = options;
  const outputSize = questions.reduce((sum, { classes }) => sum + classes.length, 0);
  const words = englishWordVectors();
  const spec = wordEncoderSpec(words, { ...NETWORK, outputSize });
  const groups = questions.map(({ name, classes }) => ({ name, classes }));
  // The same network: as log-odds its values are what the dialogue's network reads.
  const trained: ModelSpec = { ...spec, name: 'text encoder', head: { kind: 'classes', groups, scope: 'sequence' } };
  const places = classGroupsOf(trained);
  const sequences = (dialogues: readonly Dialogue[], lossOf = classLoss): TrainingSequence[] =>
    dialogues.flatMap((dialogue) => utterancesOf(dialogue, { spec: trained, words, questions, places, lossOf }));
  const { weights } = await trainRecurrent({
    ...{ ...SETTINGS, ...trainer, spec: trained, seed, schedule: 'constant', windowRows: ENCODED_TOKENS_MAX },
    train: sequences(train),
    validation: sequences(validation, classErrors),
  });
  return { spec, weights };
}

/** Turns with a word and an answer. */
function utterancesOf(
  dialogue: Dialogue,
  by: {
    readonly spec: ModelSpec;
    readonly words: WordVectors;
    readonly questions: readonly Question[];
    readonly places: readonly ClassPlaces[];
    readonly lossOf: typeof classLoss;
  },
): TrainingSequence[] {
  const { spec, words, questions, places, lossOf } = by;
  const targets = questions.map(({ targetsOf }) => targetsOf(dialogue));
  return dialogue.turns.flatMap(({ text }, t): TrainingSequence[] => {
    const tokens = tokensOf(text);
    const own: readonly ClassTarget[] = targets.map((of) => of[t]);
    if (tokens.length === 0 || own.every((target) => target === null)) return [];
    const { inputs, entries: bags } = readWords(tokens, words, spec);
    const starts = new Uint32Array(bags.length + 1);
    bags.forEach((bag, i) => {
      starts[i + 1] = starts[i] + bag.length;
    });
    const loss = lossOf(
      questions.map(({ weights, weight, smoothing }, i) => ({
        ...{ group: places[i], targets: [own[i]] },
        ...(weights ? { weights } : {}),
        ...(weight === undefined ? {} : { weight }),
        ...(smoothing === undefined ? {} : { smoothing }),
      })),
    );
    return [
      {
        ...{ name: `${dialogue.id}, turn ${t}`, rows: bags.length, inputs },
        entries: { starts, entries: Uint32Array.from(bags.flat()) },
        // One answer for the utterance, whatever its length.
        loss: (outputs, _row, gradient) => loss(outputs, 0, gradient),
      },
    ];
  });
}
