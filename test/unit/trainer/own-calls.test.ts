import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxSentenceEncoder } from '@tideline/adapters';
import { classGroupsOf, SeededRandom } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { assertModelFits, createCallStream, englishWordVectors, type SourceRecord } from '@tideline/streams';
import { backtestCalls, trainOwnModel } from '@tideline/trainer';
import { SENTENCE_ENCODER } from '../../golden/sentence/sentence.ts';

const WORDS = { negative: 'modem', neutral: 'router', positive: 'charger' } as const;

/** Calls whose agents say what the customer's next turn will be, by words that no lexicon of feelings has. */
function recordsOf(calls: number, labels: (mood: keyof typeof WORDS) => object): SourceRecord[] {
  const random = new SeededRandom(7);
  const moods = Object.keys(WORDS) as (keyof typeof WORDS)[];
  return Array.from({ length: calls }, (_, c) => {
    const events: object[] = [];
    for (let pair = 0; pair < 3; pair += 1) {
      const mood = moods[Math.floor(random.next() * 3)];
      events.push({ speaker: 'agent', text: `well, ${WORDS[mood]} then`, ...labels('neutral') });
      events.push({ type: 'utterance', speaker: 'customer', text: `so ${WORDS[mood]} it is`, ...labels(mood) });
    }
    return events.map((event, i) => ({
      ...{ topic: 'calls', key: `c${c}`, timestampMs: 0 },
      value: JSON.stringify({ callId: `c${c}`, ts: 1_700_000_000_000 + c * 3_600_000 + i * 4_000, ...event }),
    }));
  }).flat();
}

const run = { seed: 1, epochs: 20, onEpoch: () => undefined };
const files = [{ file: 'calls.jsonl', sha256: '' }];

test('a model of own calls answers the questions that people labelled, and its card says what it is worth', async () => {
  const records = recordsOf(160, (mood) => ({
    ...{ emotion: mood === 'negative' ? 'anger' : 'calm' },
    satisfaction: { negative: 1, neutral: 3, positive: 5 }[mood],
  }));
  const { model, card } = await trainOwnModel({ records, files }, run);
  assert.deepEqual(
    classGroupsOf(model.spec).map(({ name }) => name),
    ['emotion', 'satisfaction'],
    'no sentiment and no rating of a whole call were given',
  );
  const [emotion, satisfaction] = card.test as { seeds: { figures: Record<string, number> }[] }[];
  assert.ok(emotion.seeds[0].figures['weighted F1'] > 0.9, JSON.stringify(emotion));
  // At the customer's own turns, half of all, nothing says what the agent will say next.
  assert.ok(satisfaction.seeds[0].figures.kappa > 0.4, JSON.stringify(satisfaction));
  assert.ok(satisfaction.seeds[0].figures['calibration error'] < 0.15);
  assert.equal(card.words, englishWordVectors().digest);
  assert.ok((card.epochs as unknown[]).length > 0);
  const stream = createCallStream({ modelName: model.spec.name, model });
  assertModelFits(stream, model.spec, { declaration: null, card });
});

test('a text encoder learns what only the order of the words tells', async () => {
  const random = new SeededRandom(3);
  const records = Array.from({ length: 400 }, (_, c) =>
    Array.from({ length: 6 }, (_, i) => {
      const [first, second] = random.next() < 0.5 ? ['modem', 'router'] : ['router', 'modem'];
      // The same words, the same pairs of neighbours.
      const event = { speaker: i % 2 === 0 ? 'agent' : 'customer', text: `so ${first} so ${second} so` };
      const value = { callId: `c${c}`, ts: 1_700_000_000_000 + c * 3_600_000 + i * 4_000, ...event };
      const emotion = first === 'modem' ? 'anger' : 'calm';
      return { topic: 'calls', key: `c${c}`, timestampMs: 0, value: JSON.stringify({ ...value, emotion }) };
    }),
  ).flat();
  const f1 = async (textEncoder: 'none' | 'word-lstm'): Promise<number> => {
    const options = { records, files, seeds: [1], epochs: 4, textEncoder, progress: () => undefined };
    const { tables } = await backtestCalls(options);
    return tables[0].seeds[0].figures['weighted F1'];
  };
  const [without, withEncoder] = [await f1('none'), await f1('word-lstm')];
  assert.ok(without < 0.65 && withEncoder > 0.95, `without ${without}, with ${withEncoder}`);
});

test('sentiment brings the forecast of a negative turn, with the base rate beside it', async () => {
  const records = recordsOf(60, (mood) => ({ sentiment: mood }));
  const { tables, trained } = await backtestCalls({ records, files, seeds: [1], epochs: 2, progress: () => undefined });
  assert.deepEqual(trained && classGroupsOf(trained.model.spec).map(({ name }) => name), ['sentiment', 'escalation']);
  const [{ baselines }, escalation] = tables;
  assert.deepEqual(
    baselines.map(({ name }) => name),
    ['always the most frequent', 'VADER alone'],
  );
  // Three more turns are needed to know: 3 of each call's 6, of 9 test calls.
  assert.match(escalation.title, /: 27 of/);
  assert.ok('Brier' in escalation.seeds[0].figures && 'Brier' in escalation.baselines[0].figures);
});

test('labels that cannot be read, and too few of them, are refused with the cure', async () => {
  const train = (records: SourceRecord[]): Promise<unknown> => trainOwnModel({ records, files }, run);
  const refuses = (text: RegExp) => (error: unknown) => error instanceof ConfigError && text.test(error.message);
  await assert.rejects(train(recordsOf(30, () => ({ sentiment: 'grumpy' }))), refuses(/'sentiment' is "grumpy"/));
  await assert.rejects(train(recordsOf(30, () => ({ satisfaction: 7 }))), refuses(/'satisfaction' is 7/));
  await assert.rejects(train(recordsOf(30, () => ({}))), refuses(/There are 30 calls and no question/));
  await assert.rejects(train([]), refuses(/no utterance in the data/));
});

test('a model of own calls learns by a sentence encoder what its values tell, and says which encoder it was', async () => {
  const encoder = await createOnnxSentenceEncoder({ folder: SENTENCE_ENCODER });
  const random = new SeededRandom(3);
  // By the encoder alone: the same words in another order are the same to pooled vectors and n-grams.
  const records = Array.from({ length: 300 }, (_, c) =>
    Array.from({ length: 6 }, (_, i) => {
      const [first, second] = random.next() < 0.5 ? ['modem', 'router'] : ['router', 'modem'];
      const event = {
        type: 'utterance',
        speaker: i % 2 === 0 ? 'agent' : 'customer',
        text: `so ${first} so ${second} so`,
      };
      const value = { callId: `c${c}`, ts: 1_700_000_000_000 + c * 3_600_000 + i * 4_000, ...event };
      const emotion = first === 'modem' ? 'anger' : 'calm';
      return { topic: 'calls', key: `c${c}`, timestampMs: 0, value: JSON.stringify({ ...value, emotion }) };
    }),
  ).flat();
  const options = { records, files, seeds: [1], epochs: 8, progress: () => undefined };
  const { tables, trained, model } = await backtestCalls({ ...options, sentenceEncoder: encoder });
  const f1 = tables[0].seeds[0].figures['weighted F1'];
  assert.ok(f1 > 0.95, `${f1}`);
  const { size, digest } = encoder;
  assert.deepEqual(trained?.model.spec.sentenceEncoder, { size, digest });
  assert.deepEqual(model.sentenceEncoder, { size, digest });
});
