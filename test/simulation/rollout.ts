/**
 * A roll-out of new models: forecasters are restarted with them one by one, while an operator gives the shards over (`tideline models promote`). Old and
 * new forecasters run side by side before, during and after it.
 */
import { changeModel, RetryableError, StaleEpochError, shardName } from '@tideline/pipeline';
import { LAST_SECOND_MS } from './fault-drivers.ts';
import type { Node, Site } from './nodes.ts';
import { createSimCheckpointLog } from './sim-checkpoint-log.ts';
import { SimProcess } from './sim-process.ts';
import { createSimShardStore } from './sim-shard-store.ts';
import type { ModelVersion } from './workload.ts';

const LOOK_MS = 100;
const RETRY_MS = 100;

export class Rollout {
  readonly #site: Site;
  readonly #living: () => readonly Node[];
  readonly #versions = new Map<string, ModelVersion>();
  #keptSinceMs = Number.POSITIVE_INFINITY;
  #begun = false;

  /** `living` gives the forecasters; `atMs` null: none is rolled out. */
  constructor(site: Site, atMs: number | null, living: () => readonly Node[]) {
    this.#site = site;
    this.#living = living;
    if (atMs !== null) site.world.scheduler.after(atMs, 'roll-out', () => this.#look());
  }

  /** Once begun it is brought to its end, also after the faults. */
  get hasBegun(): boolean {
    return this.#begun;
  }

  /** Model of the forecaster that is started at a place. */
  versionOf(place: string): ModelVersion {
    return this.#versions.get(place) ?? 0;
  }

  /** A shard that its store can forget altogether has the model of whoever serves it first: nothing is rolled out before that is over. */
  #look(): void {
    const { world, kafka } = this.#site;
    if (world.faults.isOver) return;
    const isKept = [...kafka.partitions.values()].every(
      ({ shard, records }) => records.length === 0 || (kafka.checkpoints.newest(shardName(shard))?.model ?? '') !== '',
    );
    if (!isKept) this.#keptSinceMs = Number.POSITIVE_INFINITY;
    else this.#keptSinceMs = Math.min(this.#keptSinceMs, world.nowMs);
    if (world.nowMs > this.#keptSinceMs + LAST_SECOND_MS) this.#begin();
    else world.scheduler.after(LOOK_MS, 'roll-out', () => this.#look());
  }

  #begin(): void {
    const { world, settings } = this.#site;
    this.#begun = true;
    for (let place = 0; place < settings.forecasters; place += 1)
      world.scheduler.after(world.chance.magnitude(1, 4_000), `new model for ${place}`, () => {
        const name = `forecaster-${place}`;
        this.#versions.set(name, 1);
        const node = this.#living().find(({ process }) => process.name.startsWith(`${name}.`));
        if (node === undefined || node.process.isDead) return;
        if (world.chance.is(0.7)) node.process.resume(0, 'told to stop', () => node.stop());
        else node.process.die('replaced');
      });
    world.scheduler.after(world.chance.magnitude(1, 3_000), 'promotion', () => this.#promote(1));
  }

  /** Started again where it dies, as an operator would. */
  #promote(life: number): void {
    const { world, kafka, redis, checker, sabotage } = this.#site;
    const process = new SimProcess(world, { name: `operator.${life}`, role: 'operator' });
    let isDone = false;
    process.onDeath(() => {
      if (!isDone) world.scheduler.after(world.chance.magnitude(50, 2_000), 'promotion', () => this.#promote(life + 1));
    });
    const port = createSimShardStore(process, redis, checker);
    const store = sabotage.operatorStore?.(port) ?? port;
    const log = sabotage.hasVolatileChange ? null : createSimCheckpointLog(process, kafka, checker);
    const signal = new AbortController().signal;
    const promote = async (): Promise<void> => {
      for (const { shard } of world.chance.shuffled([...kafka.partitions.values()])) {
        const model = this.#site.streams.get(shard.topic)?.[1].digest ?? '';
        for (;;)
          try {
            await changeModel({ shard, store, log, model, owner: process.name, wallMs: () => Math.round(world.nowMs) });
            break;
          } catch (error) {
            if (!(error instanceof RetryableError || error instanceof StaleEpochError)) throw error;
            await process.sleep(RETRY_MS, signal);
          }
      }
      isDone = true;
      process.die('done');
    };
    promote().catch((error: unknown) => process.die(`threw ${error}`));
  }
}
