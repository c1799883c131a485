/** Reads a stream's file: YAML 1.2, of which JSON is a part. */
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { operatorOf } from '../features/operators.ts';
import { NO_CLIP } from '../features/plan.ts';
import type {
  Declaration,
  DeclaredFeature,
  DeclaredField,
  DeclaredPoint,
  QuantileOutput,
  RawOutput,
  TagSource,
} from './declaration.ts';
import { Problems } from './problems.ts';
import { FIELD, featureShape, NAME, OP, PARTS } from './schema.ts';

type Parts = { readonly [P in keyof typeof PARTS]: z.output<(typeof PARTS)[P]> | undefined };

const KNOWN = [...Object.keys(PARTS), 'fields', 'features'];
const INPUTS_MAX = 4_096;

/** The stream that the text declares. `source` names the text in errors. Throws ConfigError with every problem: place, value, cure. */
export function readDeclaration(source: string, text: string): Declaration {
  const problems = new Problems(source);
  const object = readObject(text, problems);
  problems.check();
  for (const key of Object.keys(object))
    if (!KNOWN.includes(key)) problems.add(key, `is nothing that a stream has: use ${KNOWN.join(', ')}`);
  const parts = Object.fromEntries(
    Object.entries(PARTS).map(([name, schema]) => [name, problems.parse(schema as z.ZodType, object[name], name)]),
  ) as unknown as Parts;
  const fields = readFields(object.fields, problems);
  const features = readFeatures(object.features, fields, problems);
  const known = new Set([...fields, ...features].map(({ name }) => name));
  const { output, point } = parts;
  if (output) checkOutput(output, fields, known, problems);
  for (const name of point?.with ?? [])
    if (!known.has(name) && name !== 'offset' && name !== 'partition')
      problems.add('point.with', unknownName(name, [...known, 'offset', 'partition']));
  problems.check();
  const { name = '', key = '', time = { field: '', unit: 'auto' } } = parts;
  return {
    ...{ name, key, time, fields, features },
    output: output ?? { kind: 'raw', fields: [] },
    point: pointOf(point, output?.kind ?? 'raw'),
    model: parts.model ?? name,
    late: parts.late ?? null,
    idleTtlMs: parts.idle_ttl_ms ?? null,
  };
}

function readObject(text: string, problems: Problems): Readonly<Record<string, unknown>> {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  for (const { message } of document.errors)
    problems.add('', `is no YAML: ${message.split('\n')[0].replace(/[.:]$/, '')}`);
  const value: unknown = document.errors.length > 0 ? {} : document.toJS({ maxAliasCount: 100 });
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  problems.add('', `is ${JSON.stringify(value)}, must be a map with name, key, time, fields, features and output`);
  return {};
}

function readFields(value: unknown, problems: Problems): DeclaredField[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0) {
    problems.add('fields', "must be a map of the record's numbers, such as {price: {above: 0}}");
    return [];
  }
  const fields: DeclaredField[] = [];
  for (const [name, rules] of Object.entries(value)) {
    problems.parse(NAME, name, `fields.${name}`);
    const parsed = problems.parse(FIELD, rules ?? {}, `fields.${name}`);
    if (parsed === undefined) continue;
    const { from = name, required, above, at_least: atLeast, at_most: atMost } = parsed;
    fields.push({ name, from, required, above, atLeast, atMost });
  }
  return fields;
}

function readFeatures(value: unknown, fields: readonly DeclaredField[], problems: Problems): DeclaredFeature[] {
  if (!Array.isArray(value) || value.length === 0) {
    problems.add('features', 'must be a list of what the network sees, such as [{op: log_return, of: price}]');
    return [];
  }
  const known = new Map<string, DeclaredField | null>(fields.map((field) => [field.name, field]));
  const features: DeclaredFeature[] = [];
  (value as readonly unknown[]).forEach((item, i) => {
    const feature = readFeature(item, `features[${i}]`, problems);
    if (feature === undefined) return;
    checkSources(feature, `features[${i}]`, known, problems);
    if (known.has(feature.name))
      problems.add(`features[${i}].name`, `is "${feature.name}", a name that is taken: give it another 'name'`);
    known.set(feature.name, null);
    features.push(feature);
  });
  if (features.length < value.length) return features; // what is wrong is told already
  const inputs = features.filter(({ isInput }) => isInput).length;
  if (inputs === 0 || inputs > INPUTS_MAX)
    problems.add('features', `has ${inputs} inputs of the network, must have 1 to ${INPUTS_MAX}`);
  return features;
}

function readFeature(item: unknown, place: string, problems: Problems): DeclaredFeature | undefined {
  const op = problems.parse(
    OP,
    typeof item === 'object' && item !== null ? (item as { op?: unknown }).op : item,
    `${place}.op`,
  );
  const parsed = op && (problems.parse(featureShape(op), item, place) as Record<string, unknown> | undefined);
  if (!op || parsed === undefined) return undefined;
  const { op: _, name, of = [], scale, clip, absent, input, ...parameters } = parsed;
  const sources = of as readonly string[];
  return {
    name: (name as string | undefined) ?? [op, ...sources].join('_'),
    ...{ op, of: sources, parameters, scale: scale as number, absent: absent as number },
    clip: (clip as readonly [number, number] | undefined) ?? NO_CLIP,
    isInput: input as boolean,
  };
}

function checkSources(
  { op, of }: DeclaredFeature,
  place: string,
  known: ReadonlyMap<string, DeclaredField | null>,
  problems: Problems,
): void {
  for (const source of of) {
    const field = known.get(source);
    if (field === undefined) problems.add(`${place}.of`, unknownName(source, [...known.keys()]));
    else if (field !== null && 'positive' in operatorOf(op) && !(field.above >= 0 || field.atLeast > 0))
      problems.add(
        `${place}.of`,
        `is "${source}", but ${op} takes the logarithm: declare fields.${source} with 'above: 0'`,
      );
  }
}

function checkOutput(
  output: RawOutput | QuantileOutput,
  fields: readonly DeclaredField[],
  known: ReadonlySet<string>,
  problems: Problems,
): void {
  if (output.kind === 'raw') return;
  const field = fields.find(({ name }) => name === output.of);
  if (!known.has(output.of)) problems.add('output.of', unknownName(output.of, [...known]));
  else if (field && !(field.above >= 0 || field.atLeast > 0))
    problems.add(
      'output.of',
      `is "${output.of}", whose log return is forecast: declare fields.${output.of} with 'above: 0'`,
    );
  if (output.unit !== null && !known.has(output.unit))
    problems.add('output.unit', unknownName(output.unit, [...known]));
}

function unknownName(name: string, known: readonly string[]): string {
  return `is "${name}", which is no field and no feature before it: use one of ${known.join(', ')}`;
}

function pointOf(point: Parts['point'], kind: 'raw' | 'quantiles'): DeclaredPoint {
  const { measurement = 'forecast', time = 'unique' } = point ?? {};
  const tags: Readonly<Record<string, TagSource>> = point?.tags ?? {
    ...(kind === 'quantiles' ? { horizon: 'horizon' as const } : {}),
    ...{ model: 'model', series: 'key', stream: 'stream' },
  };
  return {
    ...{ measurement, time },
    tags: Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)),
    with: point?.with ?? (kind === 'quantiles' ? ['offset', 'partition'] : []),
  };
}
