import { join } from 'node:path';
import { createEngine, type Engine, type EngineKind, loadModel } from '@tideline/nn';
import type { Stream } from '@tideline/pipeline';
import { assertModelFits, describeStream, type TopicStream } from '@tideline/streams';

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
  for (const entry of options.streams) {
    const { topic, stream: name, model: _, ...rules } = entry;
    const modelName = modelOf(entry);
    const { create, declaration } = describeStream(name);
    const { model, card } = await loadModel(join(options.modelsFolder, modelName, 'model.tdl'));
    const stream = create({ modelName, model, ...rules });
    assertModelFits(stream, model.spec, { declaration, card });
    const { engine, reasons } = await createEngine(model, { kind: options.engine, slotsMax: options.slotsMax });
    options.onEngine({ topic, engine, reasons });
    topics.set(topic, { stream, engine });
  }
  return topics;
}
