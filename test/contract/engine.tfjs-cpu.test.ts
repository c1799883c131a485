import { engineContract } from './engine.ts';

engineContract({ kind: 'tfjs-cpu', cases: 12 });
