/** Trains the tagger of names that redaction uses (libs/streams/src/privacy/name-tagger.ts) on generated sentences; scores it on some that were written. */
import { readFileSync } from 'node:fs';
import {
  createModel,
  type Model,
  type ModelCard,
  SeededRandom,
  type TrainingSequence,
  trainRecurrent,
} from '@tideline/nn';
import { createNameTagger, englishWordVectors, NAME_CLASSES, namesSpec, readTokens } from '@tideline/streams';
import { certain, classLoss } from '../dialogues/class-loss.ts';
import type { TrainedModel, TrainerOptions } from '../trained-model.ts';
import { allNames } from './people.ts';
import { type NameScores, scoreNames } from './score-names.ts';
import { type NamedText, readMarked, sentencesOf } from './sentences.ts';

const SPEC = namesSpec({ buckets: 4_096, embedding: 12, hiddenSize: 24 });
const COUNTS = { train: 16_000, validation: 2_000, test: 2_000 } as const;
/** Words for the places that any word may have. */
const VOCABULARY = 6_000;
/** Share of the words whose vector and lists are hidden in training, of names and of others: then the sentence must tell. */
const HIDDEN_SHARES = { name: 0.35, other: 0.08 } as const;
const NAME_WEIGHT = 1.5;
const VECTOR_AND_LISTS = { vector: 100, lists: { from: 108, to: 114 } } as const;
const BY_HAND = new URL('../../texts/names-by-hand.txt', import.meta.url);

export async function trainNames(options: TrainerOptions): Promise<TrainedModel> {
  const { seed } = options;
  const people = allNames();
  const vocabulary = englishWordVectors()
    .words.filter((word) => /^[a-z]{3,}$/.test(word) && !people.has(word))
    .slice(0, VOCABULARY);
  const part = (name: keyof typeof COUNTS): NamedText[] => sentencesOf(name, COUNTS[name], seed, vocabulary);
  const random = new SeededRandom(seed, 99);
  const result = await trainRecurrent({
    ...{
      ...options,
      spec: SPEC,
      windowRows: 64,
      batchSequences: 32,
      learningRate: 1e-3,
      clipNorm: 1,
      patience: 3,
    },
    ...{ weightDecay: 1e-4, averaging: 0.998 },
    train: part('train').map((text) => sequenceOf(text, random)),
    validation: part('validation').map((text) => sequenceOf(text, null)),
    dropout: { entries: 0.3, inputs: 0.2, beforeHead: 0.5 },
  });
  const model = createModel(SPEC, result.weights);
  const test = scoresOf(model, part('test'), byHand());
  const card: ModelCard = {
    ...{ name: SPEC.name, digest: model.digest },
    task: 'of each word of an utterance, read in both directions: whether it is of the name of a person',
    data: [
      {
        source:
          'sentences of services/trainer/src/names, filled with names of @faker-js/faker 10.6.0 (MIT) and of our own lists',
        kind: 'generated: nobody said them',
        sentences: COUNTS,
      },
    ],
    labels: 'by the template: what stands in a place for a name',
    split:
      'names and templates of training, validation (chooses the epoch) and test are three sets each; the sentences by hand are of none of them, ' +
      'some of their names are',
    ...{ seed, epochs: result.history, test },
    limits:
      'English sentences in Latin letters, names of some forty countries. It goes beside rules and lists, which redact whatever it says. It finds no name ' +
      'that is spelled letter by letter, nor one that only the talk before tells.',
  };
  return { model, card };
}

/** Sentences written for the test, names in braces; lines that begin with # are comments. */
function byHand(): NamedText[] {
  return readFileSync(BY_HAND, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map(readMarked);
}

function scoresOf(model: Model, generated: readonly NamedText[], written: readonly NamedText[]) {
  const tagger = createNameTagger(model);
  const both = (texts: readonly NamedText[]): Readonly<Record<string, NameScores>> => ({
    'rules alone': scoreNames(texts, null),
    'rules and tagger': scoreNames(texts, tagger),
  });
  return { 'by hand': both(written), generated: both(generated) };
}

/** `hides`: words lose their vector and lists by chance; null: none does. */
function sequenceOf({ text, tokens, names }: NamedText, hides: SeededRandom | null): TrainingSequence {
  const { inputs, entries: bags } = readTokens(text, tokens, SPEC);
  const { vector, lists } = VECTOR_AND_LISTS;
  names.forEach((isName, i) => {
    if (hides === null || hides.next() >= (isName === 1 ? HIDDEN_SHARES.name : HIDDEN_SHARES.other)) return;
    const at = i * SPEC.inputSize;
    inputs.fill(0, at, at + vector);
    inputs[at + vector] = 1;
    inputs.fill(0, at + lists.from, at + lists.to);
  });
  const starts = new Uint32Array(bags.length + 1);
  bags.forEach((bag, i) => {
    starts[i + 1] = starts[i] + bag.length;
  });
  const targets = Array.from(names, (isName) => certain(isName, NAME_CLASSES.length));
  const group = { name: 'name', classes: NAME_CLASSES, from: 0, count: NAME_CLASSES.length };
  return {
    ...{ name: text.slice(0, 40), rows: tokens.length, inputs },
    entries: { starts, entries: Uint32Array.from(bags.flat()) },
    loss: classLoss([{ group, targets, weights: [1, NAME_WEIGHT] }]),
  };
}
