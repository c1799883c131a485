/** What processes have used, from the system's own counts. */
import { readFileSync } from 'node:fs';

/** Of Linux on every architecture that Node runs on. */
const TICKS_A_SECOND = 100;

/** Seconds of processor time, user and system, of a process and the children that it has waited for. Throws where there is no such process. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may hold spaces: fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) / TICKS_A_SECOND;
}

/** Largest resident set so far, MB. */
export function peakMegabytes(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kilobytes) / 1_000;
}

/** Points that InfluxDB has written into a database so far. */
export async function pointsWritten(influx: string, database: string): Promise<number> {
  const answer = await fetch(`${influx}/debug/vars`);
  const entries = Object.entries((await answer.json()) as Record<string, Shard>);
  return entries.reduce(
    (sum, [name, { tags, values }]) =>
      name.startsWith('shard:') && tags?.database === database ? sum + (values?.writePointsOk ?? 0) : sum,
    0,
  );
}

interface Shard {
  readonly tags?: { readonly database?: string };
  readonly values?: { readonly writePointsOk?: number };
}
