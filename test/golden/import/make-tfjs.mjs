/**
 * Makes the TensorFlow.js fixture of the import tests (see make.py): a layers model exactly as TensorFlow.js saves it.
 *
 *     mkdir tfjs && cd tfjs && npm init -y && npm install @tensorflow/tfjs@4.22.0 && node ../make-tfjs.mjs
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const tf = createRequire(`${process.cwd()}/`)('@tensorflow/tfjs');
const FOLDER = new URL('./', import.meta.url);
const [INPUTS, HIDDEN, OUTPUTS, STEPS, BATCH] = [3, 5, 2, 9, 2];

const model = tf.sequential();
const recurrent = { units: HIDDEN, recurrentActivation: 'sigmoid', returnSequences: true };
model.add(tf.layers.gru({ ...recurrent, inputShape: [null, INPUTS] }));
model.add(tf.layers.gru(recurrent));
model.add(tf.layers.timeDistributed({ layer: tf.layers.dense({ units: OUTPUTS }) }));
model.setWeights(model.getWeights().map(({ shape }, i) => tf.randomUniform(shape, -0.9, 0.9, 'float32', 31 + i)));

await model.save(
  tf.io.withSaveHandler(async ({ weightData, weightSpecs, ...rest }) => {
    const folder = new URL('keras/tfjs-gru/', FOLDER);
    await mkdir(folder, { recursive: true });
    await writeFile(new URL('weights.bin', folder), Buffer.from(weightData));
    const manifest = [{ paths: ['./weights.bin'], weights: weightSpecs }];
    await writeFile(new URL('model.json', folder), `${JSON.stringify({ ...rest, weightsManifest: manifest })}\n`);
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  }),
);
const inputs = tf.randomUniform([BATCH, STEPS, INPUTS], -2, 2, 'float32', 77);
const outputs = model.predict(inputs);
const content = { sequences: BATCH, steps: STEPS, inputs: [...inputs.dataSync()], outputs: [...outputs.dataSync()] };
await writeFile(new URL('expected/tfjs-gru.json', FOLDER), `${JSON.stringify(content)}\n`);
