import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BacktestResult,
  figuresCsv,
  forecastsCsv,
  RECIPES,
  recipeOf,
  resultJson,
  resultText,
  runRecipe,
} from '@tideline/trainer';

export interface BacktestOptions {
  readonly recipe?: string | undefined;
  readonly dataFolder: string;
  readonly seeds: number;
  readonly seed: number;
  readonly out?: string | undefined;
  readonly json?: true | undefined;
}

/** `tideline backtest`. Throws ConfigError where the recipe or its data is not there. */
export async function backtest(options: BacktestOptions, signal: AbortSignal): Promise<void> {
  const { recipe, dataFolder, seeds: count, seed: first } = options;
  if (recipe === undefined) {
    process.stdout.write(recipesText());
    return;
  }
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  const progress = (message: string): void => void process.stderr.write(`${message}\n`);
  const result = await runRecipe(recipeOf(recipe), { dataFolder, seeds, progress, signal });
  if (options.out !== undefined) await writeResult(options.out, result);
  process.stdout.write(options.json ? `${JSON.stringify(resultJson(result))}\n` : resultText(result));
}

function recipesText(): string {
  const width = Math.max(...RECIPES.map(({ name }) => name.length));
  const lines = RECIPES.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `Recipes of --recipe:\n${lines.join('')}`;
}

async function writeResult(folder: string, result: BacktestResult): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'figures.csv'), figuresCsv(result));
  await writeFile(join(folder, 'forecasts.csv'), forecastsCsv(result));
  await writeFile(join(folder, 'result.json'), `${JSON.stringify(resultJson(result), null, 2)}\n`);
}
