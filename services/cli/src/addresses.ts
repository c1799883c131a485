import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readUpState } from '@tideline/native';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where this checkout keeps what `up` and `demo` write. */
export const STATE_FOLDER = '.tideline';
export const UP_FOLDER = join(STATE_FOLDER, 'up');

/** The models that come with this checkout, from whichever folder the command is run. */
export const MODELS_FOLDER = fileURLToPath(new URL('../../../models', import.meta.url));

/** The rules that the demo's page shows alerts of. */
export const DEMO_RULES = fileURLToPath(new URL('../../../docs/rules.yaml', import.meta.url));

/** The data sets of recipes, beside this checkout. */
export const DATA_FOLDER = fileURLToPath(new URL('../../../../shared/data', import.meta.url));

const DEFAULTS: Readonly<Record<string, string>> = {
  TIDELINE_KAFKA_BROKERS: '127.0.0.1:9092',
  TIDELINE_REDIS_URL: 'redis://127.0.0.1:6379',
  TIDELINE_INFLUX_URL: 'http://127.0.0.1:8086',
  TIDELINE_INFLUX_DATABASE: 'tideline',
  TIDELINE_MODELS: MODELS_FOLDER,
};
const VARIABLE_OF: Readonly<Record<string, string>> = {
  kafka: 'TIDELINE_KAFKA_BROKERS',
  redis: 'TIDELINE_REDIS_URL',
  influx: 'TIDELINE_INFLUX_URL',
};

/** The environment with the addresses of the servers: as set by the user, else as `tideline up` started them, else the usual ports. */
export async function withAddresses(env: Environment, folder = UP_FOLDER): Promise<Environment> {
  const state = await readUpState(folder);
  const started = (state?.processes ?? []).flatMap(({ name, address }) =>
    VARIABLE_OF[name] ? [[VARIABLE_OF[name], address]] : [],
  );
  return { ...DEFAULTS, ...Object.fromEntries(started), ...env };
}
