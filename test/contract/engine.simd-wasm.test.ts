import { engineContract } from './engine.ts';

engineContract({ kind: 'simd-wasm', cases: 60 });
