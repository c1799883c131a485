import type { RawOutput } from './declaration.ts';
import { levelName } from './point-head.ts';
import type { Problems } from './problems.ts';

/** Names that features and outputs can be made of; true where the value is known to be above 0. */
export type Names = Map<string, boolean | null>;

export function unknownName(name: string, known: readonly string[]): string {
  return `is "${name}", which is no field and no feature before it: use one of ${known.join(', ')}`;
}

/** Adds the problem and returns false where a field that has to be above 0 is not declared so. A feature's value is not known beforehand. */
export function unlessPositive(
  problems: Problems,
  isPositive: boolean | null,
  place: string,
  name: string,
  why: string,
): boolean {
  if (isPositive !== false) return true;
  problems.add(place, `is "${name}", but ${why}: declare fields.${name} with 'above: 0'`);
  return false;
}

/** A point has a field of one name once: what `with` adds must not be there already. */
export function checkFurther(
  further: readonly string[],
  output: RawOutput | { readonly kind: 'quantiles'; readonly levels: readonly number[] },
  named: Names,
  problems: Problems,
): void {
  const own =
    output.kind === 'raw'
      ? output.fields
      : [
          'last',
          'target',
          'up',
          'volatility',
          ...output.levels.flatMap((level) => [`q${levelName(level)}`, `r${levelName(level)}`]),
        ];
  for (const name of further) {
    if (!named.has(name) && name !== 'offset' && name !== 'partition')
      problems.add('point.with', unknownName(name, [...named.keys(), 'offset', 'partition']));
    else if (own.includes(name))
      problems.add('point.with', `is "${name}", a field that every point has of its own: give yours another name`);
  }
}

export function checkOutput(
  output: { readonly of: string; readonly last?: string | undefined; readonly unit: string | null },
  named: Names,
  problems: Problems,
): void {
  for (const part of ['of', 'last'] as const) {
    const name = output[part];
    if (name === undefined) continue;
    const isPositive = named.get(name);
    if (isPositive === undefined) problems.add(`output.${part}`, unknownName(name, [...named.keys()]));
    else unlessPositive(problems, isPositive, `output.${part}`, name, 'its log return is forecast');
  }
  if (output.unit !== null && !named.has(output.unit))
    problems.add('output.unit', unknownName(output.unit, [...named.keys()]));
}
