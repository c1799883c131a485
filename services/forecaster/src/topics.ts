import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createOnnxSentenceEncoder } from '@tideline/adapters';
import { createEngine, type Engine, type EngineKind, loadModel, type Model } from '@tideline/nn';
import { ConfigError, type Stream } from '@tideline/pipeline';
import {
  assertModelFits,
  assertSentenceEncoder,
  describeStream,
  type SentenceEncoder,
  SUMMARY_MODEL,
  type TopicStream,
} from '@tideline/streams';

/** Name of the model that serves a topic: its own, or that of its stream. */
export function modelOf({ stream, model }: TopicStream): string {
  return model ?? describeStream(stream).modelName;
}

export interface TopicOptions {
  /** Topics and the stream that reads each. */
  readonly streams: readonly TopicStream[];
  /** Folder with `<model>/model.tdl`. */
  readonly modelsFolder: string;
  readonly engine: EngineKind;
  readonly slotsMax: number;
  /** Told which engine serves a topic and why. */
  readonly onEngine: (choice: {
    readonly topic: string;
    readonly engine: Engine;
    readonly reasons: readonly string[];
  }) => void;
}

/** The stream and the engine of each topic, loaded and checked against each other. Throws ConfigError or ModelError. */
export async function loadTopics(
  options: TopicOptions,
): Promise<Map<string, { readonly stream: Stream; readonly engine: Engine }>> {
  const topics = new Map<string, { stream: Stream; engine: Engine }>();
  const encoders = new Map<string, SentenceEncoder>();
  for (const entry of options.streams) {
    const { topic, stream: name, model: _, sentenceEncoderFolder: folder, ...rules } = entry;
    const modelName = modelOf(entry);
    const { create, declaration } = describeStream(name);
    const { model, card } = await loadModel(join(options.modelsFolder, modelName, 'model.tdl'));
    const summaryModel = await loadSummaryModel(entry, options.modelsFolder);
    const sentenceEncoder = folder === undefined ? undefined : await encoderIn(folder, encoders);
    assertSentenceEncoder(model.spec, sentenceEncoder);
    const read = sentenceEncoder === undefined ? {} : { sentenceEncoder };
    const stream = create({ modelName, model, ...rules, ...summaryModel, ...read });
    assertModelFits(stream, model.spec, { declaration, card });
    const { engine, reasons } = await createEngine(model, { kind: options.engine, slotsMax: options.slotsMax });
    options.onEngine({ topic, engine, reasons });
    topics.set(topic, { stream, engine });
  }
  return topics;
}

/** Loaded once, however many topics read by it. */
async function encoderIn(folder: string, loaded: Map<string, SentenceEncoder>): Promise<SentenceEncoder> {
  const encoder = loaded.get(folder) ?? (await createOnnxSentenceEncoder({ folder }));
  loaded.set(folder, encoder);
  return encoder;
}

/** The model that reads calls that are over, where their summaries are wanted. Throws ConfigError where it is not there. */
async function loadSummaryModel(
  { stream, callPoints = [] }: TopicStream,
  modelsFolder: string,
): Promise<{ readonly summaryModel?: Model }> {
  if (stream !== 'calls' || !callPoints.includes('summary')) return {};
  const path = join(modelsFolder, SUMMARY_MODEL, 'model.tdl');
  if (!existsSync(path))
    throw new ConfigError([
      `Summaries of calls need the model '${path}', which is not there: copy it from Tideline's own, train one with 'tideline train ${SUMMARY_MODEL}', ` +
        `or leave 'summary' out of TIDELINE_CALL_POINTS (--call-points).`,
    ]);
  return { summaryModel: (await loadModel(path)).model };
}
