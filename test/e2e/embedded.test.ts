import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { generatedTicks } from '@tideline/streams';
import { tideline } from './command.ts';

interface Summary {
  readonly records: number;
  readonly forecasts: number;
  readonly series: number;
  readonly deadLetters: number;
  readonly digest: string;
}

async function runOnce(
  args: readonly string[],
  options: { readonly cwd: string; readonly input?: string },
): Promise<Summary> {
  const { code, stdout, stderr } = await tideline(['demo', '--once', '--summary', 'json', ...args], options);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Summary;
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-embedded-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('two runs over the demo data give one digest, no dead letters and every forecast', () =>
  inFolder(async (cwd) => {
    const first = await runOnce([], { cwd });
    const second = await runOnce([], { cwd });
    assert.equal(second.digest, first.digest);
    assert.equal(first.deadLetters, 0);
    assert(first.records > 20_000 && first.series > 100);
    const calls = 180;
    assert(
      first.forecasts > 2 * (first.records - 25 * calls),
      'every tick has a forecast for each of its two horizons',
    );
  }));

test('records on standard input are forecast, and what cannot be read becomes a dead letter', () =>
  inFolder(async (cwd) => {
    const ticks = [...generatedTicks({ seed: 5, symbols: 4, records: 300 })].map(({ value }) => value);
    const input = [...ticks.slice(0, 100), 'no json', '{"symbol":"A","ts":1700000000000}', ...ticks.slice(100)].join(
      '\n',
    );
    const summary = await runOnce(['--file', '-', '--topic', 'ticks'], { cwd, input });
    assert.deepEqual([summary.records, summary.forecasts, summary.deadLetters], [300, 600, 2]);
  }));
