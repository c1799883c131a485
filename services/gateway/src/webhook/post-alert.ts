import { signedHeaders } from './signature.ts';

export interface Receiver {
  /** `https:`, or `http:` on a loopback address. */
  readonly url: string;
  readonly keys: readonly Buffer[];
  /** The receiver must have answered by then. */
  readonly timeoutMs: number;
}

export type PostOutcome =
  | { readonly kind: 'delivered' }
  /** Worth another attempt. */
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs: number }
  /** The receiver says that it never wants it. */
  | { readonly kind: 'refused'; readonly reason: string };

/** 410: Standard Webhooks' "no more of these". Anything else may be a receiver that somebody is about to mend. */
const GONE = 410;

/** Sends one alert. Never throws. The reason holds no secret and nothing that the receiver wrote. */
export async function postAlert(
  receiver: Receiver,
  alert: { readonly id: string; readonly body: string; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<PostOutcome> {
  const { url, keys, timeoutMs } = receiver;
  const { id, body, nowMs } = alert;
  const timestampS = Math.floor(nowMs / 1_000);
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'tideline-webhook/1',
        ...signedHeaders({ id, timestampS, body, keys }),
      },
      // Somebody who can answer with a redirect must not lead alerts to another place.
      redirect: 'manual',
      signal: AbortSignal.any([alert.signal, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    const { status } = response;
    if (status >= 200 && status < 300) return { kind: 'delivered' };
    const reason = `The receiver answered ${status}${status >= 300 && status < 400 ? ' (redirects are not followed)' : ''}.`;
    if (status === GONE) return { kind: 'refused', reason };
    return { kind: 'failed', reason, retryAfterMs: retryAfterOf(response) };
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error, timeoutMs), retryAfterMs: 0 };
  }
}

function retryAfterOf(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0;
}

/** fetch hides what happened in its error's cause. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `The receiver did not answer within ${timeoutMs} ms.`;
  const { code } = (error.cause ?? {}) as { readonly code?: string };
  return `The receiver cannot be reached (${code ?? error.name}).`;
}
