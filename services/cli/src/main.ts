import { addBench } from './commands/bench.ts';
import { addDemo } from './commands/demo.ts';
import { addDlq } from './commands/dlq.ts';
import { addDoctor } from './commands/doctor.ts';
import { addModels } from './commands/models.ts';
import { addReplay } from './commands/replay.ts';
import { addServices } from './commands/services.ts';
import { addState } from './commands/state.ts';
import { addStream } from './commands/stream.ts';
import { addTrain } from './commands/train.ts';
import { addDown, addUp } from './commands/up.ts';
import { Program } from './program.ts';

const program = new Program(process.env);
program
  .description('Streaming forecasts by stateful recurrent models: exact after any fault.')
  .version('0.1.0')
  .showHelpAfterError();
for (const add of [
  addDemo,
  addUp,
  addDown,
  addServices,
  addReplay,
  addTrain,
  addStream,
  addModels,
  addState,
  addDlq,
  addDoctor,
  addBench,
])
  add(program);
await program.parseAsync();
