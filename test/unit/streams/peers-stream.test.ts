/** The stream of the peers' benchmark against the benchmark's own features, as numpy computes them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChunkBuilder } from '@tideline/pipeline';
import { createStream } from '@tideline/streams';
import { ROOT } from '../../e2e/services.ts';
import { advanceAll, rawRecord } from './declared-run.ts';

const STREAM = createStream(join(ROOT, 'test', 'bench', 'peers', 'tideline', 'stream.yaml'), { modelName: 'peers' });
const GOLDEN = JSON.parse(readFileSync(join(ROOT, 'test', 'golden', 'peers-features.json'), 'utf8')) as {
  readonly records: readonly string[];
  readonly features: readonly (readonly number[])[];
};

test("the declared stream sees of the benchmark's ticks what numpy says, to the bit of a float32", () => {
  const rows = advanceAll(
    STREAM,
    GOLDEN.records.map((text, offset) => rawRecord(text, offset)),
  );
  assert.equal(rows.length, 400);
  rows.forEach(({ inputs }, i) => {
    // -0 and 0 are one value to a network: sign and gap have both.
    assert.deepEqual(
      inputs.map((value) => value + 0),
      GOLDEN.features[i].map((value) => value + 0),
      `record ${i}: ${GOLDEN.records[i]}`,
    );
  });
});

test("the declared stream's point has the declared measurement, tag, fields and the event time itself", () => {
  const builder = new ChunkBuilder(STREAM.schema, 1);
  STREAM.decode(rawRecord({ symbol: 'S 1', ts: 1_767_225_600_123, price: 10, size: 5 }, 77), builder);
  const lines: string[] = [];
  const output = {
    outputs: Float32Array.of(9, -0.25, 0.5, 1.5),
    outputAt: 1,
    context: new Float64Array(0),
    contextAt: 0,
    ...{ inputs: new Float32Array(1), inputAt: 0, state: new Float64Array(0), stateAt: 0 },
  };
  STREAM.emit({ topic: 'peers', partition: 3 }, builder.finish(78), 0, output, lines);
  assert.deepEqual(lines, ['forecast,symbol=S\\ 1 q10=-0.25,q50=0.5,q90=1.5 1767225600123000000']);
});
