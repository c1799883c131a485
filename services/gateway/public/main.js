/** The page: holds what came, draws it at most once a frame. */
import { byUrgency, createAlertList } from './alert-list.js';
import { callText, createCallChart } from './call-chart.js';
import { createCallEnd, decisiveRows } from './call-end.js';
import { change, count, duration, horizonText, percent, price, score, time } from './format.js';
import { openLive } from './live.js';
import { createPriceChart, priceText } from './price-chart.js';
import { setText } from './row-list.js';
import { createCallList, createSeriesList } from './series-list.js';
import { createStaffingTable } from './staffing.js';
import { createTurnList } from './turn-list.js';

const LIST_MAX = 200;
const CALLS_MAX = 100;
const QUEUES_MAX = 100;
const ROWS_MAX = 500;
/** Of alerts: kept, and shown. */
const ALERTS_MAX = 1_000;
const ALERTS_SHOWN = 60;
const TURNS_SHOWN = 100;
/** A call that is silent for longer, by the time of its events against the newest call's, is at no risk that anybody could turn. */
const CALL_LIVE_MS = 600_000;
/** As many as the gateway keeps. */
const SERIES_MAX = 2_000;
const QUIET_MS = 10_000;
/** A call that nobody chose by hand and that is silent for so long gives way to one that goes on. */
const CALL_SILENT_MS = 15_000;

const byId = (id) => document.getElementById(id);
const keyOf = ({ stream, series }) => `${stream}/${series}`;

/** kind -> key -> summary, in the order of first sight. */
const known = { forecast: new Map(), sentiment: new Map(), arrivals: new Map() };
const chosen = { forecast: null, sentiment: null };
const chosenByHand = { forecast: false, sentiment: false };
/** Rows of the chosen ones. */
const rowsOf = { forecast: [], sentiment: [] };
/** By id. */
const alerts = new Map();
const staffing = createStaffingTable(byId('staffing-rows'));
const turns = createTurnList(byId('turns'), byId('turns-note'));
/** Of the chosen call; null while it goes on. */
let callEnd = null;
const endOfCall = createCallEnd(byId('call-end'), (turn) => {
  for (const [timeMs, mark] of decisiveRows(rowsOf.sentiment, callEnd)) if (mark.turn === turn) turns.point(timeMs);
});
const alertLists = {
  all: createAlertList(byId('alert-list'), pickCallOf),
  call: createAlertList(byId('call-alerts'), pickCallOf),
};
let stats = null;
let trouble = '';
let connection = 'connecting';
let changedAt = performance.now();
let callChangedAt = performance.now();
let closeLive = () => {};
let isDrawn = true;
let windowRows = 40;

const charts = { forecast: createPriceChart(byId('chart')), sentiment: createCallChart(byId('call-chart')) };
const lists = {
  forecast: createSeriesList(
    byId('series-list'),
    (item) => choose('forecast', item, true),
    () => (known.forecast.size > 0 ? 'No series matches the filter.' : 'No records yet.'),
  ),
  sentiment: createCallList(
    byId('calls-list'),
    (item) => choose('sentiment', item, true),
    () => 'No calls yet.',
  ),
};

function draw() {
  if (!isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    drawHeader();
    drawLists();
    drawForecast();
    drawCall();
    drawAlerts();
  });
}

function onSummaries(summaries) {
  const first = known.forecast.size === 0 || known.sentiment.size === 0;
  for (const summary of summaries) {
    const key = keyOf(summary);
    const map = known[summary.kind];
    map.set(key, { ...summary, key });
    if (map.size > SERIES_MAX) map.delete(map.keys().next().value);
    if (key === chosen.sentiment?.key) callChangedAt = performance.now();
  }
  if (summaries.length > 0) changedAt = performance.now();
  if (first) chooseFirst();
  if (!chosenByHand.sentiment && performance.now() - callChangedAt > CALL_SILENT_MS) {
    const next = summaries.filter(({ kind }) => kind === 'sentiment').pop();
    if (next !== undefined) choose('sentiment', { ...next, key: keyOf(next) }, false);
  }
  draw();
}

/** Takes in rows of a chosen series: in order of time, a row of one instant replaces the one before. */
function onRows({ stream, series, rows, end }) {
  const kind = keyOf({ stream, series }) === chosen.forecast?.key ? 'forecast' : 'sentiment';
  if (keyOf({ stream, series }) !== chosen[kind]?.key) return;
  const byTime = new Map(rowsOf[kind].map((row) => [row.timeMs, row]));
  for (const row of rows) byTime.set(row.timeMs, row);
  rowsOf[kind] = [...byTime.values()].sort((a, b) => a.timeMs - b.timeMs).slice(-ROWS_MAX);
  // A turn behind the end is of another call of this id.
  if (kind === 'sentiment') callEnd = end ?? (rows.some(({ timeMs }) => timeMs > callEnd?.timeMs) ? null : callEnd);
  draw();
}

function onAlerts(changed) {
  for (const alert of [...changed].reverse()) {
    alerts.delete(alert.id);
    alerts.set(alert.id, alert);
    if (alerts.size > ALERTS_MAX) alerts.delete(alerts.keys().next().value);
  }
  draw();
}

function pickCallOf({ stream, series }) {
  const key = keyOf({ stream, series });
  const item = known.sentiment.get(key);
  if (item === undefined) return;
  choose('sentiment', item, true);
  byId('call-title').scrollIntoView({ block: 'nearest' });
}

function chooseFirst() {
  const address = new URLSearchParams(location.hash.slice(1));
  for (const [kind, name] of [
    ['forecast', 'series'],
    ['sentiment', 'call'],
  ]) {
    if (chosen[kind] !== null || known[kind].size === 0) continue;
    const asked = known[kind].get(address.get(name));
    const first = kind === 'forecast' ? sortedSeries()[0] : [...known[kind].values()].pop();
    choose(kind, asked ?? first, asked !== undefined);
  }
}

function choose(kind, item, byHand) {
  chosenByHand[kind] ||= byHand;
  if (chosen[kind]?.key === item.key) return;
  chosen[kind] = item;
  rowsOf[kind] = [];
  if (kind === 'sentiment') callEnd = null;
  callChangedAt = performance.now();
  if (byHand) {
    const address = new URLSearchParams(location.hash.slice(1));
    address.set(kind === 'forecast' ? 'series' : 'call', item.key);
    history.replaceState(null, '', `#${address}`);
  }
  connect();
  draw();
}

function connect() {
  closeLive();
  const watched = Object.values(chosen).filter((item) => item !== null);
  closeLive = openLive(watched, {
    summaries: onSummaries,
    rows: onRows,
    alerts: onAlerts,
    stats(figures) {
      stats = figures;
      trouble = '';
      draw();
    },
    trouble({ detail }) {
      trouble = detail;
      draw();
    },
    state(state) {
      if (connection === state) return;
      connection = state;
      draw();
    },
  });
}

function sortedSeries() {
  return [...known.forecast.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Calls that go on by their risk, highest first; behind them those that are over or silent, newest first. */
function callsByRisk() {
  const calls = [...known.sentiment.values()].reverse();
  const newestMs = calls.reduce((max, { newest }) => Math.max(max, newest.timeMs), 0);
  const isLive = ({ newest, isOver }) => isOver !== true && newestMs - newest.timeMs <= CALL_LIVE_MS;
  const risk = (call) => (isLive(call) ? (call.newest.escalation ?? 0) : -1);
  return calls.sort((a, b) => risk(b) - risk(a));
}

function drawHeader() {
  for (const node of document.querySelectorAll('[data-stat]')) {
    const name = node.dataset.stat;
    const value = stats?.[name];
    setText(
      node,
      name === 'engine' ? (value ?? '–') : count(value === null || value === undefined ? value : Math.round(value)),
    );
    node.classList.toggle('bad', name === 'deadLetters' && value > 0);
  }
  const quiet = connection === 'live' && performance.now() - changedAt > QUIET_MS;
  const texts = { connecting: 'Connecting', live: `Live · ${stats?.mode ?? ''}`, lost: 'Disconnected, trying again' };
  const state = byId('state');
  setText(state, quiet ? 'Connected, no new records' : texts[connection]);
  state.dataset.state = quiet ? 'quiet' : connection;
  const alert = byId('trouble');
  const lostText =
    connection === 'lost' ? 'The gateway does not answer. What you see is as it was; the page goes on by itself.' : '';
  setText(alert, lostText || trouble);
  alert.hidden = alert.textContent === '';
}

function drawLists() {
  const wanted = byId('series-filter').value.trim().toLowerCase();
  const matching = sortedSeries().filter(({ key }) => key.toLowerCase().includes(wanted));
  lists.forecast.show(matching.slice(0, LIST_MAX), chosen.forecast?.key);
  drawMore(byId('series-more'), matching.length - LIST_MAX, 'more series: filter to see them.');
  const open = new Map();
  for (const alert of alerts.values())
    if (alert.acknowledgement === null) open.set(keyOf(alert), (open.get(keyOf(alert)) ?? 0) + 1);
  const calls = callsByRisk().map((call) => withAlerts(call, open.get(call.key) ?? 0));
  lists.sentiment.show(calls.slice(0, CALLS_MAX), chosen.sentiment?.key);
  drawMore(byId('calls-more'), calls.length - CALLS_MAX, 'older calls.');
  byId('staffing').hidden = known.arrivals.size === 0;
  staffing.show([...known.arrivals.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, QUEUES_MAX));
  setText(byId('calls-count'), calls.length > 0 ? `${count(calls.length)} seen` : '');
}

/** The same item as long as nothing of it changed: rows are filled anew only then. */
function withAlerts(call, openAlerts) {
  if ((call.openAlerts ?? 0) === openAlerts) return call;
  const changed = { ...call, openAlerts };
  known.sentiment.set(call.key, changed);
  return changed;
}

function drawAlerts() {
  const sorted = byUrgency(alerts.values());
  const open = sorted.filter(({ acknowledgement }) => acknowledgement === null).length;
  byId('alerts').hidden = sorted.length === 0;
  alertLists.all.show(sorted.slice(0, ALERTS_SHOWN));
  drawMore(byId('alerts-more'), sorted.length - ALERTS_SHOWN, 'more alerts: GET /api/alerts lists them.');
  setText(byId('alerts-count'), `${count(open)} open, ${count(sorted.length - open)} acknowledged`);
  setText(byId('open-alerts'), count(open));
  byId('open-alerts').classList.toggle('bad', open > 0);
}

function drawMore(node, left, text) {
  node.hidden = left <= 0;
  setText(node, `${count(left)} ${text}`);
}

function drawForecast() {
  const rows = rowsOf.forecast.slice(-windowRows);
  const name = chosen.forecast?.series ?? 'Forecast';
  setText(byId('chart-title'), name);
  if (rows.length === 0) {
    setText(byId('chart-headline'), '');
    setText(byId('chart-text'), '');
    setText(byId('chart-scores'), '');
    if (chosen.forecast === null)
      charts.forecast.clear('Waiting for records. Feed some with: npx tideline replay FILE --topic ticks');
    return;
  }
  const { last, forecasts, timeMs } = rows[rows.length - 1];
  const far = forecasts[forecasts.length - 1];
  const inTime = duration(Math.max(0, far.targetMs - timeMs));
  const isTime = typeof far.horizon === 'string';
  const ahead = `${change(last, far.q50)} in ${isTime ? inTime : `${far.horizon} records (${inTime})`}`;
  setHeadline(byId('chart-headline'), price(last), `${time(timeMs, timeMs - rows[0].timeMs)} UTC · median ${ahead}`);
  setText(byId('chart-text'), priceText(name, rows));
  setText(byId('chart-scores'), scoresText());
  charts.forecast.show(rows);
}

/** How good the chosen series' forecasts have been: coverage of the 10-90 % interval, and their error against that of the last value. */
function scoresText() {
  const scores = known.forecast.get(chosen.forecast?.key)?.scores ?? [];
  return [...scores]
    .sort((a, b) => Number.parseFloat(a.horizon) - Number.parseFloat(b.horizon))
    .map(({ horizon, coverage, mase, scored }) => {
      const ahead = /\D/.test(horizon) ? horizonText(horizon) : `${horizon} ${horizon === '1' ? 'record' : 'records'}`;
      const error = mase === null ? '' : ` · MASE ${mase.toFixed(2)}`;
      return `${ahead} ahead: 80 % interval held ${(100 * coverage).toFixed(1)} %${error} (${count(scored)} scored)`;
    })
    .join('   ');
}

function drawCall() {
  const rows = rowsOf.sentiment;
  const name = chosen.sentiment?.series ?? 'Sentiment';
  setText(byId('call-title'), chosen.sentiment === null ? 'Sentiment' : `Call ${name}`);
  if (rows.length === 0) {
    setText(byId('call-headline'), '');
    setText(byId('call-text'), '');
    endOfCall.show(null);
    turns.show([]);
    if (chosen.sentiment === null)
      charts.sentiment.clear('Waiting for calls. Feed some with: npx tideline replay FILE --topic calls');
    return;
  }
  const { callScore, escalation } = rows[rows.length - 1];
  const words = rows.length === 1 ? '1 turn' : `${rows.length} turns`;
  const { queue, agent } = chosen.sentiment;
  const risk = escalation === null || callEnd !== null ? '' : ` · escalation risk ${percent(escalation)}`;
  setHeadline(byId('call-headline'), score(callScore), `${words}${risk} · ${queue} · ${agent}`);
  const own = byUrgency([...alerts.values()].filter((alert) => keyOf(alert) === chosen.sentiment.key));
  byId('call-alerts').hidden = own.length === 0;
  alertLists.call.show(own);
  endOfCall.show(callEnd);
  // Last: what stands above the turns takes room from them.
  turns.show(rows.slice(-TURNS_SHOWN), decisiveRows(rows, callEnd));
  setText(byId('call-text'), callText(name, rows));
  charts.sentiment.show(rows);
}

function setHeadline(node, strong, rest) {
  if (node.firstElementChild === null) node.append(document.createElement('b'), ' ', document.createElement('span'));
  setText(node.firstElementChild, strong);
  setText(node.lastElementChild, rest);
}

byId('series-filter').addEventListener('input', draw);
document.querySelector('.window').addEventListener('change', (event) => {
  windowRows = Number(event.target.value);
  draw();
});
setInterval(draw, 1_000);
draw();
connect();
