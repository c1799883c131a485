import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { ACKNOWLEDGEMENT_PREFIX, ALERT_PREFIX } from '@tideline/streams';

const LINES_MAX = 4_000;

/** Newest alerts and acknowledgements that a file of points holds from runs before, so that the page shows them again. */
export async function readAlertLines(path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line.startsWith(ALERT_PREFIX) || line.startsWith(ACKNOWLEDGEMENT_PREFIX)) found.push(line);
    if (found.length > 2 * LINES_MAX) found.splice(0, LINES_MAX);
  }
  return found;
}
