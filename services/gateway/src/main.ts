import { runService } from '@tideline/runtime';
import { runGateway } from './service.ts';

await runService({ name: 'gateway' }, (signals) => runGateway(process.env, signals));
