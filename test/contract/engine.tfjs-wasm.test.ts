import { engineContract } from './engine.ts';

engineContract({ kind: 'tfjs-wasm', cases: 12 });
