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

/** A JSON logger on stderr (stdout belongs to results). Credentials inside addresses are cut out of every line. */
export function createLogger(options: { readonly service: string; readonly level: string }): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      redact: { paths: REDACTED, censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
      // At the end, so that an error's message and stack are seen too.
      hooks: { streamWrite: redactUrl },
    },
    destination({ fd: 2, sync: true }),
  );
}

/** `redis://user:secret@host` as `redis://[redacted]@host`, wherever it stands in `text`; never beyond a quotation mark, so that JSON stays JSON. */
export function redactUrl(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/"]*@/gi, '$1[redacted]@');
}
