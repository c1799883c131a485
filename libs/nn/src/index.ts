export type { Embedding } from './embedding.ts';
export { embeddingOf } from './embedding.ts';
export type { Engine, EngineOptions, NetworkForm } from './engine.ts';
export { assertServes } from './engine.ts';
export type { EngineChoice } from './engines/create.ts';
export { createEngine } from './engines/create.ts';
export type { EngineKind, SingleKind } from './engines/kinds.ts';
export { BUDGET_MS, ENGINE_KINDS, SINGLE_KINDS, WIDTHS } from './engines/kinds.ts';
export type { EngineCost, MeasureOptions, StepCost } from './engines/planner.ts';
export { fastestOf, measureEngines, stepMsAt } from './engines/planner.ts';
export { createReferenceEngine } from './engines/reference.ts';
export type { KernelChoice } from './engines/simd/choose-kernel.ts';
export { createSimdEngine } from './engines/simd/engine.ts';
export type { NativeKind } from './engines/simd/native-kernel.ts';
export { loadNativeKernel, nativeKinds } from './engines/simd/native-kernel.ts';
export { mergeMembers } from './ensemble.ts';
export type { ClassGroup, HeadScope, HeadSpec } from './heads/head.ts';
export { HEAD_KINDS, HEAD_SCOPES } from './heads/head.ts';
export { middleOf, softplus, writeQuantiles } from './heads/quantiles.ts';
export type { ClassPlaces, HeadReader } from './heads/read-head.ts';
export { classGroupsOf, headOf } from './heads/read-head.ts';
export { ImportError } from './import/import-error.ts';
export type { ImportedModel, ImportFormat, ImportOptions } from './import/import-model.ts';
export { IMPORT_FORMATS, importModel } from './import/import-model.ts';
export type {
  CellKind,
  DecoderSpec,
  EmbeddingSpec,
  GruReset,
  InputActivation,
  LayerWeights,
  Model,
  ModelSpec,
  ModelWeights,
  SentenceEncoderSpec,
  TextEncoderSpec,
} from './model.ts';
export { directionsOf, GATES, stateSizeOf } from './model.ts';
export { ModelError } from './model-error.ts';
export type { DecodeOptions, EncoderDecoder } from './sequence/encoder-decoder.ts';
export { createEncoderDecoder } from './sequence/encoder-decoder.ts';
export { InputError } from './sequence/input-error.ts';
export type { LeaveOneOut, LeaveOneOutOptions } from './sequence/leave-one-out.ts';
export { createLeaveOneOut, leavesOneOut } from './sequence/leave-one-out.ts';
export type { MakeEngine } from './sequence/part-model.ts';
export type { SequenceModel, SequenceOptions, SequenceOutputs } from './sequence/sequence-model.ts';
export { createSequenceModel } from './sequence/sequence-model.ts';
export type { TextEncoder } from './sequence/text-encoder.ts';
export { textEncoderOf } from './sequence/text-encoder.ts';
export type { TensorShape } from './tensors.ts';
export { createModel, elementCount, initWeights, tensorShapes, tensorsOf, weightsOf } from './tensors.ts';
export type { EpochReport, TrainingCheckpoint } from './training/checkpoint.ts';
export { decodeCheckpoint, encodeCheckpoint } from './training/checkpoint.ts';
export type { Dropout } from './training/dropout.ts';
export type { RowEntries } from './training/embedding.ts';
export type { NetworkOptions } from './training/network.ts';
export { TrainingNetwork } from './training/network.ts';
export type { ProductsChoice } from './training/products.ts';
export { SeededRandom } from './training/random.ts';
export type { RowLoss, TrainingSequence } from './training/sequences.ts';
export type { TrainingOptions, TrainingResult } from './training/train.ts';
export { trainRecurrent } from './training/train.ts';
export type { TrainingPlace } from './training/training-error.ts';
export { TrainingError } from './training/training-error.ts';
export type { TrainingBatch, TrainingWindow } from './training/window.ts';
export { createBatch, windowOf } from './training/window.ts';
export type { ModelCard } from './weights/file.ts';
export { decodeModel, encodeModel, loadModel, saveModel } from './weights/file.ts';
