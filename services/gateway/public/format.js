/** Numbers and times as people read them. */

const GROUPED = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export function count(value) {
  if (value === null || value === undefined) return '–';
  return value < 1e6 ? GROUPED.format(value) : COMPACT.format(value);
}

/** A price with four significant digits or more, never fewer than two decimals below 10,000. */
export function price(value) {
  const size = Math.abs(value);
  const digits = size >= 10_000 ? 0 : size >= 10 ? 2 : size >= 0.1 ? 4 : 8;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Below this a change reads as none. */
const CHANGE_MIN = 0.05e-4;

/** Where a value goes: 1, -1, or 0 where the change reads as none. */
export function direction(from, to) {
  const part = to / from - 1;
  return Math.abs(part) < CHANGE_MIN ? 0 : Math.sign(part);
}

/** A change from `from` to `to` in per cent, signed; in basis points where it is small. */
export function change(from, to) {
  const percent = (to / from - 1) * 100;
  if (!Number.isFinite(percent)) return '';
  const size = Math.abs(percent);
  const text = size < 0.1 ? `${(size * 100).toFixed(1)} bp` : `${size.toFixed(2)} %`;
  if (direction(from, to) === 0) return text;
  return percent > 0 ? `+${text}` : `−${text}`;
}

/** -1..1, signed. */
export function score(value) {
  const text = Math.abs(value).toFixed(2);
  return value < 0 && text !== '0.00' ? `−${text}` : `+${text}`;
}

export function percent(value) {
  return `${Math.round(value * 100)} %`;
}

/** Event time, UTC: a date for days and more, otherwise the time of day. */
export function time(ms, spanMs) {
  const text = new Date(ms).toISOString();
  if (spanMs > 3 * 86_400_000) return text.slice(0, 10);
  return `${text.slice(0, 10)} ${text.slice(11, spanMs < 60_000 ? 23 : 19)}`;
}

/** A duration in its largest fitting unit. */
export function duration(ms) {
  const units = [
    ['day', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ];
  const [name, size] = units.find(([, size]) => ms >= size) ?? ['ms', 1];
  const amount = Math.round((ms / size) * 10) / 10;
  return `${amount} ${name === 'day' && amount !== 1 ? 'days' : name}`;
}

/** A horizon as people read it: a number of records, or a time such as `10s`. */
export function horizonText(horizon) {
  return String(horizon).replace(/(\d)([a-z])/, '$1 $2');
}
