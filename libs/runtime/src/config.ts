import type { z } from 'zod';
import { redactUrl } from './logger.ts';

/** Also the address of a webhook: many carry a secret in their path. */
const SECRET = /PASSWORD|TOKEN|SECRET|WEBHOOK_URL/;

/** The configuration cannot be used; `problems` has all of them. A service exits with 78 (EX_CONFIG). */
export class ConfigurationError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration has ${problems.length} problem(s):\n  - ${problems.join('\n  - ')}`);
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

/** Reads `env` by `schema`, frozen. An empty variable counts as absent. Throws ConfigurationError with every problem: variable, value, cure. */
export function parseConfig<T>(schema: z.ZodType<T>, env: Readonly<Record<string, string | undefined>>): Readonly<T> {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const result = schema.safeParse(present);
  if (result.success) return Object.freeze(result.data);
  throw new ConfigurationError(
    result.error.issues.map(({ path, message }) => {
      const name = String(path[0] ?? 'the environment');
      return `${name}${shown(name, present[name])}: ${message}`;
    }),
  );
}

function shown(name: string, value: string | undefined): string {
  if (value === undefined) return ' (not set)';
  return SECRET.test(name) ? ' (value hidden)' : ` = '${redactUrl(value)}'`;
}
