/** A declared stream whose forecasts are followed, told from rows whose network always says the same. */
import { ChunkBuilder, type Stream } from '@tideline/pipeline';
import { mulberry32 } from '@tideline/streams';
import { rawRecord, streamOf, TS } from './declared-run.ts';

export const streamWith = (output: string): Stream =>
  streamOf(
    `{name: t, key: k, time: ts, fields: {x: {above: 0}, z: {}}, features: [{op: field, of: z}], ` +
      `output: {kind: quantiles, of: x, ${output}}}`,
  );

export interface Told {
  readonly offset: number;
  readonly head: string;
  readonly fields: Readonly<Record<string, number>>;
}

/** Points of one series whose network always says `z` (the raw outputs: middle, down, up). */
export function tell(
  stream: Stream,
  values: readonly number[],
  options: {
    readonly z?: readonly number[];
    readonly stepMs?: (i: number) => number;
    readonly seen?: (i: number) => number;
    readonly state?: Float64Array;
  } = {},
): Told[] {
  const { z = [0, 0, 0], stepMs = (i) => i * 1_000, seen = () => 0 } = options;
  const builder = new ChunkBuilder(stream.schema, values.length);
  values.forEach((x, i) => {
    stream.decode(rawRecord({ k: 'a', ts: TS + stepMs(i), x, z: seen(i) }, i), builder);
  });
  const chunk = builder.finish(values.length);
  const state = new Float64Array(stream.stateSize);
  const output = options.state ?? new Float64Array(stream.outputState?.size ?? 0);
  const lines: string[] = [];
  for (let row = 0; row < values.length; row += 1) {
    const inputs = new Float32Array(stream.inputSize);
    const context = new Float64Array(stream.contextSize);
    stream.advance(chunk, row, { state, stateAt: 0, inputs, inputAt: 0, context, contextAt: 0 });
    const outputs = Float32Array.from({ length: stream.outputSize }, (_, i) => z[i % z.length]);
    const said = { outputs, outputAt: 0, context, contextAt: 0, inputs, inputAt: 0, state: output, stateAt: 0 };
    stream.emit({ topic: 't', partition: 0 }, chunk, row, said, lines);
  }
  return lines.map((line) => {
    const [head, fields] = line.split(' ');
    const found = Object.fromEntries(
      fields.split(',').map((field) => [field.split('=')[0], Number.parseFloat(field.split('=')[1])]),
    );
    return { offset: found.offset, head, fields: found };
  });
}

export const scoresOf = (told: readonly Told[]): Told[] => told.filter(({ head }) => head.startsWith('score,'));
export const forecastsOf = (told: readonly Told[]): Told[] => told.filter(({ head }) => head.startsWith('forecast,'));

/** Prices whose log returns are normal with the deviation `sigma(i)`. */
export function walk(rows: number, seed: number, sigma: (i: number) => number): number[] {
  const random = mulberry32(seed);
  let log = Math.log(100);
  return Array.from({ length: rows }, (_, i) => {
    log += sigma(i) * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.exp(log);
  });
}
