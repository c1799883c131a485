export type { CellKind, GruReset, LayerWeights, Model, ModelSpec, ModelWeights } from './model.ts';
export { GATES, stateSizeOf } from './model.ts';
