import type { LatePolicy, RowBuffers, Stream } from '@tideline/pipeline';
import { TIME_PLACE } from '../features/operator.ts';
import { compilePlan, type Plan } from '../features/plan.ts';
import type { Declaration } from './declaration.ts';
import { decodeDeclared } from './decode.ts';
import { type Emit, rawPoints } from './points.ts';
import { quantilePoints } from './quantile-points.ts';

export interface DeclaredStreamOptions {
  /** Tag `model` of the points. */
  readonly modelName: string;
  readonly late?: LatePolicy;
  /** null: never. */
  readonly idleTtlMs?: number | null;
}

/** Values of a row that its points and targets are made of, by name; they stand in the row's context in this order. */
export function contextNames({ output, point }: Declaration): readonly string[] {
  const named = output.kind === 'raw' ? [] : [output.of, ...(output.unit === null ? [] : [output.unit])];
  return [...new Set([...named, ...point.with.filter((name) => name !== 'offset' && name !== 'partition')])];
}

/** The stream that a declaration describes: the declaration as a flat plan over arrays. */
export function createDeclaredStream(declaration: Declaration, options: DeclaredStreamOptions): Stream {
  const { name, fields, features, output } = declaration;
  const plan = compilePlan(
    fields.map((field) => field.name),
    features,
  );
  const late = options.late ?? declaration.late;
  const idleTtlMs = options.idleTtlMs === undefined ? declaration.idleTtlMs : options.idleTtlMs;
  const inputs = features.filter(({ isInput }) => isInput);
  const context = contextNames(declaration);
  const emit: Emit =
    output.kind === 'raw'
      ? rawPoints(declaration, output, context, options.modelName)
      : quantilePoints(declaration, output, context, options.modelName);
  return {
    name,
    ...(late === null ? {} : { late }),
    ...(idleTtlMs === null ? {} : { idleTtlMs }),
    schema: { numbers: fields.map((field) => field.name), texts: [] },
    stateSize: plan.stateSize,
    contextSize: context.length,
    inputSize: inputs.length,
    outputSize: output.kind === 'raw' ? output.fields.length : output.levels.length * output.horizons.length,
    decode: (record, builder) => decodeDeclared(declaration, record, builder),
    advance: advanceOf(declaration, plan, context),
    emit,
  };
}

/** A number that a float32 cannot hold would be infinite, and quarantine its series. */
const FLOAT32_MAX = 3.4028234663852886e38;

function advanceOf({ fields, features }: Declaration, plan: Plan, contextOf: readonly string[]): Stream['advance'] {
  const places = (names: readonly string[]): Uint32Array =>
    Uint32Array.from(names, (name) => plan.place.get(name) ?? 0);
  const inputs = features.filter(({ isInput }) => isInput);
  const inputPlaces = places(inputs.map(({ name }) => name));
  const absent = Float64Array.from(inputs, (feature) => feature.absent);
  const contextPlaces = places(contextOf);
  const columns = fields.length;
  const values = new Float64Array(plan.size);
  return (chunk, row, buffers: RowBuffers) => {
    values[TIME_PLACE] = chunk.timeMs[row] + chunk.timeSubNs[row] / 1e6;
    for (let i = 0; i < columns; i += 1) values[TIME_PLACE + 1 + i] = chunk.numbers[i][row];
    plan.advance(values, buffers.state, buffers.stateAt);
    const { inputAt, contextAt } = buffers;
    for (let i = 0; i < inputPlaces.length; i += 1) {
      const value = values[inputPlaces[i]];
      buffers.inputs[inputAt + i] = Number.isNaN(value)
        ? absent[i]
        : Math.max(-FLOAT32_MAX, Math.min(FLOAT32_MAX, value));
    }
    for (let i = 0; i < contextPlaces.length; i += 1) buffers.context[contextAt + i] = values[contextPlaces[i]];
    return 'step';
  };
}
