/** One uPlot in a box: follows the box's size and the colour scheme, says what stands under the pointer. */
import uPlot from './vendor/uplot/uPlot.esm.js';

const UTC = 'Etc/UTC';
const DAY_MS = 86_400_000;

/** Colours of the page by name, as CSS has them now. */
function themeColours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

/** Axis of the page's style. */
export function axis(colour, options = {}) {
  return {
    stroke: colour('quiet'),
    font: '11px system-ui, "DejaVu Sans", sans-serif',
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
    ...options,
  };
}

/** The axis of event time, UTC: the time of day, or the date where days lie between its lines; the date stands below the first one. */
export function timeAxis(colour) {
  return axis(colour, {
    space: 96,
    size: 44,
    values: (_plot, splits) => splits.map((ms, i) => timeLabel(ms, splits[i - 1], splits[1] - splits[0])),
  });
}

function timeLabel(ms, before, stepMs) {
  const text = new Date(ms).toISOString();
  const day = text.slice(0, 10);
  if (stepMs >= DAY_MS) return day;
  const clock = text.slice(11, stepMs < 1_000 ? 23 : stepMs < 60_000 ? 19 : 16);
  const isNewDay = before === undefined || new Date(before).toISOString().slice(0, 10) !== day;
  return isNewDay ? `${clock}\n${day}` : clock;
}

/** `build(colour)` gives uPlot's series, scales, axes, bands and hooks; `read(data, index)` the text for a place under the pointer. */
export function createPlotFrame(box, { build, read }) {
  const readout = document.createElement('output');
  readout.className = 'readout';
  readout.hidden = true;
  let plot = null;
  let data = null;

  const size = () => ({ width: Math.max(80, box.clientWidth - 10), height: Math.max(80, box.clientHeight - 8) });
  const onCursor = ({ cursor: { idx } }) => {
    const text = data === null || idx === null || idx === undefined ? '' : read(data, idx);
    readout.hidden = text === '';
    readout.textContent = text;
  };
  const rebuild = () => {
    plot?.destroy();
    plot = null;
    if (data === null) return;
    const options = build(themeColours());
    plot = new uPlot(
      {
        ...size(),
        ms: 1,
        tzDate: (ms) => uPlot.tzDate(new Date(ms), UTC),
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        padding: [10, 30, 0, 0],
        ...options,
        hooks: { ...options.hooks, setCursor: [onCursor] },
      },
      data,
      box,
    );
  };
  new ResizeObserver(() => plot?.setSize(size())).observe(box);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', rebuild);

  return {
    /** Draws columns of data. */
    show(next) {
      const first = data === null;
      data = next;
      if (first) {
        box.replaceChildren(readout);
        rebuild();
      } else plot.setData(data);
    },
    /** Takes the plot away and shows a sentence. */
    clear(text) {
      data = null;
      rebuild();
      const empty = document.createElement('p');
      empty.className = 'empty';
      empty.textContent = text;
      box.replaceChildren(empty);
    },
  };
}
