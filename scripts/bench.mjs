// `npm run bench -- NAME [OPTIONS]`: builds, then runs one benchmark; without a name it says which there are.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';
import { fail, ROOT, runProgram } from './run.mjs';

/** Name: what it measures. Each is test/bench/NAME/main.ts. */
const BENCHES = {
  pipeline: 'the standard job from Kafka to InfluxDB: records a second, processor time, memory, every point checked',
  latency: 'from a tick to its acknowledged point at a steady rate',
  scaling: 'one, two and four forecasters where a step costs time and no processor',
  calls: 'from an utterance to its alert, with 2,000 calls under way',
  hops: 'what a record costs at each hop, from processor profiles of a run of the standard job',
  engines:
    'every engine beside onnxruntime, PyTorch and TensorFlow.js, and the distance from the limits of the machine',
};

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(BENCHES, name ?? '')) {
  const list = Object.entries(BENCHES).map(([known, what]) => `  ${known}  ${what}`);
  fail(`Usage: npm run bench -- NAME [OPTIONS] (--help shows a benchmark's own)\n${list.join('\n')}`, 64);
}
prepare();
const main = join(ROOT, 'test', 'dist', 'bench', name, 'main.js');
if (!existsSync(main)) fail(`'${main}' is missing although the build ended well.`);
runProgram(main, args);
