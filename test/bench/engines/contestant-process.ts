import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Checked, CheckRequest, Hello, Loaded, LoadRequest, Refused, Sliced, SliceRequest } from './protocol.ts';

const ANSWER_TIMEOUT_MS = 180_000;
const STDERR_KEPT = 2_000;

/** A contestant could not be started, refused a request or ended; the message says why. */
export class ContestantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ContestantError';
  }
}

export interface ContestantCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A running contestant. */
export class Contestant implements AsyncDisposable {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #version = '';
  #stderr = '';

  /** Throws ContestantError where it does not come up. */
  static async start(command: ContestantCommand): Promise<Contestant> {
    const contestant = new Contestant(command);
    try {
      const { version } = await contestant.#next<Hello>();
      contestant.#version = version;
      return contestant;
    } catch (error) {
      await contestant[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor({ name, command, args, env = {} }: ContestantCommand) {
    this.name = name;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    const { stdin, stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new ContestantError(`${name} has no output.`);
    // Both end with the process: what it said last is the reason.
    stdin?.on('error', () => undefined);
    this.#child.on('error', (error) => {
      this.#stderr += error.message;
    });
    stderr.on('data', (part: Buffer) => {
      this.#stderr = (this.#stderr + part.toString()).slice(-STDERR_KEPT);
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  get version(): string {
    return this.#version;
  }

  load(request: LoadRequest): Promise<Loaded> {
    return this.#ask(request);
  }

  check(request: CheckRequest): Promise<Checked> {
    return this.#ask(request);
  }

  slice(request: SliceRequest): Promise<Sliced> {
    return this.#ask(request);
  }

  async drop(): Promise<void> {
    await this.#ask({ do: 'drop' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode, pid } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #ask<Answer>(request: object): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.#next<Answer>();
  }

  async #next<Answer>(): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `${this.name} has not answered for ${ANSWER_TIMEOUT_MS / 1_000} s.`;
      timer = setTimeout(() => {
        // A late answer would be taken for the next request's.
        this.#child.kill('SIGKILL');
        reject(new ContestantError(message));
      }, ANSWER_TIMEOUT_MS);
    });
    try {
      const { value, done } = await Promise.race([this.#lines.next(), late]);
      if (done) throw new ContestantError(this.#stderr.trim().split('\n').at(-1) || `${this.name} ended.`);
      const answer = JSON.parse(value) as Answer | Refused;
      if (isRefused(answer)) throw new ContestantError(answer.error);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }
}

function isRefused(answer: unknown): answer is Refused {
  return typeof answer === 'object' && answer !== null && 'error' in answer;
}
