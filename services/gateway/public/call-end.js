/** What was found of a call that is over: how it ended, the rating to expect, the turns that decided, and what was said. */
import { duration, percent, score } from './format.js';
import { element, setText } from './row-list.js';

const ENDED_BY = { ended: 'ended', silent: 'fell silent', restarted: 'begun anew' };

/** `onTurn(number)`: one of the decisive turns was picked. */
export function createCallEnd(box, onTurn) {
  const head = element('p', 'call-end-head');
  const mood = element('b', '');
  const rest = element('span', '');
  head.append(mood, ' ', rest);
  const decisive = element('p', 'call-end-decisive');
  const lines = element('ol', 'call-end-lines');
  const categories = element('p', 'call-end-categories');
  box.append(head, decisive, lines, categories);
  let shown;

  const fill = (end) => {
    const { sentiment, satisfaction, dissatisfied, endedBy, durationMs, turns } = end;
    mood.className = sentiment;
    setText(mood, `Over: ${sentiment} ${score(end.score)}`);
    const rating = `rating ${satisfaction.toFixed(1)} of 5 expected, ${percent(dissatisfied)} dissatisfied`;
    const words = turns === 1 ? '1 turn' : `${turns} turns`;
    setText(rest, `${rating} · ${words} in ${duration(durationMs)} · ${ENDED_BY[endedBy] ?? endedBy}`);
    decisive.hidden = end.decisive.length === 0;
    const buttons = end.decisive.map(({ turn, effect }) => {
      const button = element('button', 'small', `Turn ${turn} (${score(effect)})`);
      button.type = 'button';
      button.title = 'The score with this turn, less the score without it';
      button.addEventListener('click', () => onTurn(turn));
      return button;
    });
    decisive.replaceChildren('Decided by ', ...buttons);
    lines.hidden = end.lines.length === 0;
    lines.replaceChildren(...end.lines.map((line) => element('li', '', line)));
    categories.hidden = end.categories.length === 0;
    categories.replaceChildren(...end.categories.map((name) => element('span', 'category', name)));
  };

  return {
    /** null: the call goes on. */
    show(end) {
      box.hidden = end === null;
      if (end !== null && end !== shown) fill(end);
      shown = end;
    },
  };
}

/** Of rows that end with the call's last turn: the decisive ones, time of the row -> what the turn is worth. */
export function decisiveRows(rows, end) {
  const found = new Map();
  for (const { turn, effect } of end?.decisive ?? []) {
    const row = rows[rows.length - 1 - (end.turns - turn)];
    if (row !== undefined) found.set(row.timeMs, { turn, effect });
  }
  return found;
}
