/** The live connection: everything that the gateway holds at first, then what changed. */

/** Without any event in this time the connection counts as lost: the gateway tells its figures each second. */
const SILENCE_MS = 6_000;
/** The browser gives up for good where a server or a proxy answers with an error; this page does not. */
const REOPEN_MS = 2_000;
const EVENTS = ['summaries', 'rows', 'alerts', 'stats', 'trouble'];

/**
 * Opens a connection. `watched`: [{stream, series}] whose rows are wanted. `on`: handlers `summaries`, `rows`, `alerts`, `stats`, `trouble` of the content, and `state`
 * of 'live' or 'lost'. Returns the function that closes it.
 */
export function openLive(watched, on) {
  const query = watched.map(({ stream, series }) => `watch=${encodeURIComponent(`${stream}/${series}`)}`).join('&');
  let source = null;
  let heardAt = performance.now();
  const open = () => {
    source?.close();
    heardAt = performance.now();
    source = new EventSource(`api/live?${query}`);
    for (const name of EVENTS)
      source.addEventListener(name, (event) => {
        heardAt = performance.now();
        on.state('live');
        on[name](JSON.parse(event.data));
      });
    source.addEventListener('error', () => on.state('lost'));
  };
  open();
  const timer = setInterval(() => {
    const silent = performance.now() - heardAt > SILENCE_MS;
    if (silent) on.state('lost');
    if (silent || source.readyState === EventSource.CLOSED) open();
  }, REOPEN_MS);
  return () => {
    clearInterval(timer);
    source.close();
  };
}
