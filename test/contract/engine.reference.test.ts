import { engineContract } from './engine.ts';

engineContract({ kind: 'reference', cases: 60 });
