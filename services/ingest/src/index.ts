export type { Checkpoints, CheckpointsOptions } from './checkpoints.ts';
export { createCheckpoints } from './checkpoints.ts';
export { INGEST_CONFIG } from './config.ts';
export { runIngest } from './service.ts';
