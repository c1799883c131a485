import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Debian package that carries each program. */
export const DEBIAN_PACKAGES = {
  'redis-server': 'redis-server',
  influxd: 'influxdb',
  java: 'openjdk-17-jre-headless',
  mvn: 'maven',
} as const;
export type Program = keyof typeof DEBIAN_PACKAGES;

const run = promisify(execFile);

/** Full path of a program, null where there is none. The shell knows the search path. */
export async function locateProgram(program: string): Promise<string | null> {
  const { stdout } = await run('/bin/sh', ['-c', 'command -v "$1"', 'sh', program]).catch(() => ({ stdout: '' }));
  return stdout.trim() || null;
}

/** Full path of a program. Throws with the cure where it is missing. */
export async function findProgram(program: Program): Promise<string> {
  const file = await locateProgram(program);
  if (file === null) throw missing(program);
  return file;
}

/** The error that says how to get a missing program. */
export function missing(program: Program): Error {
  return new Error(
    `'${program}' is not installed. On Debian or Ubuntu: sudo apt-get install ${DEBIAN_PACKAGES[program]}. ` +
      'Elsewhere use Docker (docker compose up), or point the configuration to servers that run already.',
  );
}
