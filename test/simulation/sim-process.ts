/**
 * One process of the simulated world: its code runs only in `resume`, so a seed can end or pause it at each of its awaits.
 *
 * - dead: its ports never answer again. A request that it had sent may still arrive, as from a socket's buffer.
 * - paused: requests under way take effect, replies wait. When it wakes it goes on with what it knew: a zombie.
 */
import { RetryableError } from '@tideline/pipeline';
import type { World } from './world.ts';

/** What a request is sent to. */
export interface SimServer {
  readonly name: string;
  /** Refuses every request. */
  isDown(): boolean;
}

const TIMEOUT_MS_MIN = 100;
const TIMEOUT_MS_MAX = 1_000;

export type Role = 'ingest' | 'forecaster' | 'operator';

export class SimProcess {
  readonly name: string;
  readonly role: Role;
  readonly #world: World;
  readonly #onDeath: (() => void)[] = [];
  #isDead = false;
  #pausedUntilMs = 0;

  constructor(world: World, options: { readonly name: string; readonly role: Role }) {
    this.#world = world;
    this.name = options.name;
    this.role = options.role;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get isPaused(): boolean {
    return this.#pausedUntilMs > this.#world.nowMs;
  }

  onDeath(listener: () => void): void {
    this.#onDeath.push(listener);
  }

  /** Ends the process here. */
  die(why: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#world.note(`${this.name} is dead: ${why}`);
    for (const listener of this.#onDeath) listener();
  }

  pause(forMs: number): void {
    this.#pausedUntilMs = this.#world.nowMs + forMs;
    this.#world.note(`${this.name} is paused`);
  }

  /** Wakes a paused process at once: faults are over. */
  wake(): void {
    this.#pausedUntilMs = 0;
  }

  /** Runs code of the process after `delayMs`: an await of the process ends. */
  resume(delayMs: number, label: string, run: () => void): void {
    this.#world.scheduler.after(delayMs, `${this.name} ${label}`, () => this.#arrive(label, run));
  }

  #arrive(label: string, run: () => void): void {
    if (this.#isDead) return;
    if (this.isPaused) {
      const { nowMs, chance } = this.#world;
      this.resume(Math.min(this.#pausedUntilMs - nowMs, 500) + chance.number(), label, run);
      return;
    }
    const fate = this.#world.atAwait(this);
    if (fate === 'crash') {
      this.die('crash');
      return;
    }
    if (fate === 'pause') {
      this.pause(this.#world.chance.magnitude(100, 15_000));
      this.resume(0, label, run);
      return;
    }
    run();
  }

  /** Sends a request and waits for its reply. Rejects with RetryableError where it, or the reply, is lost or the server refuses. */
  call<T>(server: SimServer, label: string, effect: () => T | Promise<T>): Promise<T> {
    const { faults, chance, scheduler } = this.#world;
    if (this.#isDead) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      const timeoutMs = chance.magnitude(TIMEOUT_MS_MIN, TIMEOUT_MS_MAX);
      const fail = (why: string, afterMs: number): void =>
        this.resume(afterMs, `${label} ${why}`, () =>
          reject(new RetryableError(`${server.name}: ${why}.`, { retryAfterMs: chance.whole(10, 200) })),
        );
      if (faults.strikes('request-lost')) return fail('request lost', timeoutMs);
      const isLate = faults.strikes('effect-late');
      const travelMs = isLate ? timeoutMs + chance.magnitude(1, 3_000) : this.#travelMs();
      if (isLate) fail('timed out', timeoutMs);
      scheduler.after(travelMs, `${this.name} ${label} at ${server.name}`, () => {
        // Sent before the death of its sender: it may have left or not.
        if (this.#isDead && chance.is(0.5)) return;
        if (server.isDown()) {
          if (!isLate) fail('refused', this.#travelMs());
          return;
        }
        void (async () => {
          try {
            const value = await effect();
            if (isLate) return;
            if (faults.strikes('reply-lost')) return fail('reply lost', timeoutMs);
            this.resume(this.#travelMs(), `${label} done`, () => resolve(value));
          } catch (error) {
            if (!isLate) this.resume(this.#travelMs(), `${label} failed`, () => reject(error));
          }
        })();
      });
    });
  }

  /** The sleep that the pipeline is given: its length is the process's clock's business. */
  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const onAbort = (): void => this.resume(this.#world.chance.magnitude(0.1, 2), 'woken', resolve);
      signal.addEventListener('abort', onAbort, { once: true });
      this.resume(ms * this.#world.clockPace(), 'slept', () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  };

  #travelMs(): number {
    const { faults, chance } = this.#world;
    return faults.strikes('reply-slow') ? chance.magnitude(10, 3_000) : chance.magnitude(0.1, 5);
  }
}
