import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  createLmdbDeadLetterSink,
  DEAD_LETTER_TOPIC,
  type KeptLetter,
  letterKey,
  readDeadLetters,
} from '@tideline/adapters';
import type { RecordHeaders } from '@tideline/pipeline';
import { ConfigurationError } from '@tideline/runtime';
import { type Environment, withAddresses } from '../addresses.ts';
import { utf8OrNull } from '../printable.ts';

/** Where the letters are: the dead letter topic, or the folder of an embedded run. */
export interface LetterPlace {
  readonly state?: string | undefined;
  readonly deadLetters?: string | undefined;
}

export interface LetterFilter {
  readonly topic?: string | undefined;
  readonly reason?: string | undefined;
}

/** The dead letter topic and how to reach it: the option, else the environment, else the default. */
export async function letterTopic(
  env: Environment,
  place: LetterPlace,
): Promise<{ readonly brokers: readonly string[]; readonly topic: string }> {
  const { TIDELINE_KAFKA_BROKERS: brokers = '', TIDELINE_DEAD_LETTER_TOPIC: named } = await withAddresses(env);
  const topic = place.deadLetters ?? (named || DEAD_LETTER_TOPIC);
  return { brokers: brokers.split(',').map((broker) => broker.trim()), topic };
}

/** All letters, oldest first in Kafka, by position in a folder. Throws ConfigurationError where the folder holds none. */
export async function readLetters(env: Environment, place: LetterPlace): Promise<KeptLetter[]> {
  if (place.state === undefined) return readDeadLetters(await letterTopic(env, place));
  const folder = join(place.state, 'dead-letters');
  // Opening would create it.
  if (!existsSync(folder))
    throw new ConfigurationError([`'${place.state}' holds no dead letters: name the folder given to 'demo --state'.`]);
  await using sink = createLmdbDeadLetterSink({ folder });
  return [...sink.list()].map((letter) => ({ ...letter, redriven: null }));
}

export function matches(letter: KeptLetter, filter: LetterFilter): boolean {
  const { topic, reason = '' } = filter;
  return (
    (topic === undefined || letter.shard.topic === topic) && letter.reason.toLowerCase().includes(reason.toLowerCase())
  );
}

/** A letter as one JSON object. Bytes as base64, and as text beside it where they are UTF-8. */
export function letterJson(letter: KeptLetter): Record<string, unknown> {
  const { code, shard, offset, reason, field, record, redriven } = letter;
  const bytes = (name: string, value: Uint8Array | null): Record<string, unknown> => ({
    [name]: value === null ? null : utf8OrNull(value),
    [`${name}Base64`]: value === null ? null : Buffer.from(value).toString('base64'),
  });
  return {
    position: letterKey(letter),
    code,
    ...{ topic: shard.topic, partition: shard.partition, offset, reason, field },
    ...bytes('key', record.key),
    ...bytes('value', record.value),
    ...headersJson(record.headers),
    timestampMs: record.timestampMs,
    redriven,
  };
}

/** Values of each name as text, null where they are no UTF-8, and beside them as base64. */
function headersJson(headers: RecordHeaders): Record<string, unknown> {
  const each = (form: (value: Uint8Array) => string | null): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(headers).map(([name, values]) => [
        name,
        values.map((value) => (value === null ? null : form(value))),
      ]),
    );
  return { headers: each(utf8OrNull), headersBase64: each((value) => Buffer.from(value).toString('base64')) };
}
