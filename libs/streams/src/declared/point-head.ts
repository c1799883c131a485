import { escapeTag, type PointLines } from '@tideline/pipeline';
import type { Declaration } from './declaration.ts';

/** Begins a line with measurement and tags, as a function of the series' id, whose characters are escaped already. */
export type Head = (lines: PointLines, key: string) => void;

export function headOf(
  { name, point }: Declaration,
  options: { readonly modelName: string; readonly horizon: string },
): Head {
  const said = { stream: name, model: options.modelName, horizon: options.horizon };
  // The key is the one thing that differs from row to row: what stands before and after it is made once.
  const parts: string[] = [point.measurement.replace(/([, ])/g, '\\$1')];
  for (const [tag, source] of point.tags) {
    const last = parts.length - 1;
    if (source !== 'key') parts[last] += tagOf(tag, said[source]);
    else {
      parts[last] += `,${tag}=`;
      parts.push('');
    }
  }
  return (lines, key) => {
    lines.text(parts[0]);
    for (let i = 1; i < parts.length; i += 1) {
      lines.text(key);
      lines.text(parts[i]);
    }
  };
}

/** InfluxDB has no empty tag: one that says nothing is left out. */
function tagOf(tag: string, value: string): string {
  return value === '' ? '' : `,${tag}=${escapeTag(value)}`;
}

/** `0.1` -> `10`, `0.025` -> `2.5`: what stands behind the q of a quantile's field. */
export function levelName(level: number): string {
  return String(Number((level * 100).toPrecision(12)));
}
