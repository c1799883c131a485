import { change, direction, horizonText, percent, price, score } from './format.js';
import { createRowList, drawSpark, element, setText, spark } from './row-list.js';

/** Above this the risk is marked. */
const RISK_HIGH = 0.5;
/** A call's mean seldom leaves it. */
const SPARK_SCORE_RANGE = [-0.6, 0.6];

/** Down, level, up: a sign beside the colour. */
const DIRECTIONS = [
  { sign: '▼', className: 'down' },
  { sign: '▬', className: '' },
  { sign: '▲', className: 'up' },
];

function nameParts() {
  const name = element('span', 'name');
  name.append(document.createTextNode(''), element('small', ''));
  return name;
}

function setName(node, name, small) {
  setText(node.firstChild, name);
  setText(node.lastChild, small);
}

function number() {
  const node = element('span', 'number');
  node.append(document.createTextNode(''), element('small', ''));
  return node;
}

function setNumber(node, text, small, className = '') {
  setText(node.firstChild, text);
  setText(node.lastChild, small);
  const classes = `number ${className}`.trim();
  if (node.className !== classes) node.className = classes;
}

/** Series with their last value, where the furthest horizon's median goes, and a sparkline. */
export function createSeriesList(list, onPick, emptyText) {
  return createRowList(list, {
    parts: { name: nameParts, spark, last: number, ahead: number },
    onPick,
    emptyText,
    fill(parts, { series, stream, newest, spark: values }) {
      const { last, forecasts } = newest;
      const far = forecasts[forecasts.length - 1];
      const goes = DIRECTIONS[direction(last, far.q50) + 1];
      setName(parts.name, series, stream);
      drawSpark(parts.spark, values);
      const before = values[values.length - 2];
      setNumber(parts.last, price(last), before === undefined ? '' : change(before, last));
      setNumber(parts.ahead, `${goes.sign} ${change(last, far.q50)}`, `in ${horizonText(far.horizon)}`, goes.className);
    },
  });
}

/** Calls with their sentiment so far and the risk of escalation. */
export function createCallList(list, onPick, emptyText) {
  return createRowList(list, {
    parts: { name: nameParts, spark, call: number, risk: number },
    onPick,
    emptyText,
    fill(parts, { series, queue, agent, newest, spark: values, openAlerts = 0, isOver = false }) {
      const badge = openAlerts > 0 ? `${openAlerts} ${openAlerts === 1 ? 'alert' : 'alerts'} · ` : '';
      setName(parts.name, series, `${badge}${queue} · ${agent}`);
      parts.name.classList.toggle('alerted', openAlerts > 0);
      drawSpark(parts.spark, values, SPARK_SCORE_RANGE);
      const mood = newest.callScore > 0.05 ? 'up' : newest.callScore < -0.05 ? 'down' : '';
      setNumber(parts.call, score(newest.callScore), 'sentiment', mood);
      const { escalation } = newest;
      if (isOver) {
        setNumber(parts.risk, 'over', '');
        return;
      }
      const isHigh = escalation !== null && escalation >= RISK_HIGH;
      const risk = escalation === null ? '–' : `${isHigh ? '▲ ' : ''}${percent(escalation)}`;
      setNumber(parts.risk, risk, 'risk', isHigh ? 'down' : '');
    },
  });
}
