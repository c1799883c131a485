/**
 * Who may ask. On a loopback address anybody on this machine, as long as the browser asked for it by a loopback name (a foreign page whose name
 * was pointed at 127.0.0.1 is refused). On any other address only who has the token: `Authorization: Bearer`, or the cookie that `?token=` sets.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ConfigurationError } from '@tideline/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from './problem.ts';

const TOKEN_CHARACTERS_MIN = 16;
const COOKIE = 'tideline_token';
const COOKIE_SECONDS = 30 * 24 * 60 * 60;
/** Paths that monitors ask without a token; they say nothing but that the process runs. */
const OPEN_PATHS: readonly string[] = ['/healthz'];

export interface AccessOptions {
  readonly host: string;
  readonly token?: string | undefined;
}

/** Throws ConfigurationError where the address would be open to others and no good token is set. */
export function checkAccess({ host, token }: AccessOptions): void {
  const problems: string[] = [];
  if (token !== undefined && token.length < TOKEN_CHARACTERS_MIN)
    problems.push(`TIDELINE_GATEWAY_TOKEN (value hidden): must have at least ${TOKEN_CHARACTERS_MIN} characters`);
  if (token === undefined && !isLoopback(host))
    problems.push(
      `TIDELINE_GATEWAY_HOST = '${host}': others could reach this address. Set TIDELINE_GATEWAY_TOKEN to a secret of ` +
        `${TOKEN_CHARACTERS_MIN} characters or more (for example from 'openssl rand -hex 16'), or use 127.0.0.1`,
    );
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** Refuses requests that `checkAccess`'s rule does not let in. */
export function guardAccess(app: FastifyInstance, { host, token }: AccessOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    const [path, query = ''] = request.url.split('?', 2);
    if (OPEN_PATHS.includes(path)) return;
    if (token === undefined) {
      if (isLoopback(host) && !isLoopback(hostName(request.headers.host))) throw foreignHost(request.headers.host);
      return;
    }
    const parameters = new URLSearchParams(query);
    const given = parameters.get('token');
    if (given !== null && request.method === 'GET' && isSame(given, token)) {
      // The token leaves the address bar, the history and the referrer.
      parameters.delete('token');
      const rest = parameters.size > 0 ? `?${parameters}` : '';
      const cookie = `${COOKIE}=${encodeURIComponent(token)}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Strict`;
      // One leading slash and no backslash: `//name` would lead to another site.
      return reply.header('set-cookie', cookie).redirect(`/${path.replace(/^[/\\]+/, '')}${rest}`, 303);
    }
    const shown = bearerOf(request) ?? cookieOf(request);
    if (shown !== undefined && isSame(shown, token)) return;
    reply.header('www-authenticate', 'Bearer realm="tideline"');
    throw new ProblemError({
      status: 401,
      title: 'Unauthorized',
      detail: "Send the gateway's token as 'Authorization: Bearer TOKEN', or open the page once with ?token=TOKEN.",
    });
  });
}

function foreignHost(host: string | undefined): ProblemError {
  return new ProblemError({
    status: 421,
    title: 'Misdirected request',
    detail: `This gateway serves this machine alone and was asked for as '${host ?? ''}': use http://127.0.0.1 or http://localhost.`,
  });
}

/** Whether a host's name means this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function hostName(host = ''): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

function cookieOf(request: FastifyRequest): string | undefined {
  const value = (request.headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);
  try {
    return value === undefined ? undefined : decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Takes as long whatever the difference. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [given, token].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a, b);
}
