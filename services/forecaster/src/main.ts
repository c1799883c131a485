import { runService } from '@tideline/runtime';
import { runForecaster } from './service.ts';

await runService({ name: 'forecaster' }, (signals) => runForecaster(process.env, signals));
