/**
 * Clears the state of one series, or rebuilds it from its records.
 *
 *   Step 1. (replay) Follow the shard's partition from the beginning of retention, and rebuild the series up to the position that the shard had then.
 *   Step 2. Claim the shard: a running forecaster is fenced from here on; it notices at its next read or commit and reads all states again.
 *   Step 3. (replay) Rebuild from there to the position of the claim: its records are in Kafka already, since they were read from it.
 *   Step 4. Commit the state at that position. Where a forecaster has claimed the shard meanwhile, again from Step 2.
 * The points of rebuilt steps are written before the commit, as in the pipeline: equal ones are one point, and rows that had none get theirs.
 */
import { randomUUID } from 'node:crypto';
import { type Shard, StaleEpochError, shardName } from '@tideline/pipeline';
import { ConfigurationError, type ServiceSignals } from '@tideline/runtime';
import { type Environment, withAddresses } from '../addresses.ts';
import { openReplay } from './state-replay.ts';
import { findSeries, openStateStore, type StatePlace, type StateStore } from './state-store.ts';

export interface ResetOptions extends StatePlace {
  readonly topic: string;
  readonly replay?: true | undefined;
  readonly points: boolean;
  readonly onPoison: 'skip' | 'refuse';
  readonly json?: true | undefined;
}

const CLAIMS_MAX = 20;

export async function resetState(
  environment: Environment,
  key: string,
  options: ResetOptions,
  signals: ServiceSignals,
): Promise<void> {
  if (options.replay && options.state !== undefined)
    throw new ConfigurationError(["'--replay' reads Kafka: an embedded run's records are not kept."]);
  const env = await withAddresses(environment);
  await using store = await openStateStore(env, options);
  const { shard } = await findSeries(store, options.topic, key);
  const before = await store.snapshot(shard, []);
  await using replay = options.replay
    ? await openReplay({ env, shard, key, model: before?.model ?? '', options, signal: signals.drain })
    : null;
  // Step 1.
  if (before !== null) await replay?.stateAt(before.position);
  const position = await commitState({ store, shard, key, stateAt: async (at) => (await replay?.stateAt(at)) ?? null });
  const report = replay?.report() ?? null;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ key, shard: shardName(shard), position, rebuilt: report })}\n`);
    return;
  }
  const left = report?.poison.length
    ? ` Left out, for their values are not finite: offsets ${report.poison.join(', ')}.`
    : '';
  const anew = report?.saturated.length
    ? ` Begun anew where the network was saturated: offsets ${report.saturated.join(', ')}.`
    : '';
  const what = report
    ? `was rebuilt from ${report.records} records (from offset ${report.fromOffset} on), ${report.lines} points written.${left}${anew}`
    : 'has no state any more: its next record begins a fresh one.';
  process.stdout.write(`Series '${key}' of ${shardName(shard)} at position ${position} ${what}\n`);
}

/** Position at which the state was committed. */
async function commitState(work: {
  readonly store: StateStore;
  readonly shard: Shard;
  readonly key: string;
  readonly stateAt: (position: number) => Promise<Uint8Array | null>;
}): Promise<number> {
  const { store, shard, key, stateAt } = work;
  const owner = `reset-${randomUUID()}`;
  // Before and after, so that a checkpoint between the two looks again.
  await store.touch(shard);
  for (let tries = 1; ; tries += 1) {
    // Step 2.
    const { epoch, position, model } = await store.claim(shard, owner);
    // Step 3.
    const state = await stateAt(position);
    const change =
      state === null ? { keys: [], states: [], removed: [key] } : { keys: [key], states: [state], removed: [] };
    try {
      // Step 4.
      await store.commit({ shard, epoch, from: position, position, model, ...change });
      await store.touch(shard);
      return position;
    } catch (error) {
      if (!(error instanceof StaleEpochError) || tries === CLAIMS_MAX) throw error;
    }
  }
}
