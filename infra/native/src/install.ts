/** Puts the servers' programs in place: Kafka's jars by Maven, the rest from Debian's packages where we may. */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { DEBIAN_PACKAGES, locateProgram, missing, type Program } from './find-program.ts';
import { findJava, hasKafka, installKafka } from './kafka-jars.ts';

export interface InstallOptions {
  /** One sentence for each thing that takes long. */
  readonly onProgress?: (message: string) => void;
  /** Which servers; default all. */
  readonly servers?: readonly ServerName[];
  readonly cacheFolder?: string;
}

export const SERVER_NAMES = ['kafka', 'redis', 'influx'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const QUIET = 'DEBIAN_FRONTEND=noninteractive';
const APT_DEADLINE_MS = 600_000;
const SERVICE_OF: Partial<Record<Program, string>> = { 'redis-server': 'redis-server', influxd: 'influxdb' };
const run = promisify(execFile);

/** Installs what is missing. Idempotent. Throws with the cure where it must not or cannot. */
export async function ensureInstalled(options: InstallOptions = {}): Promise<void> {
  const onProgress = options.onProgress ?? (() => undefined);
  const servers = options.servers ?? SERVER_NAMES;
  await installPrograms(await missingPrograms(servers, options.cacheFolder), onProgress);
  if (!servers.includes('kafka')) return;
  await findJava();
  if (await hasKafka(options.cacheFolder)) return;
  onProgress('Fetching Kafka from Maven Central (about 55 MB).');
  await installKafka(options.cacheFolder);
}

async function missingPrograms(servers: readonly ServerName[], cacheFolder?: string): Promise<Program[]> {
  const needed: Program[] = [];
  if (servers.includes('kafka')) needed.push('java');
  if (servers.includes('kafka') && !(await hasKafka(cacheFolder))) needed.push('mvn');
  if (servers.includes('redis')) needed.push('redis-server');
  if (servers.includes('influx')) needed.push('influxd');
  const located = await Promise.all(needed.map(locateProgram));
  return needed.filter((_, index) => located[index] === null);
}

async function installPrograms(programs: readonly Program[], onProgress: (message: string) => void): Promise<void> {
  if (programs.length === 0) return;
  const apt = await locateProgram('apt-get');
  if (apt === null || process.getuid?.() !== 0) throw missing(programs[0]);
  const packages = programs.map((program) => DEBIAN_PACKAGES[program]);
  onProgress(`Installing ${packages.join(', ')} with apt-get.`);
  const install = () =>
    run('env', [QUIET, apt, 'install', '-y', '--no-install-recommends', ...packages], { timeout: APT_DEADLINE_MS });
  await withoutServices(async () => {
    // Lists can be old or absent (a fresh container): refresh them only where the first attempt fails.
    await install().catch(async () => {
      await run('env', [QUIET, apt, 'update'], { timeout: APT_DEADLINE_MS });
      await install().catch((cause: Error & { stderr?: string }) => {
        throw new Error(`apt-get could not install ${packages.join(', ')}: ${cause.stderr ?? cause.message}`, {
          cause,
        });
      });
    });
  });
  await disableServices(programs);
}

/** Debian's packages start their service when installed; policy-rc.d answering 101 forbids that. Ours is removed again, another's is kept. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const ours = await writeFile(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  try {
    await work();
  } finally {
    if (ours) await rm(POLICY_FILE, { force: true });
  }
}

/** The packages that we brought must not start their own server at the next boot. */
async function disableServices(programs: readonly Program[]): Promise<void> {
  const systemctl = await locateProgram('systemctl');
  if (systemctl === null) return;
  for (const program of programs) {
    const service = SERVICE_OF[program];
    // Without a running systemd this still removes the links; where it cannot, the server stays a service that the user may stop.
    if (service !== undefined) await run(systemctl, ['disable', service]).catch(() => undefined);
  }
}
