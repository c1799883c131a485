import type { Table } from '@tideline/adapters';
import type { CallCurve } from './call-curve.ts';

/** A call's curve as rows, a row a turn; those of what would have been follow with `variant` 'what if'. Figures that a turn has not are empty. */
export function curveTable(call: string, curve: CallCurve, other: CallCurve | null): Table {
  const rows = [
    ...curve.turns.map((turn) => ({ variant: 'recorded', turn })),
    ...(other?.turns ?? []).map((turn) => ({ variant: 'what if', turn })),
  ];
  const figures = [...new Set(rows.flatMap(({ turn }) => Object.keys(turn.figures)))];
  return [
    { name: 'call', kind: 'text', values: rows.map(() => call) },
    { name: 'variant', kind: 'text', values: rows.map(({ variant }) => variant) },
    { name: 'turn', kind: 'number', values: rows.map(({ turn }) => turn.turn) },
    { name: 'time', kind: 'time', values: rows.map(({ turn }) => turn.timeMs) },
    { name: 'speaker', kind: 'text', values: rows.map(({ turn }) => turn.speaker) },
    { name: 'text', kind: 'text', values: rows.map(({ turn }) => turn.text) },
    ...figures.map((name) => ({
      ...{ name, kind: 'number' as const, values: rows.map(({ turn }) => turn.figures[name] ?? Number.NaN) },
    })),
    { name: 'alerts', kind: 'text', values: rows.map(({ turn }) => turn.alerts.join(' ')) },
  ];
}
