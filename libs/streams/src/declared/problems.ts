import { ConfigError } from '@tideline/pipeline';
import type { z } from 'zod';

/** Gathers what is wrong with a stream's file, so that one report has all of it: place, value, cure. */
export class Problems {
  readonly #source: string;
  readonly #found: string[] = [];

  /** `source`: what the texts are about, such as a path. */
  constructor(source: string) {
    this.#source = source;
  }

  add(place: string, problem: string): void {
    this.#found.push(`${this.#source}: ${place === '' ? '' : `${place} `}${problem}.`);
  }

  /** The part as its schema reads it; undefined, with the problems kept, where it cannot. */
  parse<T>(schema: z.ZodType<T>, value: unknown, place: string): T | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues)
      this.add(placeOf(place, issue.path), problemOf(issue, valueAt(value, issue.path)));
    return undefined;
  }

  /** Throws ConfigError with all problems where there are any. */
  check(): void {
    if (this.#found.length > 0) throw new ConfigError(this.#found);
  }
}

function placeOf(place: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (at, part) => (typeof part === 'number' ? `${at}[${part}]` : `${at}${at === '' ? '' : '.'}${String(part)}`),
    place,
  );
}

function problemOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys')
    return `has ${issue.keys.map((key) => `'${key}'`).join(', ')}, which nothing reads: mend the name or take it away`;
  if (issue.code === 'invalid_type' && issue.expected === 'object')
    return `is ${JSON.stringify(value)}, must be a map of settings`;
  if (value === undefined) return `is missing: it ${issue.message}`;
  return `is ${JSON.stringify(value)}, ${issue.message}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined),
    value,
  );
}
