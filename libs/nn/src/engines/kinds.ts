/** Names of the engines and how they are measured, apart from the engines: who only names them loads none (`@tideline/nn/kinds`). */

/** Kinds that are one engine each, the one that is taken among equals first. */
export const SINGLE_KINDS = [
  'simd-native',
  'simd-wasm',
  'simd-native-fused',
  'reference',
  'tfjs-node-gpu',
  'tfjs-node-gpu-fused',
  'tfjs-node',
  'tfjs-node-fused',
  'tfjs-wasm',
  'tfjs-cpu',
] as const;
export type SingleKind = (typeof SINGLE_KINDS)[number];

/** `auto`, `fastest`, `simd` and `tfjs` choose (docs/decisions/0004-engines.md); the others are what they say or fail. */
export const ENGINE_KINDS = ['auto', 'fastest', 'simd', 'tfjs', ...SINGLE_KINDS] as const;
export type EngineKind = (typeof ENGINE_KINDS)[number];

/** Rows a batch that engines are measured at. */
export const WIDTHS = [1, 8, 64, 512] as const;
/** Time for measuring one engine, without loading it. */
export const BUDGET_MS = 300;
