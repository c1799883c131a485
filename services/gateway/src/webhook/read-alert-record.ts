import { REDRIVEN_FROM_HEADER } from '@tideline/adapters';
import type { RawRecord } from '@tideline/pipeline';

/** A record of the topic of alerts as the webhook sends it. */
export interface AlertRecord {
  /** The alert's id: the receiver's key to tell what it has from what is new. */
  readonly id: string;
  /** What makes it one delivery: an alert that was redriven is delivered once more. */
  readonly deliveryId: string;
  /** JSON. */
  readonly body: string;
}

/** Ids become a header and the id of a job. */
const ID = /^[A-Za-z0-9._-]{1,200}$/;

/** Null where the record is no alert. Never throws. */
export function readAlertRecord({
  value,
  offset,
  headers,
}: Pick<RawRecord, 'value' | 'offset' | 'headers'>): AlertRecord | null {
  const body = Buffer.from(value ?? new Uint8Array()).toString('utf8');
  try {
    const id: unknown = (JSON.parse(body) as { readonly id?: unknown } | null)?.id;
    if (typeof id !== 'string' || !ID.test(id) || /^\d+$/.test(id)) return null;
    const isRedriven = headers[REDRIVEN_FROM_HEADER] !== undefined;
    return { id, deliveryId: isRedriven ? `${id}-again-${offset}` : id, body };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
