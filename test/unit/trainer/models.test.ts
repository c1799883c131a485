import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadModel } from '@tideline/nn';
import { assertModelFits, createStream } from '@tideline/streams';

const MODELS = fileURLToPath(new URL('../../../../models', import.meta.url));
const SIZE_BYTES_MAX = 200_000;

interface Card {
  readonly name: string;
  readonly digest: string;
  readonly seed: number;
  readonly test: Readonly<Record<string, unknown>>;
}

for (const [name, stream] of [
  ['ticks-lstm', 'ticks'],
  ['calls-gru', 'calls'],
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

test('on the part that it never saw the tick model is better than the running volatility alone, and its 80 % interval holds about that', () => {
  const card = JSON.parse(readFileSync(join(MODELS, 'ticks-lstm', 'card.json'), 'utf8')) as {
    readonly test: Readonly<
      Record<string, { readonly pinball: number; readonly baselinePinball: number; readonly coverage80: number }>
    >;
  };
  assert.equal(Object.keys(card.test).length, 4);
  for (const [part, { pinball, baselinePinball, coverage80 }] of Object.entries(card.test)) {
    assert.ok(pinball < baselinePinball, `${part}: ${pinball} against ${baselinePinball}`);
    assert.ok(coverage80 > 0.7 && coverage80 < 0.9, `${part}: coverage ${coverage80}`);
  }
});
