import { Program } from './program.ts';

type Add = (program: Program) => void;

/** In the order of `--help`. A command's module says what it takes; what it runs is loaded by its action, so that each command loads its own alone. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  demo: async () => (await import('./commands/demo.ts')).addDemo,
  up: async () => (await import('./commands/up.ts')).addUp,
  down: async () => (await import('./commands/up.ts')).addDown,
  ingest: async () => (await import('./commands/services.ts')).addIngest,
  forecaster: async () => (await import('./commands/services.ts')).addForecaster,
  gateway: async () => (await import('./commands/services.ts')).addGateway,
  replay: async () => (await import('./commands/replay.ts')).addReplay,
  train: async () => (await import('./commands/train.ts')).addTrain,
  backtest: async () => (await import('./commands/backtest.ts')).addBacktest,
  stream: async () => (await import('./commands/stream.ts')).addStream,
  models: async () => (await import('./commands/models.ts')).addModels,
  state: async () => (await import('./commands/state.ts')).addState,
  dlq: async () => (await import('./commands/dlq.ts')).addDlq,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
  bench: async () => (await import('./commands/bench.ts')).addBench,
};

const EXAMPLES = `
First steps:
  tideline demo            no server, no configuration: forecasts of a live feed on http://127.0.0.1:8080
  tideline up --detach     the real stack on this machine; 'tideline down' stops it

'tideline COMMAND --help' says what a command takes. Exit codes: 0 done, 1 a wrong option or a fault of Tideline, 69 a server does
not answer, 78 configuration or a file that cannot be used; 'tideline train --help' has two more.
`;

const program = new Program(process.env);
program
  .description('Streaming forecasts by stateful recurrent models: exact after any fault.')
  .version('0.1.0')
  .showHelpAfterError()
  .addHelpText('after', EXAMPLES);
// Anything but a command's name (--help, a slip of the pen) needs them all.
const named = process.argv[2] ?? '';
const loads = Object.hasOwn(COMMANDS, named) ? [COMMANDS[named]] : Object.values(COMMANDS);
for (const load of loads) (await load())(program);
await program.parseAsync();
