/** The points of sequences that are over, behind those of the batch's rows: by then no row changes their states any more. */
import type { EndedSlot } from './advance-rows.ts';
import type { Shard } from './record.ts';
import type { SeriesMemory } from './series-memory.ts';
import type { LineWriter, SequenceEnd, Stream } from './stream.ts';

/** A sequence that is over, or the series of one that never was: a quarantined one has no end to tell. */
export interface ClosedSequence extends SequenceEnd {
  readonly isQuarantined: boolean;
}

/** The sequences in slots that are still open. */
export function endedSequences(memory: SeriesMemory, ended: readonly EndedSlot[]): ClosedSequence[] {
  return ended.map(({ slot, key, cause, at: by }) => ({ key, cause, by, ...memory.statesAt(slot) }));
}

/** In the order given, which is that of the rows: each batch has few. */
export function closeSequences(
  { shard, stream }: { readonly shard: Shard; readonly stream: Stream },
  sequences: readonly ClosedSequence[],
  lines: LineWriter,
): void {
  if (stream.close === undefined) return;
  for (const sequence of sequences) if (!sequence.isQuarantined) stream.close(shard, sequence, lines);
}
