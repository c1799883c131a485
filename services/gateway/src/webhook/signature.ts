/**
 * Signatures by the Standard Webhooks specification (standardwebhooks.com, v1): HMAC-SHA256 over `id.timestamp.body`. Receivers verify them with the
 * libraries of that specification, or in ten lines (docs/calls.md).
 */
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';
const KEY_BYTES_MIN = 24;

/** The keys of one or more secrets `whsec_BASE64`, separated by spaces; null where one is no such secret. */
export function readSecrets(text: string): readonly Buffer[] | null {
  const keys = text
    .trim()
    .split(/\s+/)
    .map((secret) => {
      const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '';
      return /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
    });
  return keys.every(({ length }) => length >= KEY_BYTES_MIN) ? keys : null;
}

/** Headers that say who sent `body` and when: a signature of each key. `timestampS`: epoch seconds. */
export function signedHeaders(message: {
  readonly id: string;
  readonly timestampS: number;
  readonly body: string;
  readonly keys: readonly Buffer[];
}): Readonly<Record<string, string>> {
  const { id, timestampS, body, keys } = message;
  const sign = (key: Buffer): string =>
    `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64')}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': keys.map(sign).join(' '),
  };
}
