import type { CallCurve, CurveTurn } from './call-curve.ts';

const TEXT_WIDTH = 60;
const FIGURES = ['score', 'escalation', 'dissatisfied'] as const;

/** The curve as a table; beside `other`, what would have been: each figure, that of the other call, and the difference. */
export function curveText(curve: CallCurve, other: CallCurve | null): string {
  const names = FIGURES.filter((name) => curve.turns.some(({ figures }) => name in figures));
  const others = new Map(other?.turns.map((turn) => [turn.turn, turn]));
  const heads = names.flatMap((name) => (other === null ? [name] : [name, 'what if', 'change']));
  const rows = [
    ['turn', 'speaker', ...heads, 'text'],
    ...curve.turns.map((turn) => {
      const changed = others.get(turn.turn);
      return [
        ...[String(turn.turn), turn.speaker],
        ...names.flatMap((name) => cellsOf(turn, name, other === null ? null : { changed })),
        wordsOf(turn, changed),
      ];
    }),
  ];
  return `${tableOf(rows)}\n${summaryText('Summary', curve)}${other === null ? '' : summaryText('What if', other)}`;
}

function cellsOf(
  { figures }: CurveTurn,
  name: string,
  beside: { readonly changed: CurveTurn | undefined } | null,
): string[] {
  const was = shown(figures[name]);
  if (beside === null) return [was];
  const value = beside.changed?.figures[name];
  if (value === undefined) return [was, '-', ''];
  const change = value - figures[name];
  return [was, shown(value), change === 0 ? '' : `${change > 0 ? '+' : ''}${change.toFixed(2)}`];
}

function wordsOf({ text, alerts }: CurveTurn, changed: CurveTurn | undefined): string {
  const words =
    changed !== undefined && changed.text !== text ? `${short(text)} -> ${short(changed.text)}` : short(text);
  const told = alerts.length > 0 ? `  [alert: ${alerts.join(', ')}]` : '';
  const would = changed === undefined || changed.alerts.join() === alerts.join() ? '' : alertsIf(changed);
  return `${words}${told}${would}`;
}

function alertsIf({ alerts }: CurveTurn): string {
  return alerts.length === 0 ? '  [what if: no alert]' : `  [what if: alert ${alerts.join(', ')}]`;
}

function summaryText(title: string, { summary }: CallCurve): string {
  if (summary === null) return `${title}: the call is not over.\n`;
  const { class: kind, score, satisfaction, decisive_1, decisive_2, decisive_3, categories } = summary;
  const decisive = [decisive_1, decisive_2, decisive_3].filter((turn) => turn !== undefined).join(', ');
  const lines = [1, 2, 3, 4].map((i) => summary[`line_${i}`]).filter((line) => line !== undefined && line !== '');
  const about = categories === undefined || categories === '' ? '' : `; about ${categories}`;
  const rating = typeof satisfaction === 'number' ? `; satisfaction ${satisfaction.toFixed(1)} of 5` : '';
  return [
    `${title}: ${kind} (${shown(Number(score))})${rating}; decisive turns ${decisive}${about}`,
    ...lines.map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : at < 2 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
      .join('  ');
  return `${rows.map(line).join('\n')}\n`;
}

function shown(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(2);
}

function short(text: string): string {
  return text.length > TEXT_WIDTH ? `${text.slice(0, TEXT_WIDTH - 3)}...` : text;
}
