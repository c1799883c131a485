import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@tideline/pipeline';
import type { BacktestResult } from '../backtest/result.ts';
import { assertNoEncoders } from '../dialogues/dialogue-reader.ts';
import { callVolume } from './call-volume.ts';
import { meld } from './meld.ts';
import type { Recipe, RecipeOptions } from './recipe.ts';
import { satisfaction } from './satisfaction.ts';
import { spyVolatility } from './spy-volatility.ts';
import { stockAcl18 } from './stock-acl18.ts';
import { ticksHf } from './ticks-hf.ts';

/** Every recipe of `tideline backtest --recipe`. */
export const RECIPES: readonly Recipe[] = [callVolume, meld, satisfaction, spyVolatility, stockAcl18, ticksHf];

/** Throws ConfigError, with the known names, where there is no such recipe. */
export function recipeOf(name: string): Recipe {
  const found = RECIPES.find((recipe) => recipe.name === name);
  if (found) return found;
  throw new ConfigError([`There is no recipe '${name}': use one of ${RECIPES.map((one) => one.name).join(', ')}.`]);
}

/** Runs a recipe on its data under `dataFolder`. Throws ConfigError that names the folder and the cure where a file is missing. */
export async function runRecipe(
  recipe: Recipe,
  options: Omit<RecipeOptions, 'folder'> & { readonly dataFolder: string },
): Promise<BacktestResult> {
  const { dataFolder, ...rest } = options;
  if (!recipe.hasTexts) assertNoEncoders(options, `recipe '${recipe.name}'`);
  const folder = join(dataFolder, recipe.folder);
  const missing: string[] = [];
  for (const file of recipe.files) {
    const path = join(folder, file);
    await access(path).catch(() => missing.push(path));
  }
  if (missing.length > 0)
    throw new ConfigError([
      `Recipe '${recipe.name}' needs ${missing.join(', ')}, which cannot be read. Set TIDELINE_DATA to the folder that holds ` +
        `'${recipe.folder}', or put the files there (docs/recipes/${recipe.name}.md says where they come from).`,
    ]);
  return recipe.run({ ...rest, folder });
}
