import { join } from 'node:path';
import {
  type CellKind,
  createModel,
  type EngineCost,
  fastestOf,
  initWeights,
  loadModel,
  type Model,
  measureEngines,
  type SingleKind,
} from '@tideline/nn';
import { mulberry32 } from '@tideline/streams';
import { SingleBar } from 'cli-progress';

export interface BenchEnginesOptions {
  readonly model?: string | undefined;
  readonly cell: CellKind;
  readonly input: number;
  readonly hidden: number;
  readonly layers: number;
  readonly output: number;
  readonly widths: readonly number[];
  readonly engines: readonly SingleKind[];
  readonly budget: number;
  readonly json?: true | undefined;
}

const SEED = 1;
const NAME_WIDTH = 20;
const COLUMN_WIDTH = 12;

/** Measures and prints: a table, or one JSON line. */
export async function benchEngines(options: BenchEnginesOptions): Promise<void> {
  const { widths, engines } = options;
  const model = await modelOf(options);
  const progress = engineProgress(engines);
  const costs = await measureEngines(model, engines, {
    ...{ widths, budgetMs: options.budget, now: () => performance.now(), onEngine: progress.onEngine },
  });
  progress.stop();
  process.stdout.write(
    options.json ? `${JSON.stringify(reportOf(model, widths, costs))}\n` : tableOf(model, widths, costs),
  );
}

async function modelOf(options: BenchEnginesOptions): Promise<Model> {
  if (options.model !== undefined) return (await loadModel(join(options.model, 'model.tdl'))).model;
  const { cell, input: inputSize, hidden: hiddenSize, layers, output: outputSize } = options;
  const spec = { name: 'random', cell, inputSize, hiddenSize, layers, outputSize };
  return createModel(spec, initWeights(spec, mulberry32(SEED)));
}

function reportOf(model: Model, widths: readonly number[], costs: readonly EngineCost[]) {
  const { name, ...spec } = model.spec;
  return {
    model: name,
    spec,
    engines: costs.map(({ kind, costs: steps, problem }) => ({
      engine: kind,
      problem,
      steps: steps.map(({ width, stepMs, measured }) => ({
        ...{ width, stepMs, measured },
        stepsPerSecond: Math.round((width * 1000) / stepMs),
      })),
    })),
    fastest: Object.fromEntries(widths.map((width) => [width, fastestOf(costs, width)])),
  };
}

function tableOf(model: Model, widths: readonly number[], costs: readonly EngineCost[]): string {
  const { name, cell, inputSize, hiddenSize, layers, outputSize } = model.spec;
  const line = (head: string, cells: readonly string[]): string =>
    `${head.padEnd(NAME_WIDTH)}${cells.map((one) => one.padStart(COLUMN_WIDTH)).join('')}`.trimEnd();
  const rows = costs.map(({ kind, costs: steps, problem }) =>
    problem === null
      ? line(
          kind,
          steps.map(({ width, stepMs, measured }) => `${measured ? '' : '>'}${short((width * 1000) / stepMs)}`),
        )
      : `${kind.padEnd(NAME_WIDTH)}  ${problem}`,
  );
  return `${[
    `Steps a second of '${name}' (${cell} ${inputSize} -> ${hiddenSize}x${layers} -> ${outputSize}) by rows a batch.`,
    '> at least: the time was up before it was measured.',
    line('engine', widths.map(String)),
    ...rows,
    line(
      "'fastest' takes",
      widths.map((width) => ` ${fastestOf(costs, width) ?? '-'}`),
    ),
  ].join('\n')}\n`;
}

/** 3 digits: 1,234,567 becomes 1.23M. */
function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}M`;
  return value >= 1e3 ? `${(value / 1e3).toPrecision(3)}k` : value.toPrecision(3);
}

/** A bar on a terminal, plain lines in a pipe. */
function engineProgress(engines: readonly SingleKind[]): {
  readonly onEngine: (cost: EngineCost) => void;
  readonly stop: () => void;
} {
  let done = 0;
  if (process.stderr.isTTY !== true)
    return {
      onEngine: ({ kind, problem }) => {
        done += 1;
        process.stderr.write(`engine ${done}/${engines.length} ${kind}: ${problem ?? 'measured'}\n`);
      },
      stop: () => undefined,
    };
  const bar = new SingleBar({
    format: 'bench [{bar}] {value}/{total} {engine} | {eta_formatted} left',
    stream: process.stderr,
    clearOnComplete: true,
  });
  bar.start(engines.length, 0, { engine: engines[0] ?? '' });
  return {
    onEngine: () => {
      done += 1;
      bar.update(done, { engine: engines[done] ?? '' });
    },
    stop: () => bar.stop(),
  };
}
