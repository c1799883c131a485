/** The live connection: everything that the gateway holds at first, then what changed. The browser reconnects by itself. */

/** Without any event in this time the connection counts as lost: the gateway beats each 10 s and tells figures each second. */
const SILENCE_MS = 6_000;

/**
 * Opens a connection. `watched`: [{stream, series}] whose rows are wanted. `on`: handlers `summaries`, `rows`, `stats`, `trouble` of the content, and `state`
 * of 'connecting', 'live' or 'lost'. Returns the function that closes it.
 */
export function openLive(watched, on) {
  const query = watched.map(({ stream, series }) => `watch=${encodeURIComponent(`${stream}/${series}`)}`).join('&');
  const source = new EventSource(`api/live?${query}`);
  let heardAt = performance.now();
  let state = 'connecting';
  const setState = (next) => {
    if (next === state) return;
    state = next;
    on.state(next);
  };
  for (const name of ['summaries', 'rows', 'stats', 'trouble'])
    source.addEventListener(name, (event) => {
      heardAt = performance.now();
      setState('live');
      on[name](JSON.parse(event.data));
    });
  source.addEventListener('error', () => setState('lost'));
  const timer = setInterval(() => {
    if (performance.now() - heardAt > SILENCE_MS) setState('lost');
  }, 1_000);
  return () => {
    clearInterval(timer);
    source.close();
  };
}
