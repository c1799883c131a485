/**
 * A shard's checkpoint in a compacted topic. Key of a state `topic/partition/series`, value the state's bytes, no value where the series ended;
 * key of the marker `topic/partition`, value JSON. A topic's name holds no `/`.
 */
import type { CheckpointMarker, Shard, StateChange } from '@tideline/pipeline';
import type { KafkaMessage, Message } from 'kafkajs';

const VERSION = 1;

export function stateMessage(shard: Shard, change: StateChange): Message {
  const { key, bytes } = change;
  const value = bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { key: `${shard.topic}/${shard.partition}/${key}`, value };
}

export function markerMessage(marker: CheckpointMarker): Message {
  const { shard, position, epoch, model, atMs } = marker;
  const value = JSON.stringify({ version: VERSION, position, epoch, model, atMs });
  return { key: `${shard.topic}/${shard.partition}`, value };
}

/** Says nothing: it is written to be seen. */
export function settlingMessage(): Message {
  return { key: '//settled', value: null };
}

export type CheckpointMessage =
  | { readonly kind: 'marker'; readonly shard: Shard; readonly marker: CheckpointMarker | null }
  | { readonly kind: 'state'; readonly shard: Shard; readonly key: string; readonly bytes: Uint8Array | null };

/** What a message says; null where it is none of ours, or a marker of a version that is not known here. */
export function readCheckpointMessage(message: KafkaMessage): CheckpointMessage | null {
  const match = /^([^/]+)\/(\d+)(?:\/(.*))?$/s.exec(message.key?.toString('utf8') ?? '');
  if (match === null) return null;
  const shard = { topic: match[1], partition: Number(match[2]) };
  if (match[3] !== undefined) return { kind: 'state', shard, key: match[3], bytes: message.value };
  return { kind: 'marker', shard, marker: message.value === null ? null : readMarker(shard, message.value) };
}

function readMarker(shard: Shard, value: Buffer): CheckpointMarker | null {
  try {
    const { version, position, epoch, model, atMs } = JSON.parse(value.toString('utf8')) as Record<string, unknown>;
    if (version !== VERSION || !Number.isSafeInteger(position) || typeof model !== 'string') return null;
    return { shard, position: Number(position), epoch: Number(epoch), model, atMs: Number(atMs) };
  } catch {
    return null;
  }
}
