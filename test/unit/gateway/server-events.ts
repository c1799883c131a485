/** A client of Server-Sent Events for tests. */
export interface ServerEvent {
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the server sends is what the test looks into
  readonly content: any;
}

/** Reads events of `url` until `until` says yes; throws after `deadlineMs`. */
export async function readEvents(
  url: string,
  until: (events: readonly ServerEvent[]) => boolean,
  deadlineMs = 10_000,
): Promise<ServerEvent[]> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error(`Not within ${deadlineMs} ms.`)), deadlineMs);
  const events: ServerEvent[] = [];
  try {
    const response = await fetch(url, { signal: stop.signal });
    if (!response.ok || response.body === null) throw new Error(`${url} answers ${response.status}`);
    let text = '';
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (text + part).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, event, content] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? [];
        if (event !== undefined) events.push({ event, content: JSON.parse(content) });
      }
      if (until(events)) return events;
    }
    return events;
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}
