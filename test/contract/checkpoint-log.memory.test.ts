import { createMemoryCheckpointLog } from '@tideline/adapters';
import { checkpointLogContract } from './checkpoint-log.ts';

checkpointLogContract({ name: 'memory checkpoints', open: async () => createMemoryCheckpointLog() });
