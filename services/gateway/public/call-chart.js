/** How a call goes: each utterance's sentiment, the call's so far, and the risk that the next one is negative. */
import { percent, score, time } from './format.js';
import { axis, createPlotFrame, timeAxis } from './plot-frame.js';

/** Rows (`{timeMs, speaker, score, callScore, escalation}`, oldest first) as the plot's columns. */
export function callColumns(rows) {
  return [
    rows.map(({ timeMs }) => timeMs),
    rows.map((row) => (row.speaker === 'customer' ? row.score : null)),
    rows.map((row) => (row.speaker === 'customer' ? null : row.score)),
    rows.map(({ callScore }) => callScore),
    rows.map(({ escalation }) => escalation),
  ];
}

function build(colour) {
  const dots = (name, square) => ({
    stroke: colour(name),
    paths: () => null,
    points: { show: true, size: 8, fill: colour(name), stroke: colour(name), ...(square ? { paths: squares } : {}) },
  });
  return {
    scales: { y: { range: [-1.1, 1.1] } },
    series: [
      {},
      dots('customer', false),
      dots('agent', true),
      { stroke: colour('accent'), width: 2.2, points: { show: false } },
      { stroke: colour('risk'), width: 1.6, dash: [5, 4], points: { show: false } },
    ],
    axes: [timeAxis(colour), axis(colour, { size: 48, splits: () => [-1, -0.5, 0, 0.5, 1] })],
    hooks: { drawClear: [(plot) => drawZero(plot, colour)] },
  };
}

/** The agent's points are squares: colour alone does not tell who spoke. */
function squares(plot, seriesIndex, from, to) {
  const path = new Path2D();
  const half = 3.5 * devicePixelRatio;
  for (let i = from; i <= to; i += 1) {
    const value = plot.data[seriesIndex][i];
    if (value === null) continue;
    path.rect(
      plot.valToPos(plot.data[0][i], 'x', true) - half,
      plot.valToPos(value, 'y', true) - half,
      2 * half,
      2 * half,
    );
  }
  return { fill: path, stroke: path };
}

function drawZero(plot, colour) {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(0, 'y', true);
  ctx.save();
  ctx.setLineDash([]);
  ctx.lineWidth = devicePixelRatio;
  ctx.strokeStyle = colour('quiet');
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

function read(columns, i) {
  const [x, customer, agent, call, risk] = columns.map((column) => column[i]);
  const who = customer === null ? `agent ${score(agent)}` : `customer ${score(customer)}`;
  return `${time(x, 0).slice(11, 19)} · ${who} · call ${score(call)} ${risk === null ? '' : ` · risk ${percent(risk)}`}`;
}

/** The sentence for who does not see the plot. */
export function callText(name, rows) {
  const { speaker, score: newest, callScore, escalation } = rows[rows.length - 1];
  return (
    `${name}: ${rows.length} utterances, the last by the ${speaker} with sentiment ${score(newest)}; the call so far ${score(callScore)}` +
    `${escalation === null ? '' : `; risk of escalation ${percent(escalation)}`}.`
  );
}

export function createCallChart(box) {
  const frame = createPlotFrame(box, { build, read });
  return {
    show: (rows) => frame.show(callColumns(rows)),
    clear: frame.clear,
  };
}
