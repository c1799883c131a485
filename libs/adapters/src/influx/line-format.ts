/** Line protocol with tags and fields in one order, so that what was written and what was read can be compared as text. */
import { escapeTag, splitLine, stringField } from '@tideline/pipeline';

export interface LineParts {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Names of the fields; `values` are theirs, null where the point has none. */
  readonly columns: readonly string[];
  readonly types: ReadonlyMap<string, string>;
  readonly values: readonly unknown[];
  readonly time: string;
}

/** The line of a point. An empty tag value is no tag, as in InfluxDB. */
export function formatLine(parts: LineParts): string {
  const tags = Object.entries(parts.tags)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `,${escapeTag(name)}=${escapeTag(value)}`);
  const fields = parts.columns.flatMap((name, index) => {
    const value = parts.values[index];
    return value === null || value === undefined
      ? []
      : [`${escapeTag(name)}=${fieldText(value, parts.types.get(name))}`];
  });
  return `${escapeMeasurement(parts.measurement)}${tags.join('')} ${fields.join(',')} ${parts.time}`;
}

/** The same point with its tags and fields sorted by name and its floats in their shortest form. */
export function sortedLine(line: string): string {
  const { head, fields, time } = splitLine(line);
  const [measurement, ...tags] = splitOutside(head);
  const values = splitOutside(fields).map((field) =>
    field.replace(/=(-?[\d.]+(?:e[+-]?\d+)?)$/i, (_, digits) => `=${Number(digits)}`),
  );
  return `${[measurement, ...tags.sort()].join(',')} ${values.sort().join(',')} ${time}`;
}

function fieldText(value: unknown, type: string | undefined): string {
  if (typeof value === 'string') return stringField(value);
  return type === 'integer' ? `${value}i` : String(value);
}

function escapeMeasurement(name: string): string {
  return name.replace(/([, ])/g, '\\$1');
}

/** Splits at commas that are neither escaped nor within quotation marks. */
function splitOutside(text: string): string[] {
  return text.match(/(?:\\.|"(?:[^"\\]|\\.)*"|[^,\\])+/g) ?? [];
}
