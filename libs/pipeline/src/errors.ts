/**
 * Errors for the world (our own bugs are `node:assert` failures and crash). The class says what the caller does.
 */

/** Closed list of error codes; each appears in `docs/errors.md`. */
export const ERROR_CODES = [
  'POISON_RECORD',
  'STALE_EPOCH',
  'OUT_OF_SEQUENCE',
  'RETRYABLE',
  'CONFIG_INVALID',
  'MODEL_INVALID',
  'OVERLOADED',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Root of the errors that Tideline throws on purpose. */
export class TidelineError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Passing trouble of a server or network: the caller retries in place after `retryAfterMs`. */
export class RetryableError extends TidelineError {
  readonly retryAfterMs: number;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super('RETRYABLE', message, options);
    this.retryAfterMs = options.retryAfterMs ?? 200;
  }
}

/** One record that can never be processed: dead-letter it with `message` as its reason and go on. */
export class PoisonRecordError extends TidelineError {
  /** The field at fault, for example `price`; empty where the whole record is. */
  readonly field: string;

  constructor(message: string, options: { field?: string; cause?: unknown } = {}) {
    super('POISON_RECORD', message, options);
    this.field = options.field ?? '';
  }
}

/** Another writer owns the shard now: stop serving it and forget its states. Nothing was written. */
export class StaleEpochError extends TidelineError {
  constructor(message: string) {
    super('STALE_EPOCH', message);
  }
}

/** The configuration cannot be used: report all `problems`, exit with 78 (EX_CONFIG). */
export class ConfigError extends TidelineError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('CONFIG_INVALID', `The configuration has ${problems.length} problem(s):\n  - ${problems.join('\n  - ')}`);
    this.problems = problems;
  }
}
