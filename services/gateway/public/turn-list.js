/** The turns of a call, newest last: who spoke, how it sounded, and what was said where texts are kept. */
import { percent, score, time } from './format.js';
import { arrange, element, setText } from './row-list.js';

const CLASSES = ['negative', 'neutral', 'positive'];
/** Closer to the end than this, the list follows the call. */
const END_PX = 24;

function createTurn() {
  const node = element('li', 'turn');
  const who = element('b', '');
  const when = element('time', '');
  const mood = element('span', 'mood');
  const bar = element('span', 'bar');
  const parts = CLASSES.map((name) => element('i', name));
  bar.append(...parts);
  const text = element('p', '');
  const worth = element('span', 'worth');
  const head = element('div', 'turn-head');
  head.append(who, when, bar, mood, worth);
  node.append(head, text);
  return { node, who, when, mood, bar, parts, text, worth };
}

function fill(turn, { timeMs, speaker, score: value, probabilities, satisfaction, text }) {
  turn.node.dataset.speaker = speaker === 'customer' ? 'customer' : 'agent';
  setText(turn.who, speaker);
  setText(turn.when, time(timeMs, 0).slice(11, 19));
  const rating = satisfaction === null ? '' : ` · ${satisfaction.toFixed(1)} of 5 next`;
  setText(turn.mood, `${score(value)}${rating}`);
  turn.bar.hidden = probabilities === null;
  turn.bar.title = (probabilities ?? []).map((share, i) => `${CLASSES[i]} ${percent(share)}`).join(', ');
  (probabilities ?? []).forEach((share, i) => {
    turn.parts[i].style.flexGrow = share;
  });
  turn.text.hidden = text === undefined;
  setText(turn.text, text ?? '');
}

/** `note`: where to say that texts are not kept. */
export function createTurnList(list, note) {
  const turns = new Map();
  return {
    /** `decisive`: time of a row -> what the turn was worth for the end of the call. */
    show(rows, decisive = new Map()) {
      const follows = list.scrollHeight - list.scrollTop - list.clientHeight < END_PX;
      const keys = new Set(rows.map(({ timeMs }) => timeMs));
      for (const [key, { node }] of turns)
        if (!keys.has(key)) {
          node.remove();
          turns.delete(key);
        }
      const shown = rows.map((row) => {
        const turn = turns.get(row.timeMs) ?? createTurn();
        turns.set(row.timeMs, turn);
        if (turn.row !== row) fill(turn, row);
        turn.row = row;
        const mark = decisive.get(row.timeMs);
        turn.node.classList.toggle('decisive', mark !== undefined);
        setText(turn.worth, mark === undefined ? '' : `decisive ${score(mark.effect)}`);
        return turn.node;
      });
      arrange(list, shown);
      note.hidden = rows.length === 0 || rows.some(({ text }) => text !== undefined);
      if (follows) list.scrollTop = list.scrollHeight;
    },
    /** Scrolls to the turn of a row and points at it. */
    point(timeMs) {
      const turn = turns.get(timeMs);
      if (turn === undefined) return;
      list.scrollTop = turn.node.offsetTop - list.offsetTop - END_PX;
      turn.node.classList.remove('pointed');
      requestAnimationFrame(() => turn.node.classList.add('pointed'));
    },
  };
}
