export type { Engine, EngineOptions } from './engine.ts';
export { createReferenceEngine } from './engines/reference.ts';
export type { CellKind, GruReset, LayerWeights, Model, ModelSpec, ModelWeights } from './model.ts';
export { GATES, stateSizeOf } from './model.ts';
export { ModelError } from './model-error.ts';
export type { TensorShape } from './tensors.ts';
export { createModel, elementCount, initWeights, tensorShapes, tensorsOf, weightsOf } from './tensors.ts';
export type { ModelCard } from './weights/file.ts';
export { decodeModel, encodeModel, loadModel, saveModel } from './weights/file.ts';
