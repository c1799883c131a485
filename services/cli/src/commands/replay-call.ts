import { join } from 'node:path';
import { readRecordFile, TABLE_FORMATS, tableFormatOf, writeTable } from '@tideline/adapters';
import { loadTopics, modelOf } from '@tideline/forecaster';
import { loadModel, type Model } from '@tideline/nn';
import { ChunkBuilder, PoisonRecordError, type Stream } from '@tideline/pipeline';
import { ConfigurationError } from '@tideline/runtime';
import { CALL_POINTS, type SourceRecord } from '@tideline/streams';
import { pipelinePass } from '@tideline/trainer';
import { DEMO_RULES } from '../addresses.ts';
import { parseMap, recordsOf } from '../field-map.ts';
import { type CallCurve, curveOf } from '../what-if/call-curve.ts';
import { curveTable } from '../what-if/curve-table.ts';
import { curveText } from '../what-if/curve-text.ts';
import { type CallEdits, type CallRecord, editCall, numberTurns } from '../what-if/edit-call.ts';

export interface ReplayCallOptions {
  readonly map?: readonly string[] | undefined;
  readonly call?: string | undefined;
  readonly withoutTurn?: readonly number[] | undefined;
  readonly until?: number | undefined;
  readonly replace?: readonly (readonly [number, string])[] | undefined;
  readonly rules?: string | undefined;
  readonly models: string;
  readonly sentenceEncoder?: string | undefined;
  readonly out?: string | undefined;
  readonly json?: boolean | undefined;
}

const TOPIC = 'calls';
const PROBLEMS_MAX = 20;

/** `tideline replay FILE` without a topic: a recorded call through the pipeline's own code here, and as it would have been. */
export async function replayCall(file: string, options: ReplayCallOptions): Promise<void> {
  const { out } = options;
  if (out !== undefined && tableFormatOf(out) === null)
    throw new ConfigurationError([`--out is '${out}', must be a file that ends in .${TABLE_FORMATS.join(', .')}.`]);
  const stack = await openStream(options);
  const map = parseMap(options.map ?? []);
  const all: SourceRecord[] = [];
  for await (const record of readRecordFile({ path: file, topic: TOPIC, map, ...recordsOf(TOPIC) })) all.push(record);
  const records = numberTurns(oneCall(all, options.call));
  assertReadable(stack.stream, records);
  const edits: CallEdits = {
    ...{ without: options.withoutTurn ?? [], until: options.until ?? null, replace: new Map(options.replace ?? []) },
  };
  const isEdited = edits.without.length + edits.replace.size > 0 || edits.until !== null;
  const curve = await curveFrom(stack, records);
  const other = isEdited ? await curveFrom(stack, edited(records, edits)) : null;
  const result = { call: records[0].key, ...curve, ...(other === null ? {} : { whatIf: other }) };
  if (out !== undefined) await writeTable(out, curveTable(records[0].key, curve, other));
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : curveText(curve, other));
}

interface Stack {
  readonly stream: Stream;
  readonly model: Model;
}

async function openStream({ models, rules = DEMO_RULES, sentenceEncoder: folder }: ReplayCallOptions): Promise<Stack> {
  const encoder = folder === undefined ? {} : { sentenceEncoderFolder: folder };
  const entry = { topic: TOPIC, stream: TOPIC, callPoints: CALL_POINTS, rules, ...encoder };
  const settings = { modelsFolder: models, engine: 'auto', slotsMax: 1, onEngine: () => undefined } as const;
  const served = (await loadTopics({ ...settings, streams: [entry] })).get(TOPIC);
  if (served === undefined) throw new RangeError(`No stream serves '${TOPIC}'.`);
  served.engine.dispose();
  const { model } = await loadModel(join(models, modelOf(entry), 'model.tdl'));
  return { stream: served.stream, model };
}

async function curveFrom({ stream, model }: Stack, records: readonly CallRecord[]): Promise<CallCurve> {
  const { lines } = await pipelinePass({ stream, model, records, keepLines: true });
  return curveOf(records, lines);
}

/** Throws ConfigurationError where the file has several calls and none is chosen, or none at all. */
function oneCall(records: readonly SourceRecord[], call: string | undefined): SourceRecord[] {
  const calls = [...new Set(records.map(({ key }) => key))];
  if (calls.length === 0) throw new ConfigurationError(['The file has no records: nothing to replay.']);
  if (call === undefined && calls.length > 1)
    throw new ConfigurationError([
      `The file has ${calls.length} calls: choose one with --call, such as --call '${calls[0]}'.`,
    ]);
  const found = records.filter(({ key }) => key === (call ?? calls[0]));
  if (found.length === 0)
    throw new ConfigurationError([`--call: '${call}' is not in the file; '${calls[0]}' is, for example.`]);
  return found;
}

/** Throws ConfigurationError with every record that the stream would refuse, by its place in the call. */
function assertReadable(stream: Stream, records: readonly SourceRecord[]): void {
  const problems = records.flatMap(({ key, value, timestampMs }, offset) => {
    try {
      const record = { offset, key: Buffer.from(key), value: Buffer.from(value), timestampMs, headers: {} };
      stream.decode(record, new ChunkBuilder(stream.schema, 1));
      return [];
    } catch (error) {
      if (!(error instanceof PoisonRecordError)) throw error;
      return [`Record ${offset + 1} of the call, '${error.field}': ${error.message}`];
    }
  });
  if (problems.length === 0) return;
  const more = problems.length - PROBLEMS_MAX;
  throw new ConfigurationError([...problems.slice(0, PROBLEMS_MAX), ...(more > 0 ? [`and ${more} records more`] : [])]);
}

function edited(records: readonly CallRecord[], edits: CallEdits): CallRecord[] {
  try {
    return editCall(records, edits);
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigurationError([error.message]);
    throw error;
  }
}
