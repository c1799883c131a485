/** Reads a stream's file: YAML 1.2, of which JSON is a part. */
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { BAR_VALUES } from '../features/bars.ts';
import { checkFurther, checkOutput, unlessPositive } from './check-names.ts';
import type {
  Declaration,
  DeclaredBars,
  DeclaredField,
  DeclaredPoint,
  QuantileOutput,
  TagSource,
} from './declaration.ts';
import { Problems } from './problems.ts';
import { readFeatures } from './read-features.ts';
import { FIELD, NAME, PARTS } from './schema.ts';

type Parts = { readonly [P in keyof typeof PARTS]: z.output<(typeof PARTS)[P]> | undefined };

const KNOWN = [...Object.keys(PARTS), 'fields', 'features'];

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
  const bars = barsOf(parts, fields, problems);
  // Names of what a feature can be made of; those that are known to be above 0 have the value true.
  const named = new Map(fields.map((field) => [field.name, isPositive(field)]));
  if (bars) for (const name of BAR_VALUES) named.set(name, ['open', 'high', 'low', 'close', 'vwap'].includes(name));
  const features = readFeatures(object.features, named, problems);
  const { output, point } = parts;
  if (output?.kind === 'quantiles') checkOutput(output, named, problems);
  if (output) checkFurther(point?.with ?? [], output, named, problems);
  problems.check();
  const { name = '', key = '', time = { field: '', unit: 'auto' } } = parts;
  return {
    ...{ name, key, time, fields, bars, features },
    output: output?.kind === 'quantiles' ? quantilesOf(output) : (output ?? NO_OUTPUT),
    point: pointOf(point, output?.kind ?? 'raw'),
    embedding: parts.embedding ?? null,
    warmUp: parts.warm_up ?? 0,
    model: parts.model ?? name,
    late: parts.late ?? null,
    repeatsByTime: parts.repeated === 'time',
    idleTtlMs: parts.idle_ttl_ms ?? null,
  };
}

/** The order of what a model learns by is that of its digest. */
function quantilesOf(output: Extract<NonNullable<Parts['output']>, { readonly kind: 'quantiles' }>): QuantileOutput {
  const { per, also, pending, calibration = null, scores = null, online = null, aggregation, tick, ...learnt } = output;
  const asked = [calibration, scores, online, aggregation, tick];
  const further = { ...(aggregation && { aggregation }), ...(tick && { tick }) };
  const verification = asked.some((one) => one != null) ? { pending, calibration, scores, online, ...further } : null;
  return { ...learnt, last: learnt.last ?? learnt.of, per, also, verification };
}

const NO_OUTPUT = { kind: 'raw', fields: [] } as const;

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

function isPositive({ above, atLeast }: DeclaredField): boolean {
  return above >= 0 || atLeast > 0;
}

function barsOf({ bars, repeated }: Parts, fields: readonly DeclaredField[], problems: Problems): DeclaredBars | null {
  if (!bars) return null;
  const names = fields.map(({ name }) => name);
  const price = fields.find(({ name }) => name === bars.price);
  if (!price) problems.add('bars.price', `is "${bars.price}", which is no field: use one of ${names.join(', ')}`);
  else if (
    unlessPositive(problems, isPositive(price), 'bars.price', price.name, 'a bar is made of prices') &&
    !price.required
  )
    problems.add('bars.price', `is "${price.name}", which a record may lack: a bar is made of every record's price`);
  if (bars.volume !== undefined && !names.includes(bars.volume))
    problems.add('bars.volume', `is "${bars.volume}", which is no field: use one of ${names.join(', ')}`);
  for (const { name } of fields)
    if ((BAR_VALUES as readonly string[]).includes(name))
      problems.add(`fields.${name}`, "has the name of a value of the bars: give it another and its own in 'from'");
  if (repeated !== undefined)
    problems.add('repeated', 'goes with records that are steps: ticks of one bar may share a time');
  const { price: priceName, volume = null } = bars;
  if (bars.kind === 'time')
    return { rule: { kind: 'time', spanMs: bars.span_ms, offsetMs: bars.offset_ms }, price: priceName, volume };
  if (bars.kind === 'ticks') return { rule: { kind: 'ticks', count: bars.count }, price: priceName, volume };
  return { rule: { kind: 'volume', size: bars.size }, price: priceName, volume };
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
