import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const ROOT = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..', '..', '..');

/** What the streams write: measurement -> its tags and fields. */
const MEASUREMENTS: Readonly<Record<string, readonly string[]>> = {
  forecast: 'horizon model series stream last offset partition q10 q50 q90 r10 r50 r90 target'.split(' '),
  score: (
    'horizon model series stream count coverage coverage_total covered directions error_sum hits mase mcc ' +
    'naive_sum offset partition pinball pinball_sum scored bin brier_sum came of said_sum shard'
  ).split(' '),
  sentiment:
    'agent model queue series speaker stream call_score emotion escalation negative neutral offset partition positive score'.split(
      ' ',
    ),
  call_rollup: (
    'agent queue shard stream supervisor alerts call calls customer_score customer_turns interruptions negative overlap_ms score ' +
    'silence_ms talk_ms turns'
  ).split(' '),
  alert: 'agent kind queue rule series severity stream offset partition reason value'.split(' '),
  acknowledgement: 'agent queue rule series severity stream at by id note'.split(' '),
  call_summary: (
    'agent model queue series stream categories class decisive_1 decisive_2 decisive_3 dissatisfied duration_ms effect_1 effect_2 effect_3 ended_by ' +
    'line_1 line_2 line_3 line_4 negative neutral offset partition positive satisfaction score turns turns_read'
  ).split(' '),
  arrivals:
    'horizon model queue series stream agents agents_q90 interval_ms last load offset partition q10 q50 q90 service_level target'.split(
      ' ',
    ),
};

interface Target {
  readonly datasource: { readonly uid: string };
  readonly query?: string;
  readonly expr?: string;
}
interface Panel {
  readonly title: string;
  readonly targets: readonly Target[];
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

interface Board {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly type: string; readonly query: string }[] };
}

const FOLDER = 'infra/grafana/dashboards';
const BOARDS = readdirSync(join(ROOT, FOLDER)).map((name): Board => JSON.parse(read(join(FOLDER, name))));
const PANELS = BOARDS.flatMap(({ panels }) => panels);
const TARGETS = PANELS.flatMap(({ targets }) => targets);

test('the dashboard asks InfluxDB only for measurements, tags and fields that the streams write', () => {
  const queries = [
    ...TARGETS.flatMap(({ query }) => (query === undefined ? [] : [query])),
    ...BOARDS.flatMap(({ templating }) =>
      templating.list.flatMap(({ type, query }) => (type === 'query' ? [query] : [])),
    ),
  ];
  assert.ok(queries.length >= 10);
  for (const query of queries) {
    const measurement = /FROM "(\w+)"/.exec(query)?.[1] ?? '';
    const names = MEASUREMENTS[measurement];
    assert.ok(names, `'${measurement}' of ${query}`);
    // Behind AS a column is given a name of its own.
    const asked = [...query.replace(/ AS "\w+"/g, '').matchAll(/"(\w+)"/g)]
      .map((match) => match[1])
      .filter((name) => name !== measurement);
    assert.deepEqual(
      asked.filter((name) => !names.includes(name)),
      [],
      query,
    );
  }
});

test('the streams write the measurements that this test knows', () => {
  for (const [file, measurement] of [
    ['libs/streams/src/ticks/tick-stream.ts', 'forecast'],
    ['libs/streams/src/calls/call-points.ts', 'sentiment'],
    ['libs/streams/src/call-volume/call-volume-stream.ts', 'arrivals'],
  ]) {
    const source = read(file);
    const at = source.indexOf(`\`${measurement},`);
    const written = [...source.slice(at, at + 600).matchAll(/\b([a-z]\w*)=\$/g)].map((match) => match[1]);
    assert.deepEqual(
      written.filter((name) => !MEASUREMENTS[measurement].includes(name)),
      [],
    );
    assert.ok(written.length >= 8, written.join());
  }
});

test('the dashboard asks Prometheus only for metrics that a service has', () => {
  const sources = ['ingest', 'forecaster'].map((service) => read(`services/${service}/src/events.ts`)).join('\n');
  const expressions = TARGETS.flatMap(({ expr }) => (expr === undefined ? [] : [expr]));
  assert.ok(expressions.length >= 4);
  for (const expression of expressions)
    for (const [metric] of expression.matchAll(/forecast_\w+/g))
      assert.ok(sources.includes(`'${metric}'`), `no service has the metric ${metric}`);
});

test('every panel draws from a provisioned source, and shows the fan, the last price, the sentiment and the throughput', () => {
  const folder = 'infra/grafana/provisioning/datasources';
  const uids = readdirSync(join(ROOT, folder)).flatMap((file) =>
    parse(read(join(folder, file))).datasources.map(({ uid }: { uid: string }) => uid),
  );
  assert.deepEqual(
    TARGETS.filter(({ datasource }) => !uids.includes(datasource.uid)),
    [],
  );
  const titles = PANELS.map(({ title }) => title).join('\n');
  const board = [/^Forecast of/m, /^Coverage of/m, /^MASE/m, /^Last price/m, /^Sentiment of/m, /^Throughput/m];
  const centre = [
    /^Calls under way by/m,
    /^Mean sentiment by/m,
    /^Share of negative/m,
    /^Alerts by/m,
    /^Talk, silence/m,
  ];
  for (const topic of [...board, ...centre]) assert.match(titles, topic);
});

test('Prometheus scrapes the port that the services open', () => {
  const { services } = parse(read('docker-compose.yml'), { merge: true });
  const { scrape_configs: jobs } = parse(read('infra/prometheus/prometheus.yml'));
  for (const { dns_sd_configs: sources } of jobs)
    for (const { names, port } of sources)
      for (const name of names) assert.equal(services[name].environment.TIDELINE_HEALTH_PORT, String(port));
});
