export { trainCalls } from './calls.ts';
export { checkpointToResume, readCheckpoint, writeCheckpoint } from './checkpoint-file.ts';
export { evaluate } from './evaluate.ts';
export type { SeriesRows } from './series-rows.ts';
export { seriesRows } from './series-rows.ts';
export { trainTicks } from './ticks.ts';
export type { TrainedModel, TrainerOptions } from './trained-model.ts';
