import {
  type Chunk,
  escapeTag,
  type LineWriter,
  pointTime,
  type RowOutput,
  type Shard,
  type Stream,
  timeDigits,
} from '@tideline/pipeline';
import type { Declaration, RawOutput } from './declaration.ts';
import { headOf } from './point-head.ts';
import { quantileLines } from './quantile-lines.ts';
import type { RowValues } from './row-values.ts';

/** Time of the row's point, epoch ns digits. */
export function timeOf({ point }: Declaration): (chunk: Chunk, row: number) => string {
  return point.time === 'unique' ? pointTime : (chunk, row) => timeDigits(chunk.timeMs[row], chunk.timeSubNs[row]);
}

/** Appends what one row has to say, without a point's time and further fields, which `tail` has. */
export type RowLines = (
  key: string,
  chunk: Chunk,
  row: number,
  output: RowOutput,
  tail: string,
  lines: LineWriter,
) => void;

/** The points of a declared stream: what its output says of a row, unless the series is too young, and the alerts of its operators. */
export function declaredPoints(declaration: Declaration, rows: RowValues, modelName: string): Stream['emit'] {
  const { output, warmUp } = declaration;
  const forecast =
    output.kind === 'raw'
      ? rawLines(declaration, output, modelName)
      : quantileLines(declaration, output, rows, modelName);
  const further = furtherFields(declaration, rows);
  const time = timeOf(declaration);
  const alerts = alertLines(declaration, rows);
  const { countAt } = rows;
  return (shard, chunk, row, out, lines) => {
    const key = chunk.keys[chunk.keyOf[row]];
    const ns = time(chunk, row);
    if (countAt === -1 || out.context[out.contextAt + countAt] > warmUp)
      forecast(key, chunk, row, out, `${further(shard, chunk, row, out)} ${ns}`, lines);
    if (rows.alerts.length > 0) alerts(shard, chunk, row, out, lines);
  };
}

/** The declared further fields, each with a comma before it; a value that is not known is left out. */
function furtherFields(
  { point }: Declaration,
  { contextAt }: RowValues,
): (shard: Shard, chunk: Chunk, row: number, output: RowOutput) => string {
  const fields = point.with.map((name) => ({ name, place: contextAt(name) }));
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

/** Fields that are the network's outputs as they are. */
function rawLines(declaration: Declaration, output: RawOutput, modelName: string): RowLines {
  const head = headOf(declaration, { modelName, horizon: '' });
  const names = output.fields.map((name, i) => `${i === 0 ? ' ' : ','}${name}=`);
  return (key, _chunk, _row, out, tail, lines) => {
    let line = head(key);
    for (let i = 0; i < names.length; i += 1) line += names[i] + out.outputs[out.outputAt + i];
    lines.push(line + tail);
  };
}

/** A point of measurement `alert` where an operator saw something that a person should know, such as a jump; its time is always the row's own. */
function alertLines({ name }: Declaration, { alerts }: RowValues): Stream['emit'] {
  const stream = escapeTag(name);
  return (shard, chunk, row, out, lines) => {
    for (const { kind, contextAt } of alerts) {
      const value = out.context[out.contextAt + contextAt];
      if (Number.isNaN(value)) continue;
      const series = escapeTag(chunk.keys[chunk.keyOf[row]]);
      lines.push(
        `alert,kind=${kind},series=${series},stream=${stream} ` +
          `offset=${chunk.offsets[row]}i,partition=${shard.partition}i,value=${value} ${pointTime(chunk, row)}`,
      );
    }
  };
}
