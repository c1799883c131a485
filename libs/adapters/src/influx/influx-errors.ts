import { ConfigError, RetryableError } from '@tideline/pipeline';

export interface InfluxRefusal {
  readonly address: string;
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs?: number | undefined;
}

/** The error for an answer that is not a success: RetryableError for a busy or failing server, ConfigError for what only a person can mend. */
export function influxError(refusal: InfluxRefusal): Error {
  const { address, status, retryAfterMs } = refusal;
  const said = messageOf(refusal.text) || `HTTP ${status}`;
  const isPassing = status === 429 || status === 408 || status >= 500 || /timeout/i.test(said);
  if (isPassing)
    return new RetryableError(
      `InfluxDB at ${address} is not ready to answer (${status}: ${said}).`,
      retryAfterMs === undefined ? {} : { retryAfterMs },
    );
  return new ConfigError([`InfluxDB at ${address} refused (${status}): ${said}. ${cureOf(status, said)}`]);
}

function cureOf(status: number, said: string): string {
  if (status === 401 || status === 403) return 'Check the user and password, or the token, and their rights.';
  if (said.includes('parsing query')) return 'Correct the query.';
  if (status === 404) return 'Create the database, or correct its name.';
  if (status === 413) return 'Raise max-body-size of its [http] section.';
  if (said.includes('field type conflict'))
    return 'The measurement holds this field with another type: use another database, or drop the measurement.';
  if (said.includes('beyond retention policy'))
    return "The points are older than the database's retention policy keeps: lengthen it.";
  if (said.includes('max-series-per-database') || said.includes('max-values-per-tag'))
    return 'Raise that limit in its [data] section (0 is none).';
  return 'The points were not accepted as a whole.';
}

/** InfluxDB's own words: `{"error":"…"}` or plain text. */
function messageOf(text: string): string {
  // The client puts a sentence of its own before the answer.
  const json = text.slice(Math.max(0, text.indexOf('{"')));
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed === 'object' && parsed !== null) {
      const { error, message } = parsed as { error?: unknown; message?: unknown };
      return String(error ?? message ?? '').trim();
    }
  } catch {
    // not JSON
  }
  return text.trim().slice(0, 500);
}
