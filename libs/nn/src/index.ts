export type { CellForm, Engine, EngineOptions } from './engine.ts';
export { assertServes } from './engine.ts';
export type { EngineChoice, EngineKind } from './engines/create.ts';
export { createEngine, ENGINE_KINDS } from './engines/create.ts';
export type { SingleKind } from './engines/load.ts';
export { SINGLE_KINDS } from './engines/load.ts';
export type { EngineCost, MeasureOptions, StepCost } from './engines/planner.ts';
export { BUDGET_MS, fastestOf, measureEngines, stepMsAt, WIDTHS } from './engines/planner.ts';
export { createReferenceEngine } from './engines/reference.ts';
export type { KernelChoice } from './engines/simd/choose-kernel.ts';
export { createSimdEngine } from './engines/simd/engine.ts';
export type { NativeKind } from './engines/simd/native-kernel.ts';
export { loadNativeKernel, nativeKinds } from './engines/simd/native-kernel.ts';
export type { HeadScope, HeadSpec } from './heads/head.ts';
export { HEAD_KINDS, HEAD_SCOPES } from './heads/head.ts';
export { middleOf, softplus } from './heads/quantiles.ts';
export type { HeadReader } from './heads/read-head.ts';
export { headOf } from './heads/read-head.ts';
export { ImportError } from './import/import-error.ts';
export type { ImportedModel, ImportFormat, ImportOptions } from './import/import-model.ts';
export { IMPORT_FORMATS, importModel } from './import/import-model.ts';
export type { CellKind, DecoderSpec, GruReset, LayerWeights, Model, ModelSpec, ModelWeights } from './model.ts';
export { directionsOf, GATES, stateSizeOf } from './model.ts';
export { ModelError } from './model-error.ts';
export type { DecodeOptions, EncoderDecoder } from './sequence/encoder-decoder.ts';
export { createEncoderDecoder } from './sequence/encoder-decoder.ts';
export { InputError } from './sequence/input-error.ts';
export type { MakeEngine } from './sequence/part-model.ts';
export type { SequenceModel, SequenceOptions, SequenceOutputs } from './sequence/sequence-model.ts';
export { createSequenceModel } from './sequence/sequence-model.ts';
export type { TensorShape } from './tensors.ts';
export { createModel, elementCount, initWeights, tensorShapes, tensorsOf, weightsOf } from './tensors.ts';
export type { Parameters, RowLoss, SequenceState } from './training/network-gradient.ts';
export {
  createParameters,
  loadParameters,
  runWindow,
  storeParameters,
  zeroState,
} from './training/network-gradient.ts';
export type { EpochReport, TrainingOptions, TrainingSequence } from './training/train.ts';
export { meanLoss, trainRecurrent } from './training/train.ts';
export type { ModelCard } from './weights/file.ts';
export { decodeModel, encodeModel, loadModel, saveModel } from './weights/file.ts';
