import { runService } from '@tideline/runtime';
import { runIngest } from './service.ts';

await runService({ name: 'ingest' }, (signals) => runIngest(process.env, signals));
