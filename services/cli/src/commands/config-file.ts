import { readFile } from 'node:fs/promises';
import { type CommandUnknownOpts, InvalidArgumentError, type Option } from '@commander-js/extra-typings';
import { ConfigError } from '@tideline/pipeline';
import { parse } from 'yaml';

/** Options that a configuration file cannot set: itself. */
const OWN = 'config';

/**
 * Sets a command's options from a YAML (or JSON) file whose keys are the options' long names, such as `learning-rate: 0.003`; what stands on the command line
 * stays. Values are read and checked as on the command line; a list is an option of several values, an object one of `field=column` pairs. Throws ConfigError
 * with every key that is unknown or whose value is refused.
 */
export async function applyConfigFile(command: CommandUnknownOpts, path: string): Promise<void> {
  const values = await readConfig(path);
  const known = new Map(
    command.options.filter((option) => option.attributeName() !== OWN).map((option) => [nameOf(option), option]),
  );
  const problems: string[] = [];
  for (const [key, value] of Object.entries(values)) {
    const option = known.get(key);
    if (option === undefined) {
      problems.push(
        `'${path}': '${key}' is no option of '${command.name()}': use one of ${[...known.keys()].join(', ')}.`,
      );
      continue;
    }
    const name = option.attributeName();
    if (command.getOptionValueSource(name) === 'cli') continue;
    try {
      command.setOptionValueWithSource(name, readValue(option, value), 'config');
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      problems.push(`'${path}': '${key}' is ${JSON.stringify(value)}: ${error.message}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

function nameOf({ long, short }: Option): string {
  return (long ?? short ?? '').replace(/^--/, '');
}

/** As the command line would read it. */
function readValue(option: Option, value: unknown): unknown {
  const isFlag = !option.required && !option.optional;
  if (isFlag) {
    if (typeof value !== 'boolean') throw new InvalidArgumentError('must be true or false.');
    return value || undefined;
  }
  const texts = textsOf(value);
  if (texts.length === 0) throw new InvalidArgumentError('must not be empty.');
  if (option.variadic) return texts;
  if (texts.length > 1) throw new InvalidArgumentError('must be one value, no list.');
  return option.parseArg ? option.parseArg(texts[0], undefined) : texts[0];
}

function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (value !== null && typeof value === 'object')
    return Object.entries(value).map(([field, column]) => `${field}=${String(column)}`);
  return value === null || value === undefined ? [] : [String(value)];
}

/** Throws ConfigError with the place where the file is no YAML. */
async function readConfig(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConfigError([`--config: '${path}' cannot be read (${(cause as NodeJS.ErrnoException).code}).`]);
  }
  let values: unknown;
  try {
    values = parse(text);
  } catch (cause) {
    throw new ConfigError([`--config: '${path}' is no YAML: ${(cause as Error).message.split('\n')[0]}`]);
  }
  if (values === null || typeof values !== 'object' || Array.isArray(values))
    throw new ConfigError([`--config: '${path}' must hold options by their names, such as 'seeds: 5'.`]);
  return values as Record<string, unknown>;
}
