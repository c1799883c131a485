/** What cannot be taken over is refused by the first node, layer, tensor or file at fault, with its value and a cure. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ImportError, type ImportOptions, importModel, ModelError } from '@tideline/nn';

const FOLDER = fileURLToPath(new URL('../../../golden/import/', import.meta.url));
let work = '';

before(async () => {
  work = await mkdtemp(join(tmpdir(), 'tideline-import-'));
  await cp(FOLDER, work, { recursive: true });
});
after(() => rm(work, { recursive: true }));

async function refusal(file: string, options?: ImportOptions): Promise<string> {
  let message = '';
  await assert.rejects(importModel(join(work, file), options), (error) => {
    assert(error instanceof ImportError && error instanceof ModelError, String(error));
    assert.match(error.message, /\.$/);
    message = error.message;
    return true;
  });
  return message;
}

/** A copy of a fixture with one text in place of another of the same length. */
async function patched(file: string, from: string, to: string): Promise<string> {
  assert.equal(from.length, to.length);
  const text = await readFile(join(work, file), 'latin1');
  assert(text.includes(from), `${file} has no ${from}`);
  const copy = file.replace(/(\.[a-z]+)$/, '-patched$1');
  await writeFile(join(work, copy), text.replaceAll(from, to), 'latin1');
  return copy;
}

async function written(file: string, content: string | Uint8Array): Promise<string> {
  await mkdir(join(work, file, '..'), { recursive: true });
  await writeFile(join(work, file), content);
  return file;
}

test('an ONNX operation that no recurrent network is made of is named with its node', async () => {
  assert.match(
    await refusal(await patched('onnx/lstm-step.onnx', 'Sigmoid', 'Softmax')),
    /node '\/Softmax' \(Softmax\) is no operation .* Export the network up to its head's logits\.$/,
  );
  assert.match(await refusal(await patched('onnx/rnn-step-scaled.onnx', 'Tanh', 'Relu')), /node '\/Relu' \(Relu\)/);
});

test('a graph that is no cell is refused by its output', async () => {
  assert.match(
    await refusal(await patched('onnx/gru-step.onnx', 'Tanh', 'Sqrt')),
    /node '\/Sqrt' \(Sqrt\) is no operation/,
  );
  // (A node's operation is field 4, three bytes long.) n + z h instead of (1 - z) n + z h, twice.
  assert.match(
    await refusal(await patched('onnx/gru-step.onnx', '"\x03Sub', '"\x03Add')),
    /has the output 'y', which is no linear head on the hidden state of an RNN, GRU or LSTM/,
  );
});

test('attributes of ONNX nodes that the cells here do not have are named with their values', async () => {
  assert.match(
    await refusal(await patched('onnx/lstm-dynamo.onnx', 'forward', 'reverse')),
    /\(LSTM\) has direction = 'reverse', must be 'forward'\. A state cannot be carried backwards in time/,
  );
  assert.match(
    await refusal(await patched('onnx/gru-nodes.onnx', 'linear_before_reset', 'linear_behind_reset')),
    /\(GRU\) has the attribute linear_behind_reset = 1, which is not known here/,
  );
});

test('ONNX data outside of the folder of the model is not read, through links neither', async (t) => {
  const climbing = await patched('onnx/gru-external.onnx', 'gru-external.weights', '../torch/secret.file');
  assert.match(await refusal(climbing), /names the file '\.\.\/torch\/secret\.file' outside of the model's folder/);
  const absolute = await patched('onnx/gru-external.onnx', 'gru-external.weights', '/etc/../etc/password');
  assert.match(await refusal(absolute), /'\/etc\/\.\.\/etc\/password' outside/);
  const missing = await patched('onnx/gru-external.onnx', 'gru-external.weights', 'not-external.weights');
  assert.match(await refusal(missing), /needs the file '.*not-external\.weights', which cannot be read \(ENOENT\)/);
  const inside = join(work, 'linked', 'gru-external.weights');
  await mkdir(join(work, 'linked'));
  await cp(join(work, 'onnx/gru-external.onnx'), join(work, 'linked/gru-external.onnx'));
  await symlink(join(work, 'onnx/gru-external.weights'), inside);
  assert.match(await refusal('linked/gru-external.onnx'), /outside of the model's folder/);
  await t.test('a link to the named file itself is followed', async () => {
    await symlink(join(work, 'torch/gru.safetensors'), join(work, 'linked/gru.safetensors'));
    assert.equal((await importModel(join(work, 'linked/gru.safetensors'))).model.spec.cell, 'gru');
  });
});

test('formats that run code or need conversion are known by their first bytes, with the cure', async () => {
  const cases: readonly [string, string, RegExp][] = [
    ['net.pt', 'PK\x03\x04...', /ZIP archive .*safetensors\.torch\.save_file/],
    ['net.pkl', '\x80\x02}q', /pickle, which can run code/],
    ['net.h5', '\x89HDF\r\n\x1a\n...', /HDF5 file .*tensorflowjs_converter --input_format keras/],
    ['net.keras', 'PK\x03\x04...', /\.keras archive.*tensorflowjs_converter/],
    ['model.tdl', 'TIDELINE....', /a Tideline model already/],
    ['empty.onnx', '', /is empty/],
    ['notes.txt', 'What a model this is.', /is no whole ONNX file|holds no ONNX graph/],
    ['other.json', '{"weights": 3}', /neither a TensorFlow\.js model\.json .* nor a weights\.json/],
  ];
  for (const [file, content, message] of cases)
    assert.match(await refusal(await written(file, Buffer.from(content, 'latin1'))), message);
  assert.match(await refusal('nothing/here.onnx'), /There is no model at .*\(ENOENT\)/);
  await mkdir(join(work, 'bare'));
  assert.match(await refusal('bare'), /The folder '.*bare' has none of model\.json/);
});

/** A safetensors file of these tensors, all float32 zeros, or with a header as given. */
function safetensors(
  tensors: Readonly<Record<string, readonly number[]>>,
  change: (header: object) => object = (h) => h,
): Buffer {
  let at = 0;
  const entries = Object.entries(tensors).map(([name, shape]) => {
    const begin = at;
    at += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }] as const;
  });
  const header = Buffer.from(JSON.stringify(change(Object.fromEntries(entries))));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(at)]);
}

const GRU = { 'g.weight_ih_l0': [6, 3], 'g.weight_hh_l0': [6, 2], 'g.bias_ih_l0': [6], 'g.bias_hh_l0': [6] };

test('PyTorch tensors that have no place are named with their shapes', async () => {
  const cases: readonly [Readonly<Record<string, readonly number[]>>, RegExp][] = [
    [{ 'fc.weight': [2, 3] }, /has no tensor named like weight_ih_l0: it holds 'fc\.weight'/],
    [{ ...GRU, 'g.weight_ih_l0_reverse': [6, 3] }, /'g\.weight_ih_l0_reverse' belongs to a bidirectional network/],
    [{ ...GRU, 'g.weight_hr_l0': [1, 2] }, /'g\.weight_hr_l0' belongs to a projected \(proj_size\) network/],
    [
      { ...GRU, 'fc.weight': [4, 2], 'norm.weight': [2] },
      /'norm\.weight' of shape \[2\] has no place.* \(taken: 'fc\.weight'\)/,
    ],
    [{ ...GRU, 'a.weight': [4, 2], 'b.weight': [4, 4] }, /'a\.weight' of shape \[4, 2\] has no place/],
    [{ ...GRU, 'fc.weight': [4, 3] }, /the head 'fc\.weight' has shape \[4, 3\], on a hidden size of 2/],
    [{ ...GRU, 'g.weight_hh_l0': [5, 2] }, /'g\.weight_hh_l0' has shape \[5, 2\], which is 2\.5 gates of 2/],
    [{ ...GRU, 'g.bias_hh_l0': [4] }, /'g\.bias_hh_l0' has shape \[4\], its place needs \[6\]/],
    [{ ...GRU, 'g.weight_ih_l1': [6, 2] }, /layer 'g\.l1' has no tensor weight_hh/],
    [{ ...GRU, 'g.weight_ih_l2': [6, 2], 'g.weight_hh_l2': [6, 2] }, /has the layers 0, 2; they must count up from 0/],
    [
      { ...GRU, 'other.weight_ih_l0': [6, 3], 'other.weight_hh_l0': [6, 2] },
      /several recurrent networks: 'g\.', 'other\.'/,
    ],
  ];
  for (const [tensors, message] of cases)
    assert.match(await refusal(await written('case.safetensors', safetensors(tensors))), message);
  const gru = await written('gru.safetensors', safetensors(GRU));
  assert.match(
    await refusal(gru, { cell: 'lstm' }),
    /that is one gru and no lstm\. Give --cell gru or leave it out\.$/,
  );
});

test('numbered cells and one-layer modules are layers in the order of their numbers', async () => {
  const tensors = Object.fromEntries(
    [10, 2, 1].flatMap((k) => [
      [`cells.${k}.weight_ih`, [6, k === 1 ? 3 : 2]],
      [`cells.${k}.weight_hh`, [6, 2]],
    ]),
  );
  const file = await written('cells.safetensors', safetensors(tensors));
  const { model, notes } = await importModel(join(work, file));
  assert.deepEqual(model.spec, { name: 'cells', cell: 'gru', inputSize: 3, hiddenSize: 2, layers: 3, outputSize: 2 });
  assert.deepEqual(notes, ["The file has no linear head: the outputs are the last layer's hidden state."]);
  assert.deepEqual([...model.weights.headW], [1, 0, 0, 1]);
});

test('a safetensors header that lies is refused', async () => {
  const cases: readonly [Buffer, RegExp][] = [
    [safetensors(GRU).subarray(0, 7), /is no whole ONNX file|damaged/],
    [safetensors(GRU).subarray(0, -1), /damaged or truncated/],
    [Buffer.concat([safetensors(GRU), Buffer.alloc(1)]), /tensors take \d+ bytes, \d+ are there/],
    [
      safetensors(GRU, (h) => ({ ...h, x: { dtype: 'I8', shape: [1], data_offsets: [0, 1] } })),
      /tensor 'x' has the dtype "I8"/,
    ],
    [
      safetensors(GRU, (h) => ({ ...h, x: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } })),
      /starts at byte 0, the one before ends at/,
    ],
    [
      safetensors(GRU, (h) => ({ ...h, x: { dtype: 'F32', shape: [2], data_offsets: [192, 196] } })),
      /its shape needs 8 bytes/,
    ],
    [
      safetensors(GRU, (h) => ({ ...h, x: { dtype: 'F32', shape: [-1], data_offsets: [0, 0] } })),
      /has the shape \[-1\]/,
    ],
    [
      safetensors(GRU, (h) => ({ ...h, x: { dtype: 'F32', shape: [2 ** 20, 2 ** 20], data_offsets: [0, 0] } })),
      /has the shape \[1048576,1048576\]/,
    ],
  ];
  for (const [bytes, message] of cases) assert.match(await refusal(await written('lie.safetensors', bytes)), message);
});

test('weights that are not finite are refused by tensor and place', async () => {
  const bytes = safetensors(GRU);
  bytes.writeFloatLE(Number.NaN, bytes.length - 4);
  assert.match(await refusal(await written('nan.safetensors', bytes)), /tensor bias_hh_l0 holds NaN at index 5/);
});

/** Free JSON, which a test breaks on purpose. */
type Json = ReturnType<typeof JSON.parse>;

/** A copy of a Keras fixture with its model.json changed. */
async function keras(name: string, change: (model: Json) => void): Promise<string> {
  const model = JSON.parse(await readFile(join(work, 'keras', name, 'model.json'), 'utf8')) as Json;
  change(model);
  return written(`keras/${name}/changed.json`, JSON.stringify(model));
}

test('Keras layers and settings that the cells here do not have are named with their values', async () => {
  const layer = (model: Json, k: number): Json => model.modelTopology.model_config.config.layers[k];
  const cases: readonly [string, (model: Json) => void, RegExp][] = [
    [
      'lstm',
      (m) => {
        layer(m, 1).config.recurrent_activation = 'hard_sigmoid';
      },
      /layer 'lower' \(LSTM\) has recurrent_activation "hard_sigmoid", must be "sigmoid"/,
    ],
    [
      'lstm',
      (m) => {
        layer(m, 3).config.activation = 'relu';
      },
      /layer 'upper' \(LSTM\) has activation "relu", must be "tanh"/,
    ],
    [
      'lstm',
      (m) => {
        layer(m, 3).config.go_backwards = true;
      },
      /'upper' \(LSTM\) has go_backwards true, must be false/,
    ],
    [
      'lstm',
      (m) => {
        layer(m, 1).config.return_sequences = false;
      },
      /layer 'lower' has return_sequences false, must be true below/,
    ],
    [
      'lstm',
      (m) => {
        layer(m, 1).class_name = 'Bidirectional';
      },
      /layer 'lower' is a Bidirectional, .*backwards in time/,
    ],
    [
      'lstm',
      (m) => {
        layer(m, 2).class_name = 'BatchNormalization';
      },
      /is a BatchNormalization.*Fold it into/,
    ],
    [
      'lstm',
      (m) => {
        layer(m, 1).config.units = 6;
      },
      /'lower' \(LSTM\) has a kernel of shape \[3, 20\] for 6 units/,
    ],
    [
      'rnn',
      (m) => {
        layer(m, 2).config.activation = 'softmax';
      },
      /layer 'head' \(Dense\) has activation "softmax", must be "linear"/,
    ],
    [
      'gru-after',
      (m) => {
        layer(m, 1).config.reset_after = false;
      },
      /'gru' \(GRU\) has a bias of shape \[2, 15\], must be \[15\]/,
    ],
    [
      'gru-after',
      (m) => {
        layer(m, 2).inbound_nodes = [];
      },
      /layer 'head' reads nothing, must read 'gru'/,
    ],
    [
      'rnn',
      (m) => {
        m.format = 'graph-model';
      },
      /graph model, whose layers are gone.*tfjs_layers_model/,
    ],
    [
      'rnn',
      (m) => {
        m.weightsManifest[0].paths = ['../lstm/group1-shard1of2.bin'];
      },
      /outside of the model's folder/,
    ],
    [
      'rnn',
      (m) => {
        m.weightsManifest[0].paths.pop();
      },
      /ends at byte \d+, its shards have 111\. Copy all shards/,
    ],
    [
      'rnn',
      (m) => {
        m.weightsManifest[0].weights[0].dtype = 'int32';
      },
      /has the dtype "int32", must be float32/,
    ],
    [
      'rnn',
      (m) => {
        m.weightsManifest[0].weights[0].quantization = { dtype: 'uint4' };
      },
      /is quantized as \{"dtype":"uint4"\}/,
    ],
  ];
  for (const [name, change, message] of cases) assert.match(await refusal(await keras(name, change)), message);
});

test('the raw form is refused where its two files do not agree', async () => {
  const base = JSON.parse(await readFile(join(work, 'raw/weights.json'), 'utf8')) as Json;
  const cases: readonly [Json, RegExp][] = [
    [{ dtype: 'float16' }, /dtype is "float16", must be "float32"/],
    [{ layout: 'keras' }, /layout is "keras", must be "torch"/],
    [{ hidden: 6 }, /hidden is 6, its tensors have 5/],
    [{ file: '../onnx/gru-external.weights' }, /outside of the model's folder/],
    [{ tensors: [...base.tensors, base.tensors[0]] }, /its tensors have 512 values, the weights have 452/],
    [{ tensors: [{ ...base.tensors[0], offset: 400 }] }, /lies at value 400, 60 values long/],
    [{ tensors: [{ ...base.tensors[0], shape: [20, -3] }] }, /has the shape \[20,-3\]/],
  ];
  for (const [change, message] of cases)
    assert.match(
      await refusal(await written('raw/changed.json', JSON.stringify({ file: 'weights.bin', ...base, ...change }))),
      message,
    );
});
