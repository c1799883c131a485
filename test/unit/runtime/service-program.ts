/** A service for `service.test.ts`: says on stdout what it hears, ends as its argument says. */
import { ConfigurationError, runService, sleep } from '@tideline/runtime';

const [, , kind, graceMs = '20000'] = process.argv;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

await runService({ name: 'probe', graceMs: Number(graceMs) }, async ({ drain, abort }) => {
  if (kind === 'configuration') throw new ConfigurationError(["TIDELINE_PORT = 'x': must be a port"]);
  if (kind === 'unavailable')
    throw Object.assign(new Error('No Redis answers at 127.0.0.1:1. Start it.'), { code: 'RETRYABLE' });
  if (kind === 'defect') throw new Error('This was not foreseen.');
  if (kind === 'rejection') void Promise.reject(new Error('Nobody waited for this.'));
  say('ready');
  // A service holds something open; signals alone do not.
  const hold = setInterval(() => {}, 1_000);
  drain.addEventListener('abort', () => say('drain'));
  abort.addEventListener('abort', () => say('abort'));
  await sleep(60_000, drain);
  // As a client library does that forgets a connection.
  if (kind === 'forgetful') setInterval(() => {}, 1_000);
  if (kind === 'stubborn') await sleep(60_000, abort);
  clearInterval(hold);
  say('closed');
});
