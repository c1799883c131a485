import {
  type Chunk,
  escapeTag,
  pointTime,
  type RowOutput,
  type Shard,
  type Stream,
  timeDigits,
} from '@tideline/pipeline';
import type { Declaration, RawOutput } from './declaration.ts';

export type Emit = Stream['emit'];

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

/** Time of the row's point, epoch ns digits. */
export function timeOf({ point }: Declaration): (chunk: Chunk, row: number) => string {
  return point.time === 'unique' ? pointTime : (chunk, row) => timeDigits(chunk.timeMs[row], chunk.timeSubNs[row]);
}

/** The declared further fields, each with a comma before it; a value that is not known is left out. */
export function furtherFields(
  { point }: Declaration,
  context: readonly string[],
): (shard: Shard, chunk: Chunk, row: number, output: RowOutput) => string {
  const fields = point.with.map((name) => ({ name, place: context.indexOf(name) }));
  return (shard, chunk, row, output) => {
    let text = '';
    for (const { name, place } of fields) {
      if (name === 'offset') text += `,offset=${chunk.offsets[row]}i`;
      else if (name === 'partition') text += `,partition=${shard.partition}i`;
      else {
        const value = output.context[output.contextAt + place];
        if (Number.isFinite(value)) text += `,${name}=${value}`;
      }
    }
    return text;
  };
}

/** Points whose fields are the network's outputs as they are. */
export function rawPoints(
  declaration: Declaration,
  output: RawOutput,
  context: readonly string[],
  modelName: string,
): Emit {
  const head = headOf(declaration, { modelName, horizon: '' });
  const further = furtherFields(declaration, context);
  const time = timeOf(declaration);
  const names = output.fields.map((name, i) => `${i === 0 ? ' ' : ','}${name}=`);
  return (shard, chunk, row, out, lines) => {
    let line = head(chunk.keys[chunk.keyOf[row]]);
    for (let i = 0; i < names.length; i += 1) line += names[i] + out.outputs[out.outputAt + i];
    lines.push(`${line}${further(shard, chunk, row, out)} ${time(chunk, row)}`);
  };
}
