/** Alerts, newest first, those that nobody has taken on before the others; each is taken on with a name and a note. */
import { time } from './format.js';
import { arrange, element, setText } from './row-list.js';

const NAME_KEY = 'tideline-name';

function field(label, name, maxLength) {
  const node = element('label', '', label);
  const input = document.createElement('input');
  Object.assign(input, { name, maxLength, autocomplete: name === 'by' ? 'name' : 'off' });
  node.append(input);
  return { node, input };
}

/** The form of one alert. `send({by, note})` resolves with a problem's text, or '' where it was kept. */
function createForm(send) {
  const form = element('form', 'acknowledge');
  const by = field('Your name', 'by', 80);
  const note = field('Note', 'note', 500);
  const button = element('button', 'primary', 'Acknowledge');
  const problem = element('p', 'problem');
  problem.setAttribute('role', 'alert');
  by.input.required = true;
  by.input.value = localStorage.getItem(NAME_KEY) ?? '';
  form.append(by.node, note.node, button, problem);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    localStorage.setItem(NAME_KEY, by.input.value.trim());
    button.disabled = true;
    setText(problem, await send({ by: by.input.value, note: note.input.value }));
    button.disabled = false;
  });
  return { form, focus: () => (by.input.value === '' ? by.input : note.input).focus() };
}

async function acknowledge(id, body) {
  try {
    const response = await fetch(`api/alerts/${encodeURIComponent(id)}/acknowledgement`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (response.ok) return '';
    const { detail = `The gateway answered ${response.status}.` } = await response.json();
    return detail;
  } catch {
    return 'The gateway does not answer: try again.';
  }
}

function createAlert(onPick) {
  const node = element('li', 'alert');
  const rule = element('b', 'rule');
  const call = element('button', 'link');
  call.type = 'button';
  const reason = element('span', 'reason');
  const where = element('small', '');
  const open = element('button', 'small', 'Acknowledge');
  open.type = 'button';
  open.setAttribute('aria-expanded', 'false');
  const taken = element('span', 'taken');
  const row = { node, rule, call, reason, where, open, taken, form: null, alert: null };
  const text = element('div', 'alert-text');
  const line = element('div', 'alert-line');
  line.append(rule, call, where);
  text.append(line, reason);
  node.append(text, open, taken);
  call.addEventListener('click', () => onPick(row.alert));
  open.addEventListener('click', () => {
    const isOpen = row.form !== null;
    row.form?.form.remove();
    row.form = isOpen ? null : createForm((body) => acknowledge(row.alert.id, body));
    open.setAttribute('aria-expanded', String(!isOpen));
    setText(open, isOpen ? 'Acknowledge' : 'Cancel');
    if (row.form === null) return;
    node.append(row.form.form);
    row.form.focus();
  });
  return row;
}

function fill(row, alert) {
  const { rule, severity, series, queue, agent, reason, timeNs, acknowledgement } = alert;
  row.alert = alert;
  row.node.dataset.severity = severity;
  row.node.dataset.taken = String(acknowledgement !== null);
  setText(row.rule, rule);
  setText(row.call, series);
  const who = [queue, agent].filter((name) => name !== '' && name !== 'unknown').join(' · ');
  setText(row.where, `${who}${who === '' ? '' : ' · '}${time(Number(BigInt(timeNs) / 1_000_000n), 3_600_000)}`);
  setText(row.reason, reason);
  row.open.hidden = acknowledgement !== null;
  row.open.setAttribute('aria-label', `${row.form === null ? 'Acknowledge' : 'Cancel'} ${rule} of ${series}`);
  setText(
    row.taken,
    acknowledgement === null
      ? ''
      : `✓ ${acknowledgement.by}${acknowledgement.note === '' ? '' : `: ${acknowledgement.note}`}`,
  );
  if (acknowledgement === null || row.form === null) return;
  row.form.form.remove();
  row.form = null;
  row.open.setAttribute('aria-expanded', 'false');
  setText(row.open, 'Acknowledge');
}

/** Open ones first, then by time, newest first. */
export function byUrgency(alerts) {
  const isTaken = ({ acknowledgement }) => Number(acknowledgement !== null);
  const newer = (a, b) =>
    a.timeNs === b.timeNs ? (a.id < b.id ? -1 : 1) : BigInt(a.timeNs) < BigInt(b.timeNs) ? 1 : -1;
  return [...alerts].sort((a, b) => isTaken(a) - isTaken(b) || newer(a, b));
}

/** `onPick(alert)` when its call is chosen. */
export function createAlertList(list, onPick) {
  const rows = new Map();
  return {
    show(alerts) {
      const ids = new Set(alerts.map(({ id }) => id));
      for (const [id, { node }] of rows)
        if (!ids.has(id)) {
          node.remove();
          rows.delete(id);
        }
      const shown = alerts.map((alert) => {
        const row = rows.get(alert.id) ?? createAlert(onPick);
        rows.set(alert.id, row);
        if (row.alert !== alert) fill(row, alert);
        return row.node;
      });
      arrange(list, shown);
    },
  };
}
