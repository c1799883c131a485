/** InfluxDB and the dead-letter topic: what was accepted stays. A point is known by measurement, tags and time; a letter by its position. */
import { type DeadLetter, type DeadLetterSink, type PointSink, RetryableError, shardName } from '@tideline/pipeline';
import type { SimProcess, SimServer } from './sim-process.ts';
import type { World } from './world.ts';

/** Sees every accepted point and letter. */
export interface SinkWatch {
  point(line: string, from: string): void;
  letter(letter: DeadLetter): void;
}

export class SimSink implements SimServer {
  readonly name: string;
  readonly #world: World;
  #downUntilMs = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  isDown(): boolean {
    return this.#world.nowMs < this.#downUntilMs;
  }

  stopFor(ms: number): void {
    this.#downUntilMs = this.#world.nowMs + ms;
  }

  start(): void {
    this.#downUntilMs = 0;
  }
}

/** The PointSink port of one process. */
export function createSimPointSink(parts: {
  readonly world: World;
  readonly process: SimProcess;
  readonly server: SimSink;
  readonly watch: SinkWatch;
}): PointSink {
  const { world, process, server, watch } = parts;
  return {
    write: (lines) =>
      process.call(server, `write ${lines.length}`, () => {
        const { faults, chance } = world;
        const isPartial = faults.strikes('influx-partial-write');
        for (const line of lines) if (!isPartial || chance.is(0.5)) watch.point(line, process.name);
        if (isPartial) throw new RetryableError('partial write');
        if (faults.strikes('influx-failure')) throw new Error('The sink failed in a way that nobody foresaw.');
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The DeadLetterSink port of one process. */
export function createSimDeadLetterSink(process: SimProcess, server: SimServer, watch: SinkWatch): DeadLetterSink {
  return {
    write: (letters) =>
      process.call(server, `letters ${letters.map((letter) => `${shardName(letter.shard)}@${letter.offset}`)}`, () => {
        for (const letter of letters) watch.letter(letter);
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
