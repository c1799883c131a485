import { engineContract } from './engine.ts';

engineContract({ kind: 'tfjs-node-fused', cases: 4 });
