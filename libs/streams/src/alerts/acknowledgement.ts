/**
 * Measurement `acknowledgement`: who has taken an alert on. A point of its own at the alert's time: what people say stays apart from what the pipeline
 * computed.
 */
import { escapeTag, lineFields, splitLine, stringField } from '@tideline/pipeline';
import type { Alert } from './alert.ts';

export interface Acknowledgement {
  /** A person's name, as they gave it. */
  readonly by: string;
  /** '' where they wrote nothing. */
  readonly note: string;
  /** Epoch ms. */
  readonly atMs: number;
}

export const ACKNOWLEDGEMENT_PREFIX = 'acknowledgement,';

/** The point: an alert has one identity, so it has one acknowledgement. */
export function acknowledgementLine(alert: Alert, { by, note, atMs }: Acknowledgement): string {
  const tags = (['agent', 'queue', 'rule', 'series', 'severity', 'stream'] as const)
    .filter((name) => alert[name] !== '')
    .map((name) => `${name}=${escapeTag(alert[name])}`);
  return (
    `${ACKNOWLEDGEMENT_PREFIX}${tags.join(',')} ` +
    `at=${atMs}i,by=${stringField(by)},id=${stringField(alert.id)},note=${stringField(note)} ${alert.timeNs}`
  );
}

/** The alert's id and its acknowledgement; null for any other line and for one that is broken. Never throws. */
export function parseAcknowledgement(
  line: string,
): { readonly id: string; readonly acknowledgement: Acknowledgement } | null {
  if (!line.startsWith(ACKNOWLEDGEMENT_PREFIX)) return null;
  try {
    const values = lineFields(splitLine(line).fields);
    const text = (name: string): string => (values.get(name) ?? '').slice(1, -1).replace(/\\(["\\])/g, '$1');
    const [id, by, note] = ['id', 'by', 'note'].map(text);
    const atMs = Number(values.get('at')?.replace(/i$/, ''));
    return id !== '' && by !== '' && Number.isFinite(atMs) ? { id, acknowledgement: { by, note, atMs } } : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
