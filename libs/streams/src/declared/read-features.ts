import { operatorOf } from '../features/operators.ts';
import { NO_CLIP } from '../features/plan.ts';
import { type Names, unknownName, unlessPositive } from './check-names.ts';
import type { DeclaredFeature } from './declaration.ts';
import type { Problems } from './problems.ts';
import { featureShape, OP } from './schema.ts';

const INPUTS_MAX = 4_096;

/** The features in their order; `named` gets their names. */
export function readFeatures(value: unknown, named: Names, problems: Problems): DeclaredFeature[] {
  if (!Array.isArray(value) || value.length === 0) {
    problems.add('features', 'must be a list of what the network sees, such as [{op: log_return, of: price}]');
    return [];
  }
  const features: DeclaredFeature[] = [];
  (value as readonly unknown[]).forEach((item, i) => {
    const feature = readFeature(item, `features[${i}]`, problems);
    if (feature === undefined) return;
    checkSources(feature, `features[${i}]`, named, problems);
    if (named.has(feature.name))
      problems.add(`features[${i}].name`, `is "${feature.name}", a name that is taken: give it another 'name'`);
    named.set(feature.name, null);
    features.push(feature);
  });
  if (features.length < value.length) return features; // what is wrong is told already
  const inputs = features.filter(({ isInput }) => isInput).length;
  if (inputs === 0 || inputs > INPUTS_MAX)
    problems.add('features', `has ${inputs} inputs of the network, must have 1 to ${INPUTS_MAX}`);
  return features;
}

function readFeature(item: unknown, place: string, problems: Problems): DeclaredFeature | undefined {
  const said = typeof item === 'object' && item !== null ? (item as { readonly op?: unknown }).op : item;
  const op = problems.parse(OP, said, `${place}.op`);
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

function checkSources({ op, of }: DeclaredFeature, place: string, named: Names, problems: Problems): void {
  const { positive } = operatorOf(op);
  for (const source of of) {
    const isPositive = named.get(source);
    if (isPositive === undefined) problems.add(`${place}.of`, unknownName(source, [...named.keys()]));
    else if (positive) unlessPositive(problems, isPositive, `${place}.of`, source, `${op} takes the logarithm`);
  }
}
