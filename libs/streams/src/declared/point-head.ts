import { escapeTag } from '@tideline/pipeline';
import type { Declaration } from './declaration.ts';

/** Measurement and tags of the points of one horizon, as a function of the series' id. */
export function headOf(
  { name, point }: Declaration,
  options: { readonly modelName: string; readonly horizon: string },
): (key: string) => string {
  const said = { stream: name, model: options.modelName, horizon: options.horizon };
  // The key's tag is the one thing that differs from row to row: what stands before and after it is made once.
  const parts: string[] = [point.measurement.replace(/([, ])/g, '\\$1')];
  for (const [tag, source] of point.tags) {
    const last = parts.length - 1;
    if (source !== 'key') parts[last] += tagOf(tag, said[source]);
    else {
      parts[last] += `,${tag}=`;
      parts.push('');
    }
  }
  return (key) => parts.join(escapeTag(key));
}

/** InfluxDB has no empty tag: one that says nothing is left out. */
function tagOf(tag: string, value: string): string {
  return value === '' ? '' : `,${tag}=${escapeTag(value)}`;
}
