import type { Model } from '@tideline/nn';
import type { LatePolicy, RowBuffers, Stream } from '@tideline/pipeline';
import { createBars } from '../features/bars.ts';
import { TIME_PLACE } from '../features/operator.ts';
import type { Declaration } from './declaration.ts';
import { declaredDecoder } from './decode.ts';
import { type KeyVector, keyVectorOf } from './key-vector.ts';
import { declaredPoints } from './points.ts';
import { type RowValues, rowValuesOf } from './row-values.ts';

export interface DeclaredStreamOptions {
  /** Tag `model` of the points. */
  readonly modelName: string;
  /** The model that will step, where the stream declares an embedding; without, its inputs are 0. */
  readonly model?: Pick<Model, 'spec' | 'weights'>;
  readonly late?: LatePolicy;
  /** null: never. */
  readonly idleTtlMs?: number | null;
}

/** The stream that a declaration describes: the declaration as a flat plan over arrays. */
export function createDeclaredStream(declaration: Declaration, options: DeclaredStreamOptions): Stream {
  const { name, fields, output } = declaration;
  const rows = rowValuesOf(declaration);
  const late = options.late ?? declaration.late;
  const idleTtlMs = options.idleTtlMs === undefined ? declaration.idleTtlMs : options.idleTtlMs;
  const steps = stepsOf(declaration, rows);
  const points = declaredPoints(declaration, rows, options.modelName);
  const { stateSize, ...plain } = declaration.bars === null ? steps : barsBefore(declaration, declaration.bars, steps);
  const inputs = declaration.features.filter(({ isInput }) => isInput).length;
  const vector = keyVectorOf(name, declaration.embedding, options.model);
  const advance = vector === null ? plain.advance : withKeyVector(plain.advance, vector, inputs);
  return {
    name,
    looksForSaturation: true,
    ...(late === null ? {} : { late }),
    ...(idleTtlMs === null ? {} : { idleTtlMs }),
    schema: { numbers: fields.map((field) => field.name), texts: [] },
    stateSize: stateSize + (declaration.repeatsByTime ? LAST_TIME_SIZE : 0),
    contextSize: rows.contextPlaces.length,
    inputSize: inputs + (vector?.size ?? 0),
    outputSize: output.kind === 'raw' ? output.fields.length : output.levels.length * output.horizons.length,
    decode: declaredDecoder(declaration),
    ...(declaration.repeatsByTime ? repeatingByTime(advance, stateSize) : { advance }),
    ...(points.outputState === null ? {} : { outputState: points.outputState }),
    emit: points.emit,
  };
}

/** A number that a float32 cannot hold would be infinite, and quarantine its series. */
const FLOAT32_MAX = 3.4028234663852886e38;

/** Advances a row whose time and fields stand in `values`. */
interface Steps {
  readonly values: Float64Array;
  readonly stateSize: number;
  step(buffers: RowBuffers, stateAt: number): void;
  readonly advance: Stream['advance'];
}

/** Every record is a step: its fields become features, inputs and context. */
function stepsOf({ fields, features }: Declaration, { plan, contextPlaces }: RowValues): Steps {
  const inputs = features.filter(({ isInput }) => isInput);
  const inputPlaces = Uint32Array.from(inputs, ({ name }) => plan.place.get(name) ?? 0);
  const absent = Float64Array.from(inputs, (feature) => feature.absent);
  const values = new Float64Array(plan.size);
  const columns = fields.length;
  const step = (buffers: RowBuffers, stateAt: number): void => {
    plan.advance(values, buffers.state, stateAt);
    const { inputAt, contextAt } = buffers;
    for (let i = 0; i < inputPlaces.length; i += 1) {
      const value = values[inputPlaces[i]];
      buffers.inputs[inputAt + i] = Number.isNaN(value)
        ? absent[i]
        : Math.max(-FLOAT32_MAX, Math.min(FLOAT32_MAX, value));
    }
    for (let i = 0; i < contextPlaces.length; i += 1) buffers.context[contextAt + i] = values[contextPlaces[i]];
  };
  const advance: Stream['advance'] = (chunk, row, buffers) => {
    values[TIME_PLACE] = chunk.timeMs[row] + chunk.timeSubNs[row] / 1e6;
    for (let i = 0; i < columns; i += 1) values[TIME_PLACE + 1 + i] = chunk.numbers[i][row];
    step(buffers, buffers.stateAt);
    return 'step';
  };
  return { values, stateSize: plan.stateSize, step, advance };
}

/** A record is a tick: the network steps when a bar closes. The open bar stands before the features' state. */
function barsBefore(
  { fields }: Declaration,
  { rule, price, volume }: NonNullable<Declaration['bars']>,
  steps: Steps,
): { readonly stateSize: number; readonly advance: Stream['advance'] } {
  const placeOf = (name: string): number => TIME_PLACE + 1 + fields.findIndex((field) => field.name === name);
  const bars = createBars(rule, {
    price: placeOf(price),
    volume: volume === null ? -1 : placeOf(volume),
    fields: fields.length,
  });
  const tick = new Float64Array(TIME_PLACE + 1 + fields.length);
  const columns = fields.length;
  return {
    stateSize: bars.stateSize + steps.stateSize,
    advance(chunk, row, buffers) {
      tick[TIME_PLACE] = chunk.timeMs[row] + chunk.timeSubNs[row] / 1e6;
      for (let i = 0; i < columns; i += 1) tick[TIME_PLACE + 1 + i] = chunk.numbers[i][row];
      if (!bars.take(tick, steps.values, buffers.state, buffers.stateAt)) return 'skip';
      steps.step(buffers, buffers.stateAt + bars.stateSize);
      return 'step';
    },
  };
}

/** What the model learnt of the row's series stands behind its `features` inputs. */
function withKeyVector(advance: Stream['advance'], vector: KeyVector, features: number): Stream['advance'] {
  return (chunk, row, buffers) => {
    const outcome = advance(chunk, row, buffers);
    if (outcome === 'step') vector.write(chunk.keys[chunk.keyOf[row]], buffers.inputs, buffers.inputAt + features);
    return outcome;
  };
}

/** Event time of the record before, ms and the ns within it; 0: there was none. */
const LAST_TIME_SIZE = 2;

/** The time of the record before stands behind the features' state. */
function repeatingByTime(advance: Stream['advance'], at: number): Pick<Stream, 'advance' | 'repeats'> {
  return {
    advance(chunk, row, buffers) {
      const { state, stateAt } = buffers;
      state[stateAt + at] = chunk.timeMs[row];
      state[stateAt + at + 1] = chunk.timeSubNs[row];
      return advance(chunk, row, buffers);
    },
    repeats: (chunk, row, state, stateAt) =>
      chunk.timeMs[row] === state[stateAt + at] && chunk.timeSubNs[row] === state[stateAt + at + 1],
  };
}
