import { destination, type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

/** Paths of fields that never reach a log. */
const REDACTED = [
  'password',
  'token',
  'secret',
  'authorization',
  '*.password',
  '*.token',
  '*.secret',
  '*.authorization',
];

/** A JSON logger on stderr (stdout belongs to results). Credentials inside addresses are cut out of every text field. */
export function createLogger(options: { readonly service: string; readonly level: string }): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      redact: { paths: REDACTED, censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }), log: (fields) => withoutCredentials(fields) },
    },
    destination({ fd: 2, sync: true }),
  );
}

/** `redis://user:secret@host` as `redis://[redacted]@host`. */
export function redactUrl(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1[redacted]@');
}

function withoutCredentials(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? redactUrl(value) : value]),
  );
}
