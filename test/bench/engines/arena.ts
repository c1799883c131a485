/** The running contestants, and how a case is made ready: loaded, its outputs compared, and only then timed. */

import { CaseFiles } from './case-files.ts';
import type { BenchCase } from './cases.ts';
import { Contestant, type ContestantCommand, ContestantError } from './contestant-process.ts';
import type { Absent } from './peers.ts';
import type { Refusal } from './result.ts';
import { asFloats, maxDifference } from './vectors.ts';

/** Whose outputs are the measure of the others': plain loops that add in double. */
export const REFERENCE = 'reference';
const CHECK_CALLS = 10;
/** A run or window is long by itself. */
const CHECK_CALLS_LONG = 1;

/** A contestant that is ready for a case, with outputs that are right. */
export interface Ready {
  readonly contestant: Contestant;
  readonly variant: string;
  readonly difference: number;
}

export class Arena implements AsyncDisposable {
  readonly #contestants: readonly Contestant[];
  readonly #files: CaseFiles;
  readonly absent: readonly Absent[];

  static async open(commands: readonly ContestantCommand[], folder: string): Promise<Arena> {
    const contestants: Contestant[] = [];
    const absent: Absent[] = [];
    for (const command of commands) {
      try {
        contestants.push(await Contestant.start(command));
      } catch (error) {
        if (!(error instanceof ContestantError)) throw error;
        absent.push({ name: command.name, why: error.message });
      }
    }
    return new Arena(contestants, absent, new CaseFiles(folder));
  }

  private constructor(contestants: readonly Contestant[], absent: readonly Absent[], files: CaseFiles) {
    this.#contestants = contestants;
    this.absent = absent;
    this.#files = files;
  }

  get versions(): Record<string, string> {
    return Object.fromEntries(this.#contestants.map(({ name, version }) => [name, version]));
  }

  /** Runs `measure` with the contestants that can do the case and do it right. The reference always computes; `timed` says who is timed. */
  async withCase<Result>(
    benchCase: BenchCase,
    timed: (name: string) => boolean,
    measure: (ready: readonly Ready[], refused: readonly Refusal[]) => Promise<Result>,
  ): Promise<Result> {
    const request = this.#files.write(benchCase);
    const calls = benchCase.form === 'step' ? CHECK_CALLS : CHECK_CALLS_LONG;
    const ready: Ready[] = [];
    const refused: Refusal[] = [];
    const wanted = this.#contestants
      .filter(({ name }) => name === REFERENCE || timed(name))
      .toSorted((a, b) => Number(b.name === REFERENCE) - Number(a.name === REFERENCE));
    let expected: Float32Array | null = null;
    for (const contestant of wanted) {
      const { name } = contestant;
      try {
        const { variant } = await contestant.load(request);
        const outputs = asFloats((await contestant.check({ do: 'check', calls })).outputs);
        expected ??= outputs;
        const difference = maxDifference(outputs, expected);
        if (difference <= benchCase.tolerance) ready.push({ contestant, variant, difference });
        else refused.push({ name, why: `its outputs differ by ${difference}`, isWrong: true });
      } catch (error) {
        if (!(error instanceof ContestantError)) throw error;
        refused.push({ name, why: error.message, isWrong: false });
      }
    }
    const result = await measure(
      ready.filter(({ contestant }) => timed(contestant.name)),
      refused,
    );
    for (const { contestant } of ready) await contestant.drop().catch(ignoreEnded);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const contestant of this.#contestants) await contestant[Symbol.asyncDispose]();
  }
}

/** One that ended on the way has nothing left to drop. */
function ignoreEnded(error: unknown): void {
  if (!(error instanceof ContestantError)) throw error;
}
