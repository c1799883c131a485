import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadModel } from '@tideline/nn';
import { assertModelFits, createStream } from '@tideline/streams';

const MODELS = fileURLToPath(new URL('../../../../models', import.meta.url));
const SIZE_BYTES_MAX = 200_000;

interface TickScore {
  readonly pinball: number;
  readonly normalPinball: number;
  readonly empiricalPinball: number;
  readonly gainError: number;
  readonly coverage80: number;
}

interface Card {
  readonly name: string;
  readonly digest: string;
  readonly seed: number;
  readonly test: Readonly<Record<string, unknown>>;
}

for (const [name, stream] of [
  ['ticks-lstm', 'ticks'],
  ['calls-gru', 'calls'],
  ['call-volume-gru', 'call-volume'],
] as const) {
  const file = join(MODELS, name, 'model.tdl');
  const cardOf = (): Card => JSON.parse(readFileSync(join(MODELS, name, 'card.json'), 'utf8')) as Card;

  test(`the shipped model ${name} loads, is small and fits the stream '${stream}'`, async () => {
    const { model } = await loadModel(file);
    assert.equal(model.spec.name, name);
    assert.ok(statSync(file).size < SIZE_BYTES_MAX);
    assertModelFits(createStream(stream, { modelName: name }), model.spec);
  });

  test(`the card of ${name} is the card of the shipped weights`, async () => {
    const { model, card } = await loadModel(file);
    assert.equal(cardOf().digest, model.digest);
    assert.deepEqual(cardOf(), card, 'card.json and the card inside the file are the same');
  });
}

test('the card of the model of call ends is that of the shipped weights, names the call model that it reads, and beats the last turn alone', async () => {
  const { model, card } = await loadModel(join(MODELS, 'calls-summary', 'model.tdl'));
  const { model: read } = await loadModel(join(MODELS, 'calls-gru', 'model.tdl'));
  const shown = JSON.parse(readFileSync(join(MODELS, 'calls-summary', 'card.json'), 'utf8')) as Card & {
    readonly test: Readonly<Record<string, number>>;
    readonly reads: string;
    readonly readsDigest: string;
    readonly limits: string;
  };
  assert.deepEqual(shown, card);
  assert.deepEqual([shown.digest, shown.reads, shown.readsDigest], [model.digest, 'calls-gru', read.digest]);
  const { sentimentAccuracy, lastTurnAccuracy, constantAccuracy, ratingMae, constantRatingMae } = shown.test;
  assert.ok(sentimentAccuracy > lastTurnAccuracy && lastTurnAccuracy > constantAccuracy);
  assert.ok(ratingMae < constantRatingMae / 2);
  assert.match(shown.limits, /says nothing about real calls/);
});

test('the card of the tick model scores each kind of series apart, and claims a gain over both baselines only where there is one', () => {
  const { test: scores } = JSON.parse(readFileSync(join(MODELS, 'ticks-lstm', 'card.json'), 'utf8')) as {
    readonly test: Readonly<Record<string, TickScore>>;
  };
  assert.equal(Object.keys(scores).length, 8, 'four kinds of series, two horizons');
  for (const part of ['real, S&P 500 daily, horizon 1', 'generated, horizon 1', 'generated, horizon 5']) {
    const { pinball, normalPinball, empiricalPinball, gainError, coverage80 } = scores[part];
    assert.ok(pinball < normalPinball, part);
    assert.ok(empiricalPinball - pinball > 3 * gainError, `${part}: the gain is beyond chance`);
    assert.ok(Math.abs(coverage80 - 0.8) < 0.03, `${part}: coverage ${coverage80}`);
  }
});

test('the card of the call model says how much of its test text was in the training text', () => {
  const { test: score, limits } = JSON.parse(readFileSync(join(MODELS, 'calls-gru', 'card.json'), 'utf8')) as {
    readonly test: { readonly seen: number; readonly f1: Readonly<Record<string, number>> };
    readonly limits: string;
  };
  assert.ok(score.seen >= 0 && score.seen <= 1);
  assert.deepEqual(Object.keys(score.f1), ['negative', 'neutral', 'positive', 'macro']);
  assert.match(limits, /says nothing about real calls/);
});
