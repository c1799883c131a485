/** Which process a pid is: pids are used again, so that a state file alone must never decide what is killed. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** After this long a process that was asked to end is killed. Kafka with a full log needs the most, some seconds. */
export const STOP_DEADLINE_MS = 20_000;
const POLL_INTERVAL_MS = 20;
const START_TICKS_FIELD = 19; // of /proc/PID/stat, counted after the command in brackets

const run = promisify(execFile);

/** Start time and command line of a process, null where none runs: equal strings are the same process. */
export async function identifyProcess(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return identifyByPs(pid);
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return null;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return `${fields[START_TICKS_FIELD]} ${command.replaceAll('\0', ' ').trim()}`;
  } catch {
    return null;
  }
}

async function identifyByPs(pid: number): Promise<string | null> {
  try {
    const { stdout } = await run('ps', ['-o', 'lstart=,command=', '-p', String(pid)]);
    return stdout.trim() || null;
  } catch {
    return null;
  }
}

/** Signals a process and waits until it is gone; SIGTERM becomes SIGKILL after STOP_DEADLINE_MS. No process is no error. */
export async function stopProcess(
  pid: number,
  signal: 'SIGTERM' | 'SIGKILL',
  hasExited: () => boolean = () => false,
): Promise<void> {
  const deadline = Date.now() + STOP_DEADLINE_MS;
  if (hasExited() || !send(pid, signal)) return;
  let killed = signal === 'SIGKILL';
  while (!hasExited() && (await identifyProcess(pid)) !== null) {
    if (!killed && Date.now() > deadline) {
      send(pid, 'SIGKILL');
      killed = true;
    }
    await sleep(POLL_INTERVAL_MS);
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
