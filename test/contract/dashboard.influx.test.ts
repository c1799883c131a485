/** Grafana's dashboard over the real InfluxDB: every query of it is InfluxQL that the server takes, and finds what the streams write. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createInfluxReader, createInfluxSink } from '@tideline/adapters';
import { PointLines } from '@tideline/pipeline';
import { stackAddresses, uniqueName } from '../stack/index.ts';

interface Board {
  readonly panels: readonly {
    readonly title: string;
    readonly type: string;
    readonly targets: readonly { readonly query?: string }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: string }[];
  };
}

const FOLDER = fileURLToPath(new URL('../../../infra/grafana/dashboards/', import.meta.url));
const BOARDS = readdirSync(FOLDER).map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Board);
const panels = BOARDS.flatMap((board) => board.panels);
const variables = BOARDS.flatMap(({ templating }) => templating.list.filter(({ type }) => type === 'query'));
const TIME_MS = 1_700_000_000_000;
/** As the streams write them. */
const LINES = [
  'forecast,horizon=1,model=ticks-lstm,series=BTC\\ USD,stream=ticks last=100.5,q10=99,q50=100,q90=101,' +
    `r10=-0.01,r50=0,r90=0.01,target=${TIME_MS + 60_000}i,partition=2i,offset=7i ${TIME_MS}000000`,
  'score,horizon=1,model=ticks-lstm,series=BTC\\ USD,stream=ticks count=20i,coverage=0.79,coverage_total=0.8,covered=16i,directions=18i,' +
    'error_sum=0.19,hits=9i,mase=0.95,mcc=0.1,naive_sum=0.2,pinball=0.003,pinball_sum=0.06,scored=40i,' +
    `offset=7i,partition=2i ${TIME_MS}000000`,
  `score,bin=7,model=calls-gru,of=escalation,shard=calls-1,stream=calls brier_sum=0.09,came=1i,count=1i,said_sum=0.7 ${TIME_MS}000000`,
  'sentiment,agent=a\\ 1,model=calls-gru,queue=billing,series=call-1,speaker=customer,stream=calls call_score=0.25,' +
    `escalation=0.5,negative=0.2,neutral=0.3,positive=0.5,score=0.3,partition=1i,offset=3i ${TIME_MS}000000`,
  'call_summary,agent=a\\ 1,model=calls-summary,queue=billing,series=call-1,stream=calls categories="billing",class="negative",decisive_1=2i,' +
    'dissatisfied=0.8,duration_ms=60000i,effect_1=-0.4,ended_by="ended",line_1="2 customer: no",line_2="3 agent: so",line_3="4 customer: ah",' +
    `line_4="5 customer: oh",negative=0.7,neutral=0.2,offset=4i,partition=1i,positive=0.1,satisfaction=1.9,score=-0.6,turns=5i,turns_read=5i ${TIME_MS}000000`,
  'arrivals,horizon=next,model=call-volume-gru,queue=billing,series=billing,stream=call-volume agents=3i,agents_q90=4i,' +
    'interval_ms=900000i,last=7,load=2.1,offset=5i,partition=0i,q10=4,q50=6.3,q90=9,service_level=0.83,' +
    `target=${TIME_MS + 900_000}i ${TIME_MS}000000`,
  'call_rollup,agent=a\\ 1,queue=billing,shard=calls-1,stream=calls,supervisor=north alerts=1i,call="call-1",calls=1i,customer_score=-0.3,' +
    'customer_turns=1i,interruptions=1i,negative=1i,overlap_ms=200i,score=-0.3,silence_ms=500i,talk_ms=2500i,turns=1i ' +
    `${TIME_MS}000000`,
  'alert,agent=a\\ 1,kind=rule,queue=billing,rule=sad,series=call-1,severity=warning,stream=calls offset=3i,partition=1i,reason="Sad.",' +
    `value=-0.3 ${TIME_MS}000000`,
  'acknowledgement,agent=a\\ 1,queue=billing,rule=sad,series=call-1,severity=warning,stream=calls at=1700000100000i,by="Ada",id="x",note="" ' +
    `${TIME_MS}000000`,
];
const VARIABLES: Readonly<Record<string, string>> = {
  series: 'BTC USD',
  horizon: '1',
  call: 'call-1',
  queue: 'billing',
  ahead: 'next',
  by: 'supervisor',
  supervisor: 'north',
  timeFilter: `time >= ${TIME_MS - 60_000}ms AND time <= ${TIME_MS + 60_000}ms`,
  __interval: '10s',
};

const place = { url: stackAddresses().influx, database: uniqueName('board') };
const reader = createInfluxReader(place);

before(async () => {
  await using sink = await createInfluxSink(place);
  await sink.write(PointLines.of(LINES));
});
after(async () => {
  await reader.dropDatabase();
  await reader[Symbol.asyncDispose]();
});

for (const { title, type, targets } of panels)
  for (const { query } of targets)
    if (query !== undefined)
      test(`panel '${title}': InfluxDB answers ${query}`, async () => {
        const rows = await reader.query(
          query.replace(/\$(\w+)/g, (_, name: string) => VARIABLES[name] ?? assert.fail(`no value of $${name}`)),
        );
        assert.equal(rows.length, 1);
        const values = Object.entries(rows[0]).filter(([, value]) => typeof value === 'number');
        const columns = Math.max(1, [...query.matchAll(/ AS "/g)].length);
        if (type !== 'table') assert.equal(values.length, columns, JSON.stringify(rows[0]));
        assert.ok(values.length >= columns && !Object.values(rows[0]).includes(null), JSON.stringify(rows[0]));
      });

for (const { name, query } of variables)
  test(`the board's variable '${name}': InfluxDB answers ${query}`, async () => {
    const rows = await reader.query(query);
    assert.deepEqual(
      rows.map(({ value }) => value),
      [VARIABLES[name]],
    );
  });

test("a tag of the board's queries that is a word of InfluxQL is quoted: without quotes the server refuses it", async () => {
  await assert.rejects(reader.query('SELECT COUNT(q50) FROM forecast GROUP BY series'), /SERIES/);
  assert.equal((await reader.query('SELECT COUNT(q50) FROM forecast GROUP BY "series"')).length, 1);
});
