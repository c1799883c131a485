/** A model of calls trained on anybody's labelled calls, and what it is worth on those that it has not seen. */
import { classGroupsOf, type Model } from '@tideline/nn';
import { ConfigError } from '@tideline/pipeline';
import { CALL_CONTEXT, sentimentClass } from '@tideline/streams';
import { pipelinePass } from '../backtest/pipeline-pass.ts';
import type { TrainerOptions } from '../trained-model.ts';
import { calibrated } from './calibrate.ts';
import { type CallNetwork, type CallSettings, callSpec, type Question, trainCallModel } from './call-model.ts';
import { questionsOf } from './call-questions.ts';
import { type ClassTarget, shares } from './class-loss.ts';
import { callRecords } from './dialogue.ts';
import { createDialogueReader, type DialogueReader, type TextReading, trainedStream } from './dialogue-reader.ts';
import type { LabelledCall } from './labelled-calls.ts';

/** Folder and tag of the model: the one that the stream `calls` loads. */
const MODEL_NAME = 'calls-gru';
export const OWN_NETWORK: CallNetwork = {
  ...{ buckets: 4_096, embedding: 32, inputLayer: 128, inputActivation: 'relu', hiddenSize: 64 },
};
export const OWN_SETTINGS: Omit<CallSettings, 'epochs'> = {
  ...{ batchSequences: 16, learningRate: 1e-3, weightDecay: 1e-4, averaging: 0.998, clipNorm: 5, patience: 4 },
  dropout: { entries: 0.3, inputs: 0.3, betweenLayers: 0.4, beforeHead: 0.4 },
};
/** Shares of the calls, in the data's order: the newest are the test. */
const [TRAIN_SHARE, TEST_SHARE] = [0.7, 0.85];
const CALLS_MIN = 20;

export interface OwnCalls {
  readonly questions: readonly Question[];
  /** Training, validation and test. */
  readonly parts: readonly [LabelledCall[], LabelledCall[], LabelledCall[]];
  /** Without its encoders. */
  readonly spec: ReturnType<typeof callSpec>;
  readonly reading: TextReading;
  readonly reader: DialogueReader;
}

/** What can be learnt from the calls, cut in three in their order. Throws ConfigError where there is too little. */
export function prepareCalls(calls: readonly LabelledCall[], reading: TextReading = {}): OwnCalls {
  const questions = questionsOf(calls);
  if (questions.length === 0 || calls.length < CALLS_MIN)
    throw new ConfigError([
      `There are ${calls.length} calls and no question that enough of their turns answer: at least ${CALLS_MIN} calls and 50 labels are needed ` +
        "('sentiment', 'emotion' or 'satisfaction' of an utterance, 'satisfaction' of its call's 'ended').",
    ]);
  const [validation, test] = [TRAIN_SHARE, TEST_SHARE].map((share) => Math.floor(calls.length * share));
  return {
    questions,
    spec: callSpec(MODEL_NAME, OWN_NETWORK, questions),
    reading,
    reader: createDialogueReader({ name: MODEL_NAME, network: OWN_NETWORK, questions }, reading),
    parts: [calls.slice(0, validation), calls.slice(validation, test), calls.slice(test)],
  };
}

/** A trained model whose probabilities were calibrated on the validation calls. */
export async function trainOwnCalls(
  { questions, reader, reading, parts: [train, validation] }: OwnCalls,
  { epochs, ...trainer }: TrainerOptions,
): ReturnType<typeof trainCallModel> {
  const { seed, onEpoch, signal } = trainer;
  const { spec, encoder, read } = await reader({ train, validation, seed, onEpoch, ...(signal ? { signal } : {}) });
  const { model, ...training } = await trainCallModel({
    ...{
      spec,
      train: await read(train),
      validation: await read(validation),
      questions,
      settings: { ...OWN_SETTINGS, epochs },
    },
    ...(encoder ? { encoder } : {}),
    ...trainer,
  });
  const said = (await sayCalls(model, validation, reading)).flatMap(({ dialogue, outputs }) => {
    const targets = questions.map(({ targetsOf }) => targetsOf(dialogue));
    return outputs.map((one, t) => ({ outputs: one, targets: targets.map((of) => of[t]) }));
  });
  return { model: calibrated(model, said, [], { offsets: true }), ...training };
}

/** A turn's question with an answer by people, what the model said, and what the lexicon thinks of its sentiment. */
export interface Answer {
  readonly said: readonly number[];
  readonly target: readonly number[];
  readonly lexicon: number;
  /** Whether it is its call's last turn. */
  readonly isLast: boolean;
}

/** What the pipeline says of the calls, by question. */
export async function answersOf(
  model: Model,
  calls: readonly LabelledCall[],
  { questions, reading }: Pick<OwnCalls, 'questions' | 'reading'>,
): Promise<ReadonlyMap<string, readonly Answer[]>> {
  const groups = classGroupsOf(model.spec);
  const found = new Map<string, Answer[]>(questions.map(({ name }) => [name, []]));
  for (const { dialogue, outputs, lexicon } of await sayCalls(model, calls, reading))
    questions.forEach(({ name, targetsOf }, g) => {
      targetsOf(dialogue).forEach((target: ClassTarget, t) => {
        if (target === null) return;
        const isLast = t === outputs.length - 1;
        found.get(name)?.push({ said: shares(outputs[t], groups[g]), target, lexicon: lexicon[t], isLast });
      });
    });
  return found;
}

interface SaidCall {
  readonly dialogue: LabelledCall;
  /** [turns][outputSize] */
  readonly outputs: readonly Float32Array[];
  /** Of each turn: index in CALL_CLASSES. */
  readonly lexicon: readonly number[];
}

async function sayCalls(model: Model, calls: readonly LabelledCall[], reading: TextReading): Promise<SaidCall[]> {
  const stream = trainedStream(model, reading);
  const records = calls.flatMap(callRecords);
  const { series } = await pipelinePass({ stream, model, records });
  const byKey = new Map(series.map((one) => [one.key, one]));
  const { outputSize } = model.spec;
  return calls.flatMap((dialogue) => {
    const pass = byKey.get(dialogue.id);
    if (pass === undefined) return [];
    const context = (t: number): number => pass.context[t * stream.contextSize + CALL_CONTEXT.compound];
    return [
      {
        dialogue,
        outputs: dialogue.turns.map((_, t) => pass.outputs.subarray(t * outputSize, (t + 1) * outputSize)),
        lexicon: dialogue.turns.map((_, t) => sentimentClass(context(t))),
      },
    ];
  });
}
