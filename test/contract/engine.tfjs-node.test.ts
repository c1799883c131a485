import { engineContract } from './engine.ts';

engineContract({ kind: 'tfjs-node', cases: 8 });
