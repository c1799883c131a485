import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decodeCheckpoint, encodeCheckpoint, ModelError, type TrainingCheckpoint } from '@tideline/nn';

/** The checkpoint in a file; null where there is none. Throws ModelError where it cannot be read or is damaged. */
export async function readCheckpoint(path: string): Promise<TrainingCheckpoint | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new ModelError(`The checkpoint '${path}' cannot be read (${code}). Check what it is and who may read it.`, {
      cause,
    });
  }
  return decodeCheckpoint(bytes, `'${path}'`);
}

/** Where a training goes on: null at the start. Throws ModelError where a checkpoint is in the way of a training that does not go on from it. */
export async function checkpointToResume(path: string, resume: boolean): Promise<TrainingCheckpoint | null> {
  const found = await readCheckpoint(path);
  if (found && !resume)
    throw new ModelError(`There is a checkpoint at '${path}'. Add --resume to go on from it, or delete it.`);
  return found;
}

/** Writes a checkpoint, with its folder. The file is whole at every moment, a power cut included: the old one or the new one. */
export async function writeCheckpoint(path: string, checkpoint: TrainingCheckpoint): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const written = `${path}.partial`;
  const file = await open(written, 'w');
  try {
    await file.writeFile(encodeCheckpoint(checkpoint));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(written, path);
}
