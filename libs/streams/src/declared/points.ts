import {
  type Chunk,
  escapeTag,
  type OutputState,
  PointLines,
  pointSubNs,
  type RowOutput,
  type Shard,
  type Stream,
} from '@tideline/pipeline';
import type { Declaration, RawOutput } from './declaration.ts';
import { headOf } from './point-head.ts';
import { quantileFields } from './quantile-fields.ts';
import type { RowValues } from './row-values.ts';
import { verifiedPoints } from './verified-points.ts';

/** One row of which a point tells. */
export interface PointRow {
  readonly shard: Shard;
  readonly chunk: Chunk;
  readonly row: number;
  readonly output: RowOutput;
}

/**
 * Writes head and own fields of the row's point `index`; false, and nothing written, where there is nothing to tell. The caller adds further fields and
 * time.
 */
export type PointWriter = (lines: PointLines, key: string, row: PointRow, index: number) => boolean;

/** The points of a declared stream: what its output says of a row, unless the series is too young, and the alerts of its operators. */
export function declaredPoints(
  declaration: Declaration,
  rows: RowValues,
  modelName: string,
): { readonly emit: Stream['emit']; readonly outputState: OutputState | null } {
  const { output, warmUp, point } = declaration;
  const count = output.kind === 'raw' ? 1 : output.horizons.length;
  const verified = output.kind === 'raw' ? null : verifiedPoints(declaration, output, rows, modelName);
  const write =
    output.kind === 'raw'
      ? rawFields(declaration, output, modelName)
      : quantileFields(declaration, output, rows, { modelName, take: verified?.take ?? null });
  const further = furtherFields(declaration, rows);
  const alerts = alertPoints(declaration, rows);
  const isUnique = point.time === 'unique';
  const { countAt } = rows;
  const points = (lines: PointLines, one: PointRow): void => {
    const { chunk, row, output: out } = one;
    const key = escapeTag(chunk.keys[chunk.keyOf[row]]);
    const isYoung = countAt !== -1 && !(out.context[out.contextAt + countAt] > warmUp);
    verified?.settle(one);
    for (let i = 0; i < count && !isYoung && write(lines, key, one, i); i += 1) {
      further(lines, one);
      lines.text(' ');
      lines.time(chunk.timeMs[row], isUnique ? pointSubNs(chunk, row) : chunk.timeSubNs[row]);
      lines.end();
    }
    verified?.scores(lines, key, one);
    if (rows.alerts.length > 0) alerts(lines, key, one);
  };
  const emit: Stream['emit'] = (shard, chunk, row, out, lines) => {
    if (lines instanceof PointLines) {
      points(lines, { shard, chunk, row, output: out });
      return;
    }
    const own = new PointLines();
    points(own, { shard, chunk, row, output: out });
    for (const line of own) lines.push(line);
  };
  return { emit, outputState: verified?.outputState ?? null };
}

/** The declared further fields, each with a comma before it; a value that is not known is left out. */
function furtherFields({ point }: Declaration, { contextAt }: RowValues): (lines: PointLines, row: PointRow) => void {
  const fields = point.with.map((name) => ({ name, start: `,${name}=`, place: contextAt(name) }));
  return (lines, { shard, chunk, row, output }) => {
    for (const { name, start, place } of fields) {
      if (name === 'offset') lines.text(`,offset=${chunk.offsets[row]}i`);
      else if (name === 'partition') lines.text(`,partition=${shard.partition}i`);
      else {
        const value = output.context[output.contextAt + place];
        if (!Number.isFinite(value)) continue;
        lines.text(start);
        lines.text(String(value));
      }
    }
  };
}

/** Fields that are the network's outputs as they are: float32 values. */
function rawFields(declaration: Declaration, { fields }: RawOutput, modelName: string): PointWriter {
  const head = headOf(declaration, { modelName, horizon: '' });
  const names = fields.map((name, i) => `${i === 0 ? ' ' : ','}${name}=`);
  return (lines, key, { output }) => {
    head(lines, key);
    for (let i = 0; i < names.length; i += 1) {
      lines.text(names[i]);
      lines.float32(output.outputs[output.outputAt + i]);
    }
    return true;
  };
}

/** A point of measurement `alert` where an operator saw something that a person should know, such as a jump; its time is always the row's own. */
function alertPoints(
  { name }: Declaration,
  { alerts }: RowValues,
): (lines: PointLines, key: string, row: PointRow) => void {
  const stream = escapeTag(name);
  return (lines, key, { shard, chunk, row, output }) => {
    for (const { kind, contextAt } of alerts) {
      const value = output.context[output.contextAt + contextAt];
      if (Number.isNaN(value)) continue;
      lines.text(
        `alert,kind=${kind},series=${key},stream=${stream} ` +
          `offset=${chunk.offsets[row]}i,partition=${shard.partition}i,value=${value} `,
      );
      lines.time(chunk.timeMs[row], pointSubNs(chunk, row));
      lines.end();
    }
  };
}
