import type { BacktestResult } from '../backtest/result.ts';
import type { TextReading } from '../dialogues/dialogue-reader.ts';

export interface RecipeOptions extends TextReading {
  /** Folder of this recipe's data; its `files` are there. */
  readonly folder: string;
  /** One training each, in this order. */
  readonly seeds: readonly number[];
  /** Told what goes on, a sentence each; may be told often. */
  readonly progress: (message: string) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** A comparison that anybody can repeat with one command: its data, split, stream, model, training, metrics, baselines and published numbers. */
export interface Recipe {
  readonly name: string;
  /** One line for the list of recipes. */
  readonly summary: string;
  /** Folder of its data under the data folder, and the files in it that it reads. */
  readonly folder: string;
  readonly files: readonly string[];
  /** Whether encoders of texts can be asked for. */
  readonly hasTexts?: boolean;
  run(options: RecipeOptions): Promise<BacktestResult>;
}
