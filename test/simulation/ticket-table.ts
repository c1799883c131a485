/**
 * BullMQ's rules for one queue of jobs that are tried once: a job is waiting or active; an active one has a lock with a token and an end.
 * Only who holds the lock can renew it, end the job or send it back; a job whose lock ran out goes back to the head of the line.
 */
import { shardName, type Ticket } from '@tideline/pipeline';

interface Job {
  readonly ticket: Ticket;
  /** '' while waiting. */
  token: string;
  lockedUntilMs: number;
}

/** A job as a worker gets it. */
export interface TakenJob {
  readonly id: string;
  readonly ticket: Ticket;
  readonly token: string;
}

export class TicketTable {
  readonly #jobs = new Map<string, Job>();
  readonly #waiting: string[] = [];

  get size(): number {
    return this.#jobs.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Announcing a job that is there already changes nothing. */
  announce(ticket: Ticket): void {
    const id = `${shardName(ticket.shard)}-${ticket.number}`;
    if (this.#jobs.has(id)) return;
    this.#jobs.set(id, { ticket, token: '', lockedUntilMs: 0 });
    this.#waiting.push(id);
  }

  take(lock: { readonly token: string; readonly untilMs: number }): TakenJob | null {
    const id = this.#waiting.shift();
    const job = id === undefined ? undefined : this.#jobs.get(id);
    if (id === undefined || job === undefined) return null;
    job.token = lock.token;
    job.lockedUntilMs = lock.untilMs;
    return { id, ticket: job.ticket, token: lock.token };
  }

  /** The job goes back to the line although its worker is at it: the worker has lost its lock. */
  revoke(id: string): void {
    const job = this.#jobs.get(id);
    if (job === undefined || job.token === '') return;
    job.token = '';
    this.#waiting.unshift(id);
  }

  renew(id: string, lock: { readonly token: string; readonly nowMs: number; readonly untilMs: number }): boolean {
    const job = this.#held(id, lock);
    if (job === null) return false;
    job.lockedUntilMs = lock.untilMs;
    return true;
  }

  complete(id: string, lock: { readonly token: string; readonly nowMs: number }): boolean {
    return this.#held(id, lock) !== null && this.#jobs.delete(id);
  }

  sendBack(id: string, lock: { readonly token: string; readonly nowMs: number }): boolean {
    if (this.#held(id, lock) === null) return false;
    this.revoke(id);
    return true;
  }

  /** Jobs whose lock ran out go back to the head of the line. */
  recoverStalled(nowMs: number): number {
    let recovered = 0;
    for (const [id, job] of this.#jobs) {
      if (job.token === '' || job.lockedUntilMs > nowMs) continue;
      this.revoke(id);
      recovered += 1;
    }
    return recovered;
  }

  #held(id: string, lock: { readonly token: string; readonly nowMs: number }): Job | null {
    const job = this.#jobs.get(id);
    return job !== undefined && job.token === lock.token && job.lockedUntilMs > lock.nowMs ? job : null;
  }
}
