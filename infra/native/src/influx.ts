import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findProgram } from './find-program.ts';
import { assertPortFree, freePort } from './free-port.ts';
import { probeInflux } from './probe.ts';
import { type RunningServer, startServerProcess } from './server-process.ts';

export interface InfluxOptions {
  readonly folder: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly detached?: boolean;
  /** Refuse requests without a user. The first request must create an admin user. Default: off, as it listens on the loopback only. */
  readonly auth?: boolean;
}

const READY_DEADLINE_MS = 30_000;

/** Starts InfluxDB 1.x on 127.0.0.1, with the index that holds 100,000 series and no limits on series or tag values. */
export async function startInflux(options: InfluxOptions): Promise<RunningServer> {
  const folder = resolve(options.folder);
  const command = await findProgram('influxd');
  await mkdir(folder, { recursive: true });
  if (options.port !== undefined) await assertPortFree(options.port, 'InfluxDB');
  const port = options.port ?? (await freePort());
  const configFile = join(folder, 'influxdb.conf');
  const auth = options.auth ?? false;
  await writeFile(configFile, influxConfig({ folder, port, rpcPort: await freePort(), auth }), { mode: 0o600 });
  return startServerProcess({
    name: 'influx',
    address: `http://127.0.0.1:${port}`,
    port,
    command,
    args: ['run', '-config', configFile],
    logFile: join(folder, 'influx.log'),
    detached: options.detached ?? false,
    probe: () => probeInflux(port),
    readyDeadlineMs: READY_DEADLINE_MS,
  });
}

interface InfluxConfig {
  readonly folder: string;
  readonly port: number;
  readonly rpcPort: number;
  readonly auth: boolean;
}

function influxConfig(at: InfluxConfig): string {
  return `reporting-disabled = true
bind-address = "127.0.0.1:${at.rpcPort}"

[meta]
  dir = "${join(at.folder, 'meta')}"

[data]
  dir = "${join(at.folder, 'data')}"
  wal-dir = "${join(at.folder, 'wal')}"
  index-version = "tsi1"
  max-series-per-database = 0
  max-values-per-tag = 0
  query-log-enabled = false

[coordinator]
  max-select-point = 0
  max-select-series = 0

[http]
  enabled = true
  bind-address = "127.0.0.1:${at.port}"
  auth-enabled = ${at.auth}
  log-enabled = false
  max-row-limit = 0
  max-body-size = 0
  ping-auth-enabled = false

[monitor]
  store-enabled = false

[logging]
  level = "warn"
`;
}
