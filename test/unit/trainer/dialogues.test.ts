/** Labelled dialogues: losses, scores and calibration, and the two recipes over generated dialogues in the form of their sets. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { classGroupsOf, createModel, initWeights, type ModelSpec, SeededRandom } from '@tideline/nn';
import {
  type BacktestResult,
  brierScore,
  calibrated,
  calibrationError,
  certain,
  classErrors,
  classLoss,
  cohenKappa,
  confusionOf,
  f1Of,
  recipeOf,
  reliability,
  runRecipe,
  shares,
  unweightedRecall,
  weightedF1,
} from '@tideline/trainer';

const GROUPS = [
  { name: 'mood', classes: ['bad', 'fair', 'good'] },
  { name: 'ends', classes: ['no', 'yes'] },
];
const SPEC: ModelSpec = {
  ...{ name: 'toy', cell: 'gru', inputSize: 1, hiddenSize: 2, layers: 1, outputSize: 5 },
  head: { kind: 'classes', groups: GROUPS },
};
const [MOOD, ENDS] = classGroupsOf(SPEC);

test('the gradient of the loss of several questions is that of finite differences, and a question without an answer counts nothing', () => {
  const loss = classLoss([
    { group: MOOD, targets: [[0.2, 0.5, 0.3]], weights: [4, 1, 2], smoothing: 0.1 },
    { group: ENDS, targets: [certain(1, 2)], weight: 0.3 },
  ]);
  const z = Float64Array.from([0.3, -0.7, 1.1, 0.2, -0.4]);
  const gradient = new Float64Array(5);
  assert.notEqual(loss(z, 0, gradient), null);
  z.forEach((_, i) => {
    const at = (step: number): number =>
      loss(
        z.map((value, j) => (i === j ? value + step : value)),
        0,
        new Float64Array(5),
      ) ?? Number.NaN;
    assert.ok(Math.abs((at(1e-6) - at(-1e-6)) / 2e-6 - gradient[i]) < 1e-7, `output ${i}`);
  });
  const silent = new Float64Array(5);
  assert.equal(classLoss([{ group: MOOD, targets: [null] }])(z, 0, silent), null);
  assert.deepEqual([...silent], [0, 0, 0, 0, 0]);
  const errors = classErrors([
    { group: MOOD, targets: [certain(2, 3)] },
    { group: ENDS, targets: [certain(1, 2)], weight: 0.5 },
  ]);
  assert.equal(errors(z, 0, silent), 0.5, 'the first is right, the second wrong');
});

test('scores of classes are those worked out by hand', () => {
  const confusion = confusionOf([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 1], 3);
  assert.deepEqual(confusion, [
    [2, 1, 0],
    [0, 2, 0],
    [0, 1, 0],
  ]);
  const close = (found: number, expected: number): void => assert.ok(Math.abs(found - expected) < 1e-12, `${found}`);
  close(f1Of(confusion, [0]), 0.8);
  close(f1Of(confusion, [1]), 2 / 3);
  close(weightedF1(confusion), (3 / 6) * 0.8 + (2 / 6) * (2 / 3));
  close(unweightedRecall(confusion), (2 / 3 + 1 + 0) / 3);
  close(cohenKappa(confusion), (4 / 6 - 14 / 36) / (1 - 14 / 36));
  close(brierScore([0.2, 0.9], [false, true]), (0.04 + 0.01) / 2);
  const bins = reliability([0.05, 0.15, 0.12, 1], [false, true, false, true]);
  assert.deepEqual(
    bins.map(({ count, came }) => [count, came]),
    [
      [1, 0],
      [2, 0.5],
      [1, 1],
    ],
  );
  close(calibrationError(bins), (1 * 0.05 + 2 * (0.5 - 0.135) + 0) / 4);
});

test('calibration takes class weights off again and makes too sure a model as sure as it is right', () => {
  const random = new SeededRandom(4);
  const model = createModel(
    SPEC,
    initWeights(SPEC, () => random.next()),
  );
  // Answers are right in 7 of 10 rows, and the network says so with e^6 to 1; `bad` was weighted 5.
  const rows = Array.from({ length: 200 }, (_, i) => {
    const said = i % 3;
    const z = [0, 1, 2].map((c) => (c === said ? 6 : 0) + (c === 0 ? Math.log(5) : 0));
    const right = i % 10 < 7 ? said : (said + 1 + (i % 2)) % 3;
    return { outputs: [...z, 0, 0], targets: [certain(right, 3), null] };
  });
  const calm = calibrated(model, rows, [[5, 1, 1], undefined]);
  const reads = model.weights.headW.length / SPEC.outputSize;
  const temperature = model.weights.headW[0] / calm.weights.headW[0];
  for (let i = 0; i < 3 * reads; i += 1)
    assert.ok(Math.abs(calm.weights.headW[i] * temperature - model.weights.headW[i]) < 1e-6);
  assert.deepEqual(calm.weights.headW.slice(3 * reads), model.weights.headW.slice(3 * reads), 'no rows, no change');
  assert.ok(Math.abs(calm.weights.headB[0] * temperature - (model.weights.headB[0] - Math.log(5))) < 1e-5);
  const p = shares([6 / temperature, 0, 0], { from: 0, count: 3 });
  assert.ok(Math.abs(p[0] - 0.7) < 0.01, `${p[0]}`);
});

test('calibration with offsets says each class as often as it came, and one that never came seldom, but not never', () => {
  const random = new SeededRandom(5);
  const model = createModel(
    SPEC,
    initWeights(SPEC, () => random.next()),
  );
  // All rows look the same; the first class came in 30 of 100, the second in 70.
  const rows = Array.from({ length: 100 }, (_, i) => ({
    ...{ outputs: [0, 0, 0, 0, 0], targets: [certain(i < 30 ? 0 : 1, 3), null] },
  }));
  const { headB } = calibrated(model, rows, [undefined, undefined], { offsets: true }).weights;
  // The bias alone answers rows whose outputs are zeros, once the model's own bias is taken off.
  const own = model.weights.headB;
  const temperature = model.weights.headW[0] / calibrated(model, rows, [], { offsets: true }).weights.headW[0];
  const p = shares(
    [0, 1, 2].map((c) => headB[c] - own[c] / temperature),
    { from: 0, count: 3 },
  );
  assert.ok(Math.abs(p[0] - 0.3) < 0.01 && Math.abs(p[1] - 0.7) < 0.01, `${p}`);
  assert.ok(p[2] > 1e-5 && p[2] < 0.01, `${p}`);
});

async function runOn(name: string, files: Readonly<Record<string, string>>): Promise<BacktestResult> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'tideline-dialogues-'));
  const recipe = recipeOf(name);
  await mkdir(join(dataFolder, recipe.folder));
  try {
    for (const [file, text] of Object.entries(files)) await writeFile(join(dataFolder, recipe.folder, file), text);
    return await runRecipe(recipe, { dataFolder, seeds: [1], progress: () => undefined });
  } finally {
    await rm(dataFolder, { recursive: true });
  }
}

/** Words without a place in the lexicon, whose meaning only training tells. */
const WORDS = { negative: 'zorg', neutral: 'mellin', positive: 'quavo' } as const;

function spokenCsv(dialogues: number, seed: number): string {
  const random = new SeededRandom(seed);
  const names = Object.keys(WORDS) as (keyof typeof WORDS)[];
  const emotions = { negative: 'anger', neutral: 'neutral', positive: 'joy' } as const;
  const lines = Array.from({ length: dialogues }, (_, d) =>
    Array.from({ length: 5 }, (__, u) => {
      const mood = names[Math.floor(random.next() * 3)];
      const clock = (second: number): string =>
        `"00:${String(d % 60).padStart(2, '0')}:${String(second).padStart(2, '0')},000"`;
      const place = `${d},${u},1,1,${clock(2 * u)},${clock(2 * u + 1)}`;
      return `${u + 1},"so, ${WORDS[mood]} it is",P${u % 2},${emotions[mood]},${mood},${place}`;
    }).join('\n'),
  );
  const head = 'Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime';
  return `${head}\n${lines.join('\n')}\n`;
}

test('meld learns what words mean that no lexicon knows, and reports what it forecasts of the turns to come', async () => {
  const [train, dev, test_] = [spokenCsv(120, 1), spokenCsv(20, 2), spokenCsv(20, 3)];
  const files = { 'train_sent_emo.csv': train, 'dev_sent_emo.csv': dev, 'test_sent_emo.csv': test_ };
  const { tables } = await runOn('meld', files);
  const [{ seeds, baselines }, ended, ahead] = tables;
  assert.ok(seeds[0].figures['F1 sentiment'] > 0.9, JSON.stringify(seeds[0].figures));
  assert.ok(seeds[0].figures['F1 emotion'] > 0.9);
  assert.ok(baselines[0].figures['F1 sentiment'] < 0.5, 'the lexicon does not know them');
  assert.ok(ended.seeds[0].figures['F1 sentiment'] > 0.9, 'both directions know the words');
  assert.deepEqual(ended.baselines[0].figures, seeds[0].figures);
  // The words are drawn at random: nothing better than the base rate can be said of the next ones.
  assert.ok(Math.abs(ahead.seeds[0].figures.Brier - ahead.baselines[0].figures.Brier) < 0.03);
});

/** Rated user turns: after an agent's `zorg` the user is dissatisfied in four of five cases. */
function ratedJsonl(seed: number, dialogues: number): string {
  const random = new SeededRandom(seed);
  return Array.from({ length: dialogues }, (_, d) => {
    let isBad = false;
    const turns = Array.from({ length: 8 }, (__, seq) => {
      const place = { dialogue: `d${d}`, fold: d % 10, seq };
      if (seq % 2 === 1) {
        isBad = random.next() < 0.25;
        return { ...place, role: 'system', text: isBad ? 'well, zorg' : 'well, mellin' };
      }
      const rating = isBad && random.next() < 0.8 ? 2 : 3;
      return { ...place, role: 'user', text: 'I see', ratings: [rating, rating, 3], label: rating };
    });
    const whole = { dialogue: `d${d}`, fold: d % 10, seq: 8, role: 'user', text: 'OVERALL', overall: true };
    return [...turns, { ...whole, ratings: [3, 3, 4], label: 3 }].map((turn) => JSON.stringify(turn)).join('\n');
  }).join('\n');
}

test('satisfaction is forecast from what was said before the turn, over ten folds, each turn once', async () => {
  const files = { 'mwoz.jsonl': ratedJsonl(1, 70), 'sgd.jsonl': ratedJsonl(2, 10) };
  const { tables, data } = await runOn('satisfaction', files);
  assert.equal(data.series, 80);
  assert.match(tables[0].title, /350 of them/, 'four turns and the whole of each of 70 dialogues');
  assert.match(tables[1].title, /50 of them/);
  const [{ seeds, baselines }] = tables;
  const { UAR, kappa, 'F1 dissatisfied': f1, Brier } = seeds[0].figures;
  assert.ok(UAR > 0.6 && kappa > 0.15 && f1 > 0.35, JSON.stringify(seeds[0].figures));
  assert.ok(Brier < baselines[0].figures.Brier);
});
