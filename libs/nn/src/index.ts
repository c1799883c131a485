export type { Engine, EngineOptions } from './engine.ts';
export type { EngineChoice, EngineKind } from './engines/create.ts';
export { createEngine, ENGINE_KINDS } from './engines/create.ts';
export type { SingleKind } from './engines/load.ts';
export { SINGLE_KINDS } from './engines/load.ts';
export type { EngineCost, MeasureOptions, StepCost } from './engines/planner.ts';
export { BUDGET_MS, fastestOf, measureEngines, stepMsAt, WIDTHS } from './engines/planner.ts';
export { createReferenceEngine } from './engines/reference.ts';
export { createSimdEngine } from './engines/simd/engine.ts';
export { ImportError } from './import/import-error.ts';
export type { ImportedModel, ImportFormat, ImportOptions } from './import/import-model.ts';
export { IMPORT_FORMATS, importModel } from './import/import-model.ts';
export type { CellKind, GruReset, LayerWeights, Model, ModelSpec, ModelWeights } from './model.ts';
export { GATES, stateSizeOf } from './model.ts';
export { ModelError } from './model-error.ts';
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
