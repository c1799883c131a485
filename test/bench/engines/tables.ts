/** A result as tables in Markdown, which a terminal shows as well. */
import { ONNXRUNTIME } from './peers.ts';
import type { BenchResult, LatencyCase, ThroughputCase } from './result.ts';
import { median, type Spread } from './statistics.ts';

export function tablesOf(result: BenchResult): string {
  return [
    describeRun(result),
    ...(result.throughput.length > 0 ? throughputSections(result) : []),
    ...(result.latency.length > 0 ? latencySection(result) : []),
    '### Targets',
    targetTable(result),
    describePeers(result),
  ].join('\n\n');
}

function throughputSections(result: BenchResult): string[] {
  return [
    '### Steps per second',
    'One thread; by processor time, which leaves out what others on the machine took. *run* is one series, 1,000 steps a call.',
    rateTable(result),
    `### Ratio of steps per second to ${ONNXRUNTIME}'s`,
    "Median of the rounds' ratios, in brackets their quarters.",
    ratioTable(result),
    '### Distance from the limits',
    describeLimits(result),
    limitsTable(result),
  ];
}

function latencySection({ latency }: BenchResult): string[] {
  return [
    '### Finance shapes (STAC-shaped, unaudited)',
    'Shapes of STAC-ML Markets (Inference); neither run nor audited by STAC. Times of one inference in µs: p50 / p99, and the ratio to ' +
      `${ONNXRUNTIME}'s p50. *carried state*: one step a tick. *window*: all its steps from a zero state.`,
    latencyTable(latency),
  ];
}

function describeRun({ date, machine, rounds, sliceMs, isQuick, seconds, versions, throughput }: BenchResult): string {
  const { processor, cores, memoryGib, system, node } = machine;
  const named = Object.entries(versions).filter(([, version]) => version !== '');
  const shares = throughput.flatMap(({ contestants }) => contestants.map(({ onProcessor }) => onProcessor));
  const list = named.map(([name, version]) => `${name} ${version}`).join(', ');
  return [
    `${date}, ${processor}, ${cores} cores, ${memoryGib} GiB, ${system}, Node ${node}; ${list}.`,
    `${rounds} rounds of ${sliceMs} ms each, contestants in turn; ${Math.round(seconds)} s in all${isQuick ? ' (quick: not for the record)' : ''}.`,
    ...(shares.length > 0
      ? [
          `The contestants had the processor for ${percent(median(shares))} of their time: ` +
            'the less it is, the more others on the machine disturbed the caches and the latencies.',
        ]
      : []),
  ].join('\n');
}

function rateTable({ throughput }: BenchResult): string {
  const names = namesOf(throughput);
  return table(
    ['', ...names],
    throughput.map(({ title, contestants }) => [
      title,
      ...names.map((name) => {
        const found = contestants.find((contestant) => contestant.name === name);
        return found ? count(found.stepsPerSecond.median) : '–';
      }),
    ]),
  );
}

function ratioTable({ throughput }: BenchResult): string {
  const names = namesOf(throughput).filter((name) => name !== ONNXRUNTIME);
  return table(
    ['', ...names],
    throughput.map(({ title, contestants }) => [
      title,
      ...names.map((name) => ratioText(contestants.find((contestant) => contestant.name === name))),
    ]),
  );
}

function describeLimits({ limits }: BenchResult): string {
  const { fma, mulAdd, wasm, read } = limits;
  const reads = Object.entries(read).map(([size, rate]) => `${size} ${rate === null ? '–' : rate.toFixed(0)}`);
  return [
    `Measured, one thread, median of all rounds: ${gflops(fma)} GFLOP/s fused multiply-add, ` +
      `${gflops(mulAdd)} multiply then add, ${gflops(wasm)} in WebAssembly's 128 bits.`,
    `Reading memory, GB/s: ${reads.join(', ')}. A step is 2 x MACs floating-point operations; the gates' tanh and sigmoid are not counted.`,
    "Columns: GFLOP/s, share of the FMA peak, share of WebAssembly's ceiling, measured in the same rounds.",
  ].join('\n');
}

function limitsTable({ throughput }: BenchResult): string {
  const names = namesOf(throughput).filter((name) => name.startsWith('simd') || name === ONNXRUNTIME);
  return table(
    ['', 'MACs a step', ...names, 'weights read at batch 1'],
    throughput.map(({ title, macs, batch, contestants, weightBytes, readRate }) => [
      title,
      String(macs),
      ...names.map((name) => {
        const found = contestants.find((contestant) => contestant.name === name);
        return found ? `${found.gflops.toFixed(1)}, ${percent(found.ofFmaPeak)}, ${percent(found.ofWasmPeak)}` : '–';
      }),
      batch === 1 ? weightRates(contestants, { weightBytes, readRate }) : '',
    ]),
  );
}

/** What one series at a time reads: the weights once a step, beside what the memory that holds them gives. */
function weightRates(
  contestants: ThroughputCase['contestants'],
  { weightBytes, readRate }: { readonly weightBytes: number; readonly readRate: number | null },
): string {
  const shown = contestants
    .filter(({ name }) => name.startsWith('simd'))
    .map(({ name, stepsPerSecond }) => `${name} ${((stepsPerSecond.median * weightBytes) / 1e9).toFixed(0)}`);
  return `${[...shown, `limit ${readRate?.toFixed(0) ?? '–'}`].join(', ')} GB/s`;
}

function latencyTable(cases: readonly LatencyCase[]): string {
  const names = namesOf(cases);
  return table(
    ['', ...names, 'samples each'],
    cases.map(({ title, contestants }) => [
      title,
      ...names.map((name) => {
        const found = contestants.find((contestant) => contestant.name === name);
        if (!found) return '–';
        const times = `${micros(found.p50)} / ${micros(found.p99)}`;
        return name === ONNXRUNTIME ? times : `${times}, ${ratioText(found)}`;
      }),
      String(Math.min(...contestants.map(({ samples }) => samples))),
    ]),
  );
}

function targetTable({ targets }: BenchResult): string {
  const measured = targets.filter(({ verdict }) => verdict !== 'not measured');
  const engines = [...new Set(targets.filter((target) => !measured.includes(target)).map(({ engine }) => engine))];
  const shown = table(
    ['engine', 'what', 'where', 'from', 'needed', 'got', ''],
    measured.map(({ engine, what, where, from, needed, got, unit, verdict }) => {
      const show = (value: number | null) => (value === null ? '–' : unit === '%' ? percent(value) : ratio(value));
      return [engine, what, where, from, show(needed), show(got), verdict];
    }),
  );
  const missing = engines.map(
    (name) => `${name} ${targets.filter((one) => !measured.includes(one) && one.engine === name).length}`,
  );
  const notes = [
    'From *issue*: promised. From *trial*: what a throw-away kernel in C reached on a processor with AVX-512.',
    ...(missing.length > 0 ? [`Not measured in this run: ${missing.join(', ')}.`] : []),
  ];
  return `${shown}\n\n${notes.join(' ')}`;
}

function describePeers({ absent, throughput, latency }: BenchResult): string {
  const refused = [...throughput, ...latency].flatMap(({ title, refused: of }) =>
    of.map(({ name, why }) => `${name} in ${title}: ${why}`),
  );
  const gone = absent.map(({ name, why }) => `${name}: ${why}`);
  const differences = [...throughput, ...latency].flatMap(({ contestants }) =>
    contestants.map(({ difference }) => difference),
  );
  return [
    'All outputs were compared with the plain loops that add in double before anything was timed: ' +
      `largest difference ${Math.max(...differences).toExponential(1)}.`,
    ...(gone.length > 0 ? [`Not there: ${gone.join('; ')}.`] : []),
    ...(refused.length > 0 ? [`Left out: ${refused.join('; ')}.`] : []),
  ].join('\n');
}

/** Every contestant of the cases, in their order. */
function namesOf(cases: readonly (ThroughputCase | LatencyCase)[]): string[] {
  return [...new Set(cases.flatMap(({ contestants }) => contestants.map(({ name }) => name)))];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) => Math.max(3, cell.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** 1,234 as 1.23k: three digits are as much as a noisy machine gives. */
export function count(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}M`;
  return value >= 1e3 ? `${(value / 1e3).toPrecision(3)}k` : value.toPrecision(3);
}

function ratioText(found: { readonly over: Readonly<Record<string, Spread>> } | undefined): string {
  const over = found?.over[ONNXRUNTIME];
  return over ? `${ratio(over.median)} (${digits(over.low)}–${digits(over.high)})` : '–';
}

function ratio(value: number): string {
  return `${digits(value)}x`;
}

function digits(value: number): string {
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(0)} %`;
}

function micros(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function gflops(value: number | null): string {
  return value === null ? '–' : value.toFixed(0);
}
