export { INGEST_CONFIG } from './config.ts';
export { runIngest } from './service.ts';
