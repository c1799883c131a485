/** `npm run bench -- scaling`: 1, 2 and 4 forecasters where a step costs time and no processor, as on an accelerator of their own. */
import { parseArgs } from 'node:util';
import { ensureInstalled } from '@tideline/native';
import { runScaling } from './run.ts';

const USAGE = `Usage: npm run bench -- scaling [--records N] [--row-ms X] [--json]

One, two and four forecaster processes work the same ticks off 16 shards, on a real Kafka, Redis, BullMQ and InfluxDB of their own. Each row's step
sleeps, so that the processors are not what is shared: what is missing from 2x and 4x is what the forecasters cost each other. The rate is that between
a tenth and eight tenths of the ticks; that of the whole job, with the start and the last shard's end, stands in brackets.

  --records N   ticks (80000)
  --row-ms X    how long a row's step sleeps, ms (0.4)
  --json        one JSON line last, on stdout, instead of the table
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '80000' },
      'row-ms': { type: 'string', default: '0.4' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [records, rowMs] = [Number(values.records), Number(values['row-ms'])];
  if (values.help || !(Number.isInteger(records) && records > 0) || !(rowMs > 0)) {
    (values.help ? process.stdout : process.stderr).write(USAGE);
    return values.help ? 0 : 64;
  }
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await ensureInstalled({ onProgress: say });
  const results = await runScaling({ records, rowMs, forecasters: [1, 2, 4], say });
  const [alone] = results;
  const rows = results.map((result) => ({
    ...result,
    ratio: result.recordsPerSecond / alone.recordsPerSecond,
    wholeRatio: result.wholePerSecond / alone.wholePerSecond,
  }));
  if (values.json) process.stdout.write(`${JSON.stringify({ records, rowMs, results: rows })}\n`);
  else
    for (const { forecasters, recordsPerSecond, ratio, wholeRatio, efficiency } of rows) {
      const share = `${Math.round(efficiency * 100)} % of what the steps allow`;
      const rate = `${Math.round(recordsPerSecond)} records/s, ${ratio.toFixed(2)}x`;
      process.stdout.write(`${forecasters} forecasters: ${rate}, ${share} (whole: ${wholeRatio.toFixed(2)}x)\n`);
    }
  return 0;
}

process.exitCode = await main();
