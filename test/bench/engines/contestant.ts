import { createInterface } from 'node:readline';
import type { Checked, CheckRequest, Loaded, LoadRequest, Request, Sliced, SliceRequest } from './protocol.ts';

/** One case, ready to be called. */
export interface Runner {
  readonly variant: string;
  /** The case once, with an input set. */
  call(set: number): void | Promise<void>;
  /** Outputs of the last call, [outputRows][outputSize]. */
  outputs(): Float32Array;
  /** Back to zero states. */
  reset(): void | Promise<void>;
  dispose(): void | Promise<void>;
}

/** Parts of a slice between two looks at the clock, so that the clock costs nothing beside a call of a microsecond. */
const PARTS = 16;
/** V8 compiles what runs hot, JavaScript and WebAssembly alike, within this time. */
const COMPILE_MS = 150;
const TRIAL_MS = 25;
const TRIALS = 2;

/** Serves requests from stdin until it ends. `load` gives the ways in which a case can be run; the fastest is kept. */
export async function serve(
  version: string,
  load: (request: LoadRequest) => Promise<readonly (() => Promise<Runner>)[]>,
): Promise<void> {
  let current: { readonly runner: Runner; readonly sets: number } | null = null;
  const answer = async (request: Request): Promise<Loaded | Checked | Sliced | object> => {
    if (request.do === 'load') {
      current = { runner: await fastestOf(await load(request), request), sets: request.sets };
      await callFor(current.runner, { ms: COMPILE_MS, callsMin: 1, part: 1, sets: request.sets });
      return { variant: current.runner.variant };
    }
    if (current === null) throw new Error('No case is loaded.');
    if (request.do === 'check') return check(current.runner, request, current.sets);
    if (request.do === 'slice') return slice(current.runner, request, current.sets);
    await current.runner.dispose();
    current = null;
    return {};
  };
  write({ version });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      write(await answer(JSON.parse(line) as Request));
    } catch (error) {
      write({ error: error instanceof Error ? error.message : String(error) });
    }
  }
}

function write(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function fastestOf(ways: readonly (() => Promise<Runner>)[], request: LoadRequest): Promise<Runner> {
  if (ways.length === 1) return ways[0]();
  const runners = await Promise.all(ways.map((make) => make()));
  const nsOf = new Map<Runner, number>(runners.map((runner) => [runner, Number.POSITIVE_INFINITY]));
  for (let trial = 0; trial < TRIALS; trial += 1)
    for (const runner of runners) {
      const wanted: SliceRequest = { do: 'slice', ms: TRIAL_MS, warmMs: TRIAL_MS, callsMin: 2, each: false };
      const { processorNs, calls } = await slice(runner, wanted, request.sets);
      nsOf.set(runner, Math.min(nsOf.get(runner) ?? processorNs, processorNs / calls));
    }
  const [fastest, ...others] = runners.toSorted((a, b) => (nsOf.get(a) ?? 0) - (nsOf.get(b) ?? 0));
  for (const other of others) await other.dispose();
  return fastest;
}

async function check(runner: Runner, { calls }: CheckRequest, sets: number): Promise<Checked> {
  await runner.reset();
  const parts: Buffer[] = [];
  for (let call = 0; call < calls; call += 1) {
    await runner.call(call % sets);
    const { buffer, byteOffset, byteLength } = runner.outputs();
    parts.push(Buffer.from(Buffer.from(buffer, byteOffset, byteLength)));
  }
  return { outputs: Buffer.concat(parts).toString('base64') };
}

async function slice(runner: Runner, { ms, warmMs, callsMin, each }: SliceRequest, sets: number): Promise<Sliced> {
  const warm = await callFor(runner, { ms: warmMs, callsMin: 1, part: 1, sets });
  if (each) return timedCalls(runner, { ms, callsMin, sets });
  const part = Math.max(1, Math.floor((warm.calls * ms * 1e6) / warm.ns / PARTS));
  return { ...(await callFor(runner, { ms, callsMin, part, sets })), each: [] };
}

interface Calls {
  readonly ms: number;
  readonly callsMin: number;
  readonly sets: number;
}

async function callFor(
  runner: Runner,
  { ms, callsMin, part, sets }: Calls & { readonly part: number },
): Promise<Omit<Sliced, 'each'>> {
  const usedBefore = process.cpuUsage();
  const start = performance.now();
  let calls = 0;
  let elapsedMs = 0;
  while (elapsedMs < ms || calls < callsMin) {
    for (let end = calls + part; calls < end; calls += 1) {
      const pending = runner.call(calls % sets);
      // A contestant that answers at once is not made to wait for the event loop.
      if (pending !== undefined) await pending;
    }
    elapsedMs = performance.now() - start;
  }
  return { calls, ns: elapsedMs * 1e6, processorNs: processorNsSince(usedBefore) };
}

async function timedCalls(runner: Runner, { ms, callsMin, sets }: Calls): Promise<Sliced> {
  const each: number[] = [];
  const usedBefore = process.cpuUsage();
  const start = performance.now();
  let before = start;
  while (before - start < ms || each.length < callsMin) {
    const pending = runner.call(each.length % sets);
    if (pending !== undefined) await pending;
    const after = performance.now();
    each.push(Math.round((after - before) * 1e6));
    before = performance.now();
  }
  return { calls: each.length, ns: (before - start) * 1e6, processorNs: processorNsSince(usedBefore), each };
}

/** Processor time of all threads of this process. */
function processorNsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1e3;
}
