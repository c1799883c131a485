import { Option } from '@commander-js/extra-typings';
import { BUDGET_MS, SINGLE_KINDS, type SingleKind, WIDTHS } from '@tideline/nn/kinds';
import type { Program } from '../program.ts';
import { millisecondsOf, singleKindsOf, sizeOf, widthsOf } from './bench-options.ts';

const EXAMPLES = `
Examples:
  tideline bench engines
  tideline bench engines --model models/ticks-lstm --widths 1,64 --engines simd-native,simd-wasm
`;

/** `tideline bench`: what this machine can do. */
export function addBench(program: Program): void {
  const bench = program.command('bench').description('measure this machine');
  bench
    .command('engines')
    .description("steps a second of every engine that loads, by rows a batch, and what the engine 'fastest' would be")
    .option('--model <folder>', "folder with 'model.tdl' (default: random weights of the sizes below)")
    .addOption(
      new Option('--cell <cell>', 'cell of random weights')
        .choices(['rnn', 'lstm', 'gru'] as const)
        .default('lstm' as const),
    )
    .option('--input <values>', 'values of an input', sizeOf, 16)
    .option('--hidden <units>', 'units of a layer', sizeOf, 64)
    .option('--layers <layers>', 'layers', sizeOf, 2)
    .option('--output <values>', 'values of an output', sizeOf, 6)
    .addOption(
      new Option('--widths <rows,...>', 'rows a batch').argParser(widthsOf).default([...WIDTHS], WIDTHS.join(',')),
    )
    .addOption(
      new Option('--engines <kind,...>', `engines to measure: ${SINGLE_KINDS.join(', ')}`)
        .argParser(singleKindsOf)
        .default([...SINGLE_KINDS] as SingleKind[], 'all'),
    )
    .option('--budget <ms>', 'milliseconds for each engine, without loading it', millisecondsOf, BUDGET_MS)
    .option('--json', 'print one JSON line')
    .addHelpText('after', EXAMPLES)
    .action((options) => program.run('bench', async () => (await import('./bench-engines.ts')).benchEngines(options)));
}
