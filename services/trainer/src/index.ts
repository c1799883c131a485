export { trainCalls } from './calls.ts';
export { checkpointToResume, readCheckpoint, writeCheckpoint } from './checkpoint-file.ts';
export type { DeclaredTrainerOptions, NetworkOptions } from './declared.ts';
export { countAlerts, trainDeclared } from './declared.ts';
export { evaluate } from './evaluate.ts';
export type { Refused, RowsRead, SeriesRows } from './series-rows.ts';
export { readRows } from './series-rows.ts';
export { trainTicks } from './ticks.ts';
export type { TrainedModel, TrainerOptions } from './trained-model.ts';
