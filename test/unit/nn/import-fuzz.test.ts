/** A damaged file of another program is refused by one typed error, or it is a model: nothing else, and at once. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ImportError, importModel } from '@tideline/nn';
import fc from 'fast-check';

const FOLDER = fileURLToPath(new URL('../../../golden/import/', import.meta.url));
/** Far more than any of these small files takes on a busy machine (a few ms). */
const IMPORT_MS_MAX = 5_000;
const RUNS = 60;

/** The file that is damaged, and the one that is imported. */
const TARGETS: readonly { readonly damaged: string; readonly named: string }[] = [
  ...['lstm-step', 'lstm-nodes', 'gru-step', 'lstm-sequence', 'gru-external', 'lstm-dynamo'].map((name) => ({
    damaged: `onnx/${name}.onnx`,
    named: `onnx/${name}.onnx`,
  })),
  { damaged: 'torch/lstm.safetensors', named: 'torch/lstm.safetensors' },
  { damaged: 'torch/lstm-float16.safetensors', named: 'torch/lstm-float16.safetensors' },
  { damaged: 'keras/lstm/model.json', named: 'keras/lstm' },
  { damaged: 'keras/gru-after/group1-shard2of2.bin', named: 'keras/gru-after' },
  { damaged: 'raw/weights.json', named: 'raw/weights.json' },
  { damaged: 'raw/weights.bin', named: 'raw/weights.json' },
];

let work = '';
before(async () => {
  work = await mkdtemp(join(tmpdir(), 'tideline-fuzz-'));
  await cp(FOLDER, work, { recursive: true });
});
after(() => rm(work, { recursive: true }));

/** Bytes overwritten, a piece cut out, or the end cut off. */
const damage = fc.oneof(
  fc.record({
    kind: fc.constant('bytes' as const),
    edits: fc.array(fc.tuple(fc.nat(1_000_000), fc.nat(255)), { minLength: 1, maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('cut' as const), from: fc.nat(1_000_000), length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant('end' as const), at: fc.nat(1_000_000) }),
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function damaged(file: Buffer, how: Damage): Buffer {
  if (how.kind === 'end') return file.subarray(0, how.at % file.length);
  if (how.kind === 'cut') {
    const from = how.from % file.length;
    return Buffer.concat([file.subarray(0, from), file.subarray(from + how.length)]);
  }
  const bytes = Buffer.from(file);
  for (const [at, value] of how.edits) bytes[at % bytes.length] = value;
  return bytes;
}

for (const target of TARGETS)
  test(`${target.damaged}, damaged in ${RUNS} ways, is refused by an ImportError or is a finite model`, async () => {
    const path = join(work, target.damaged);
    const whole = await readFile(path);
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        await writeFile(path, damaged(whole, how));
        const started = performance.now();
        try {
          const { model } = await importModel(join(work, target.named));
          assert.match(model.digest, /^[0-9a-f]{64}$/);
        } catch (error) {
          if (!(error instanceof ImportError)) throw error;
        }
        assert(performance.now() - started < IMPORT_MS_MAX);
      }),
      { numRuns: RUNS },
    );
    await writeFile(path, whole);
  });
