/** The staffing table: a row a queue, a cell a horizon: calls of that interval and the agents that they need. */
import { count } from './format.js';
import { arrange, setText } from './row-list.js';

const HORIZONS = ['next', '1h', '4h', '24h'];

function callsText({ q10, q50, q90 }) {
  const shown = q90 < 10 ? (value) => value.toFixed(1) : (value) => count(Math.round(value));
  return [shown(q50), ` (${shown(q10)}–${shown(q90)})`];
}

function agentsText({ agents, agentsQ90 }) {
  return `${count(agents)}${agentsQ90 > agents ? `–${count(agentsQ90)}` : ''} ${agents === 1 && agentsQ90 === 1 ? 'agent' : 'agents'}`;
}

/** Of the same day: the time; else also the day. */
function dueText(targetMs, timeMs) {
  const [target, now] = [targetMs, timeMs].map((ms) => new Date(ms).toISOString());
  const day = target.slice(0, 10) === now.slice(0, 10) ? '' : `${target.slice(5, 10)} `;
  return `${day}${target.slice(11, 16)}`;
}

function element(name, ...children) {
  const node = document.createElement(name);
  node.append(...children);
  return node;
}

function createRow() {
  const cells = HORIZONS.map(() => ({
    calls: element('b'),
    range: element('span'),
    agents: element('span'),
    node: element('td'),
  }));
  for (const { node, calls, range, agents } of cells) node.append(calls, range, document.createElement('br'), agents);
  const name = element('th');
  name.scope = 'row';
  const last = element('td');
  return { node: element('tr', name, last, ...cells.map(({ node }) => node)), name, last, cells };
}

function fill(row, { queue, series, newest }) {
  setText(row.name, queue ?? series);
  setText(row.last, `${count(newest.last)} at ${dueText(newest.timeMs, newest.timeMs)}`);
  row.cells.forEach(({ node, calls, range, agents }, i) => {
    const one = newest.arrivals.find(({ horizon }) => horizon === HORIZONS[i]);
    const [middle, spread] = one === undefined ? ['closed', ''] : callsText(one);
    node.classList.toggle('closed', one === undefined);
    setText(calls, middle);
    setText(range, spread);
    setText(agents, one === undefined ? '' : `${agentsText(one)} · ${dueText(one.targetMs, newest.timeMs)}`);
  });
}

export function createStaffingTable(body) {
  const rows = new Map();
  return {
    show(queues) {
      const keys = new Set(queues.map(({ key }) => key));
      for (const [key, { node }] of rows)
        if (!keys.has(key)) {
          node.remove();
          rows.delete(key);
        }
      const shown = queues.map((summary) => {
        const row = rows.get(summary.key) ?? createRow();
        rows.set(summary.key, row);
        fill(row, summary);
        return row.node;
      });
      arrange(body, shown);
    },
  };
}
