import { readRecordFile } from '@tideline/adapters';
import { createDeclaredStream, type Declaration, readStreamFile, type SourceRecord } from '@tideline/streams';
import { countAlerts, type Refused, type RowsRead, readRows } from '@tideline/trainer';
import { parseMap, recordsOf } from '../field-map.ts';

export interface CheckOptions {
  readonly data?: string | undefined;
  readonly map?: readonly string[] | undefined;
  readonly records: number;
  readonly json?: true | undefined;
}

/** One input over the rows of a sample. */
interface InputSummary {
  readonly name: string;
  readonly min: number;
  readonly mean: number;
  readonly deviation: number;
  readonly max: number;
}

/** `tideline stream check`. Throws ConfigError where the file is not right. */
export async function check(path: string, options: CheckOptions): Promise<void> {
  const declaration = readStreamFile(path);
  const { name, key, model, features, output, embedding } = declaration;
  const { stateSize, inputSize, outputSize } = createDeclaredStream(declaration, { modelName: model });
  const inputs = features.filter(({ isInput }) => isInput).map((feature) => feature.name);
  const sample = options.data === undefined ? null : await sampleOf(path, declaration, options.data, options);
  const found = { name, key, model, stateSize, inputSize, outputSize, inputs, embedding, output, sample };
  process.stdout.write(options.json ? `${JSON.stringify(found)}\n` : textOf(found));
}

interface Sample {
  readonly records: number;
  readonly series: number;
  readonly steps: number;
  readonly refused: readonly Refused[];
  readonly lateOrRepeated: number;
  /** Rows in which an operator raised an alert, by kind. */
  readonly alerts: Readonly<Record<string, number>>;
  readonly inputs: readonly InputSummary[];
}

async function sampleOf(path: string, declaration: Declaration, data: string, options: CheckOptions): Promise<Sample> {
  const records: SourceRecord[] = [];
  const map = parseMap(options.map ?? []);
  for await (const record of readRecordFile({ path: data, topic: declaration.name, map, ...recordsOf(path) })) {
    records.push(record);
    if (records.length >= options.records) break;
  }
  const stream = createDeclaredStream(declaration, { modelName: '' });
  const read = readRows(stream, records);
  const names = declaration.features.filter(({ isInput }) => isInput).map(({ name }) => name);
  return {
    records: records.length,
    series: read.series.length,
    steps: read.series.reduce((sum, { rows }) => sum + rows, 0),
    refused: [...read.refused.values()],
    lateOrRepeated: read.untimely,
    alerts: countAlerts(declaration, read.series),
    inputs: names.map((name, i) => ({ name, ...summaryOf(read, i, stream.inputSize) })),
  };
}

function summaryOf({ series }: RowsRead, input: number, inputSize: number): Omit<InputSummary, 'name'> {
  let [min, max, sum, squares, rows] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (const one of series)
    for (let row = 0; row < one.rows; row += 1) {
      const value = one.inputs[row * inputSize + input];
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
      squares += value * value;
      rows += 1;
    }
  const mean = sum / rows;
  return { min, mean, deviation: Math.sqrt(Math.max(0, squares / rows - mean * mean)), max };
}

function textOf(found: {
  readonly name: string;
  readonly key: string;
  readonly model: string;
  readonly stateSize: number;
  readonly inputs: readonly string[];
  readonly embedding: Declaration['embedding'];
  readonly outputSize: number;
  readonly sample: Sample | null;
}): string {
  const { name, key, model, stateSize, inputs, embedding, outputSize, sample } = found;
  const learnt = embedding === null ? '' : ` and ${embedding.size} learnt of each ${key}`;
  const head =
    `Stream ${name}: a series is its ${key}; ${inputs.length} inputs${learnt}, ${outputSize} outputs of model ${model}; ` +
    `${8 * stateSize} bytes of state a series besides the network's.\n`;
  if (sample === null) return `${head}${inputs.map((input, i) => `${String(i).padStart(4)}  ${input}\n`).join('')}`;
  const width = Math.max(5, ...inputs.map((input) => input.length));
  const cell = (value: number): string =>
    (Number.isFinite(value) ? Number(value.toPrecision(4)).toString() : '-').padStart(12);
  const rows = sample.inputs.map(
    (one) => `  ${one.name.padEnd(width)}${[one.min, one.mean, one.deviation, one.max].map(cell).join('')}\n`,
  );
  const alerts = Object.entries(sample.alerts).map(([kind, count]) => `  ${count} alerts of kind ${kind}\n`);
  const refused = sample.refused.map(({ count, reason }) => `  refused ${count}, such as: ${reason}\n`);
  return (
    `${head}${sample.records} records of ${sample.series} series make ${sample.steps} steps; ${sample.lateOrRepeated} late or repeated.\n` +
    `${refused.join('')}${alerts.join('')}  ${'input'.padEnd(width)}${['min', 'mean', 'deviation', 'max'].map((title) => title.padStart(12)).join('')}\n` +
    rows.join('')
  );
}
