/**
 * Kafka's jars: resolved by Maven from ../kafka/pom.xml into a cache folder, then checked against ../kafka/jars.sha256, which is committed.
 * Idempotent; two installers at once do not disturb each other, because the folder appears by one rename.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findProgram } from './find-program.ts';

const POM = fileURLToPath(new URL('../kafka/pom.xml', import.meta.url));
const PINS = fileURLToPath(new URL('../kafka/jars.sha256', import.meta.url));
const CACHE_FOLDER = fileURLToPath(new URL('../../../.cache/kafka', import.meta.url));
const JAVA_VERSION_MIN = 17;
const MVN_DEADLINE_MS = 600_000;
const run = promisify(execFile);

/** Where the jars are, or will be. */
export function kafkaLibsFolder(cacheFolder: string = CACHE_FOLDER): string {
  return join(resolve(cacheFolder), 'libs');
}

/** Path of a Java that can run Kafka 4. Throws with the cure. */
export async function findJava(): Promise<string> {
  const java = await findProgram('java');
  const { stderr } = await run(java, ['-version']);
  const version = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  if (version < JAVA_VERSION_MIN)
    throw new Error(`Kafka needs Java ${JAVA_VERSION_MIN} or newer; ${java} is version ${version || 'unknown'}.`);
  return java;
}

/** True where every pinned jar lies in the cache (by name; contents are checked when they are put there). */
export async function hasKafka(cacheFolder?: string): Promise<boolean> {
  const libs = kafkaLibsFolder(cacheFolder);
  const pins = await readPins();
  const found = await Promise.all([...pins.keys()].map((name) => stat(join(libs, name)).catch(() => null)));
  return found.every((file) => file !== null && file.size > 0);
}

/** Fetches and verifies the jars where they are missing. */
export async function installKafka(cacheFolder: string = CACHE_FOLDER): Promise<void> {
  if (await hasKafka(cacheFolder)) return;
  const mvn = await findProgram('mvn');
  await mkdir(cacheFolder, { recursive: true });
  const work = await mkdtemp(join(resolve(cacheFolder), 'fetch-'));
  try {
    // Maven writes beside its pom, so it gets a copy; -C makes a wrong checksum an error.
    await cp(POM, join(work, 'pom.xml'));
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    const args = ['-B', '-q', '-C', goal, '-DoutputDirectory=libs', '-DincludeScope=runtime'];
    await run(mvn, args, { cwd: work, timeout: MVN_DEADLINE_MS }).catch((cause: Error & { stdout?: string }) => {
      const said = cause.stdout?.split('\n').find((line) => line.includes('ERROR')) ?? cause.message;
      throw new Error(`Kafka's jars could not be fetched from Maven Central: ${said}`, { cause });
    });
    await verify(join(work, 'libs'));
    const libs = kafkaLibsFolder(cacheFolder);
    await rm(libs, { recursive: true, force: true });
    await rename(join(work, 'libs'), libs).catch(async (error: unknown) => {
      if (!existsSync(libs) || !(await hasKafka(cacheFolder))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function verify(libs: string): Promise<void> {
  for (const [name, digest] of await readPins()) {
    const bytes = await readFile(join(libs, name));
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== digest)
      throw new Error(`${name} is not the file that infra/native/kafka/jars.sha256 pins (${found}, pinned ${digest}).`);
  }
}

/** File name -> SHA-256, hex; the format of `sha256sum`. */
async function readPins(): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile(PINS, 'utf8')).trim().split('\n');
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}
