import type { EpochReport } from '@tideline/nn';
import { letSignalsThrough } from '@tideline/trainer';
import { SingleBar } from 'cli-progress';

export interface TrainProgress {
  readonly onEpoch: (report: EpochReport) => Promise<void>;
  readonly stop: () => void;
}

/**
 * A bar on a terminal, plain lines in a pipe. The time left is the most that it can be: training may stop early. `label` says which of several trainings
 * it is of, '' where there is one.
 */
export function trainProgress(
  epochs: number,
  label = '',
  terminal: NodeJS.WriteStream = process.stderr,
): TrainProgress {
  let from = { epoch: 0, atMs: performance.now() };
  const left = ({ epoch }: EpochReport): string => {
    const nowMs = performance.now();
    const epochMs = (nowMs - from.atMs) / Math.max(1, epoch - from.epoch);
    // The first epoch of this run has the making of the data in it: it counts only until there is a second one.
    if (from.epoch === 0) from = { epoch, atMs: nowMs };
    return secondsText((epochMs * (epochs - epoch)) / 1000);
  };
  const show = terminal.isTTY === true ? barOf(epochs, label, terminal) : linesOf(epochs, label, terminal);
  return {
    onEpoch: async (report) => {
      show.epoch(report, left(report));
      await letSignalsThrough();
    },
    stop: () => show.stop(),
  };
}

interface Show {
  readonly epoch: (report: EpochReport, left: string) => void;
  readonly stop: () => void;
}

function linesOf(epochs: number, label: string, out: NodeJS.WriteStream): Show {
  return {
    epoch: ({ epoch, loss, validationLoss, best }, left) =>
      void out.write(
        `${label}epoch ${epoch}/${epochs} loss ${loss.toFixed(5)} validation ${validationLoss.toFixed(5)} at most ${left} left${best ? ' (best)' : ''}\n`,
      ),
    stop: () => undefined,
  };
}

function barOf(epochs: number, label: string, stream: NodeJS.WriteStream): Show {
  const bar = new SingleBar({
    format: `train ${label}[{bar}] epoch {value}/{total} loss {loss} validation {validation} best {best} | at most {left} left`,
    stream,
    hideCursor: true,
  });
  const best = { loss: Number.POSITIVE_INFINITY, epoch: 0 };
  bar.start(epochs, 0, { loss: '-', validation: '-', best: '-', left: '-' });
  return {
    epoch: ({ epoch, loss, validationLoss, best: isBest }, left) => {
      if (isBest) Object.assign(best, { loss: validationLoss, epoch });
      bar.update(epoch, {
        ...{ loss: loss.toFixed(4), validation: validationLoss.toFixed(4), left },
        best: best.epoch === 0 ? '-' : `${best.loss.toFixed(4)} (epoch ${best.epoch})`,
      });
    },
    stop: () => bar.stop(),
  };
}

function secondsText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`;
}
