/** Lines as the streams write them. */
export function forecastLines(point: {
  readonly series: string;
  readonly offset: number;
  readonly last: number;
  readonly timeMs?: number;
  /** Records, or times: `10s`. */
  readonly horizons?: readonly (number | `${number}s`)[];
}): string[] {
  const { series, offset, last, timeMs = 1_700_000_000_000 + 1_000 * offset, horizons = [1, 5] } = point;
  const tag = series.replace(/([,= ])/g, '\\$1');
  return horizons.map((horizon) => {
    const seconds = Number.parseFloat(`${horizon}`);
    const half = last * 0.001 * Math.sqrt(seconds);
    return (
      `forecast,horizon=${horizon},model=ticks-lstm,series=${tag},stream=ticks last=${last},offset=${offset}i,partition=0i,` +
      `q10=${last - half},q50=${last * 1.0002},q90=${last + half},r10=-0.001,r50=0,r90=0.001,target=${timeMs + seconds * 1_000}i ` +
      `${timeMs}${String(offset).padStart(6, '0')}`
    );
  });
}

/** What was said at the turn of `sentimentLine`. */
export function turnLine({ series, offset, text }: { series: string; offset: number; text: string }): string {
  return (
    `turn,series=${series},stream=calls offset=${offset}i,partition=1i,speaker="customer",text="${text.replace(/(["\\])/g, '\\$1')}" ` +
    `${1_700_000_000_000 + 1_000 * offset}${String(offset).padStart(6, '0')}`
  );
}

/** What was found of a call when it was over, one second behind its last turn. */
export function callEndLine({
  series,
  turns,
  offset = turns,
}: {
  series: string;
  turns: number;
  offset?: number;
}): string {
  return (
    `call_summary,agent=a7,model=calls-summary,queue=billing,series=${series},stream=calls categories="billing,cancellation",class="negative",` +
    `decisive_1=3i,effect_1=-0.41,decisive_2=${turns}i,effect_2=0.08,dissatisfied=0.71,duration_ms=${1_000 * turns}i,ended_by="ended",` +
    `line_1="1 customer: I said \\"[NAME]\\" <b>once</b>",line_2="${turns} agent: Bye.",negative=0.7,neutral=0.2,offset=${offset}i,partition=1i,` +
    `positive=0.1,satisfaction=2.1,score=-0.6,turns=${turns}i,turns_read=${turns}i ${1_700_000_000_000 + 1_000 * offset}${String(offset).padStart(6, '0')}`
  );
}

export function alertLine(alert: {
  readonly series: string;
  readonly offset: number;
  readonly rule?: string;
  readonly severity?: string;
}): string {
  const { series, offset, rule = 'sad', severity = 'warning' } = alert;
  return (
    `alert,agent=a7,kind=rule,queue=billing,rule=${rule},series=${series},severity=${severity},stream=calls offset=${offset}i,` +
    `partition=1i,reason="The score was below -0.4 for 3 turns.",value=-0.5 ${1_700_000_000_000 + 1_000 * offset}${String(offset).padStart(6, '0')}`
  );
}

export function sentimentLine(point: {
  readonly series: string;
  readonly offset: number;
  readonly score: number;
  readonly speaker?: string;
  readonly escalation?: number;
}): string {
  const { series, offset, score, speaker = 'customer', escalation = 0.2 } = point;
  return (
    `sentiment,agent=a7,model=calls-gru,queue=billing,series=${series},speaker=${speaker},stream=calls call_score=${score / 2},` +
    `escalation=${escalation},negative=0.1,neutral=0.2,offset=${offset}i,partition=1i,positive=0.7,score=${score} ` +
    `${1_700_000_000_000 + 1_000 * offset}${String(offset).padStart(6, '0')}`
  );
}

export function arrivalsLine(point: {
  readonly queue: string;
  readonly horizon: 'next' | '1h' | '4h' | '24h';
  readonly offset?: number;
  readonly q50: number;
  readonly agents: number;
}): string {
  const { queue, horizon, offset = 0, q50, agents } = point;
  const timeMs = 1_700_000_000_000 + 900_000 * offset;
  const ahead = { next: 1, '1h': 4, '4h': 16, '24h': 96 }[horizon];
  return (
    `arrivals,horizon=${horizon},model=call-volume-gru,queue=${queue},series=${queue},stream=call-volume agents=${agents}i,` +
    `agents_q90=${agents + 2}i,interval_ms=900000i,last=41,load=${q50 / 3},offset=${offset}i,partition=0i,q10=${0.8 * q50},q50=${q50},` +
    `q90=${1.2 * q50},service_level=0.83,target=${timeMs + 900_000 * ahead}i ${timeMs}${String(offset).padStart(6, '0')}`
  );
}
