/** Writes of one turn of the event loop as one request: what InfluxDB asks for a request is many times what it asks for a line. */
import type { Lines } from '@tideline/pipeline';

interface Waiting {
  readonly lines: Lines;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface WriteGroups {
  /** Resolves when a request with all of the lines was accepted. Rejects with what its own lines met. */
  write(lines: Lines): Promise<void>;
}

/** `post` sends bodies of whole lines as one request. Writes of more than `linesMax` lines go out in parts, one after the other. */
export function createWriteGroups(
  post: (bodies: readonly Uint8Array[]) => Promise<void>,
  linesMax: number,
): WriteGroups {
  let waiting: Waiting[] = [];
  const alone = async (lines: Lines): Promise<void> => {
    for (let at = 0; at < lines.length; at += linesMax)
      await post([lines.bytes(at, Math.min(lines.length, at + linesMax))]);
  };
  const send = async (group: readonly Waiting[]): Promise<void> => {
    try {
      if (group.length === 1) await alone(group[0].lines);
      else await post(group.map(({ lines }) => lines.bytes()));
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (group.length === 1) group[0].reject(error);
      // One's line may be what the server refuses: each hears of its own.
      else for (const one of group) void send([one]);
    }
  };
  const flush = (): void => {
    let group: Waiting[] = [];
    let lines = 0;
    for (const one of waiting) {
      if (group.length > 0 && lines + one.lines.length > linesMax) {
        void send(group);
        [group, lines] = [[], 0];
      }
      group.push(one);
      lines += one.lines.length;
    }
    waiting = [];
    void send(group);
  };
  return {
    write: (lines) =>
      new Promise((resolve, reject) => {
        if (lines.length === 0) return resolve();
        // A large one gains nothing from company, and the next step of its shard is waiting.
        if (lines.length * 2 > linesMax) return void send([{ lines, resolve, reject }]);
        if (waiting.length === 0) setImmediate(flush);
        waiting.push({ lines, resolve, reject });
      }),
  };
}
