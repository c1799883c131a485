/** The servers that a test file uses: one set for the whole run, started by `stack/main.ts`, found by environment. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVER_NAMES, type ServerName } from '@tideline/native';

/** Environment variable that carries each server's address. */
export const ADDRESS_VARIABLES = {
  kafka: 'TIDELINE_TEST_KAFKA',
  redis: 'TIDELINE_TEST_REDIS',
  influx: 'TIDELINE_TEST_INFLUX',
} as const satisfies Record<ServerName, string>;

export type StackAddresses = Readonly<Record<ServerName, string>>;

/** Addresses of the shared servers. Throws where one is missing: a test that needs servers is never skipped in silence. */
export function stackAddresses(): StackAddresses {
  const missing = SERVER_NAMES.filter((name) => !process.env[ADDRESS_VARIABLES[name]]);
  if (missing.length > 0)
    throw new Error(
      `This test needs real servers (${missing.join(', ')}). Run it with: node test/dist/stack/main.js -- node --test FILE, ` +
        `or set ${missing.map((name) => ADDRESS_VARIABLES[name]).join(', ')} to servers that run.`,
    );
  const address = (name: ServerName): string => process.env[ADDRESS_VARIABLES[name]] ?? '';
  return { kafka: address('kafka'), redis: address('redis'), influx: address('influx') };
}

/** A name of a topic, queue, database or group that no other test has. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

/** Waits until `condition` holds (or gives a value); throws with `what` after `deadlineMs`. */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 60_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value as NonNullable<Exclude<T, false>>;
    if (Date.now() > deadline) throw new Error(`Not within ${deadlineMs} ms: ${what}`);
    await sleep(10);
  }
}
