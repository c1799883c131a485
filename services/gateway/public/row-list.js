/** A list of buttons, one a series, updated in place: focus and scrolling stay where they are. */

const SPARK_WIDTH = 80;
const SPARK_HEIGHT = 26;
const SVG = 'http://www.w3.org/2000/svg';

/** `parts`: name -> {tag, className}; `fill(parts, item)` writes an item into them. `onPick(item)` when one is chosen. */
export function createRowList(list, { parts, fill, onPick, emptyText }) {
  /** key -> {element, parts, item} */
  const rows = new Map();
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: 'first', End: 'last' }[event.key];
    const buttons = [...list.querySelectorAll('button')];
    const at = buttons.indexOf(document.activeElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    const next = step === 'first' ? 0 : step === 'last' ? buttons.length - 1 : at + step;
    buttons[Math.max(0, Math.min(buttons.length - 1, next))].focus();
  });

  const create = (key) => {
    const element = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    const made = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part()]));
    button.append(...Object.values(made));
    element.append(button);
    const row = { element, button, parts: made, item: null };
    button.addEventListener('click', () => onPick(row.item));
    rows.set(key, row);
    return row;
  };

  return {
    /** Shows `items` ([{key, ...}]) in their order, `chosen` pressed. */
    show(items, chosen) {
      const keys = new Set(items.map(({ key }) => key));
      for (const [key, { element }] of rows)
        if (!keys.has(key)) {
          element.remove();
          rows.delete(key);
        }
      list.querySelector('.empty')?.remove();
      const shown = items.map(({ key }) => rows.get(key) ?? create(key));
      arrange(
        list,
        shown.map(({ element }) => element),
      );
      items.forEach((item, i) => {
        const row = shown[i];
        const isChosen = String(item.key === chosen);
        if (row.button.getAttribute('aria-pressed') !== isChosen) row.button.setAttribute('aria-pressed', isChosen);
        if (row.item === item) return;
        row.item = item;
        fill(row.parts, item);
      });
      if (items.length === 0) list.append(element('li', 'empty', emptyText()));
    },
  };
}

/** Puts nodes into their order in a list. Who types or stands in one that has to move goes on there. */
export function arrange(list, nodes) {
  const focused = document.activeElement;
  nodes.forEach((node, i) => {
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null);
  });
  if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
}

export function element(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** An empty sparkline. `range` null: from its lowest to its highest value. */
export function spark() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('viewBox', `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(SVG, 'line'), document.createElementNS(SVG, 'path'));
  return svg;
}

export function drawSpark(svg, values, range = null) {
  const [zero, path] = svg.children;
  const [low, high] = range ?? [Math.min(...values), Math.max(...values)];
  const y = (value) => SPARK_HEIGHT - 2 - ((value - low) / (high - low || 1)) * (SPARK_HEIGHT - 4);
  const x = (i) => (i / Math.max(1, values.length - 1)) * SPARK_WIDTH;
  path.setAttribute(
    'd',
    values.map((value, i) => `${i === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join(''),
  );
  if (range === null) return;
  for (const [name, value] of [
    ['x1', 0],
    ['x2', SPARK_WIDTH],
    ['y1', y(0)],
    ['y2', y(0)],
  ])
    zero.setAttribute(name, value);
}

/** Writes text where it differs: a selection by the reader stays. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
