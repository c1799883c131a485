import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './peers.ts';
import type { BenchResult } from './result.ts';
import { tablesOf } from './tables.ts';

export const DOCS_FILE = join(ROOT, 'docs', 'benchmarks.md');
const BEGIN = '<!-- engines: written by `npm run bench -- engines --write-docs` -->';
const END = '<!-- engines: end -->';

/** Puts the result's tables in their place of docs/benchmarks.md; what else the page says stays. */
export function writeDocs(result: BenchResult): void {
  const page = existsSync(DOCS_FILE)
    ? readFileSync(DOCS_FILE, 'utf8')
    : `# Benchmarks\n\n## Engines\n\n${BEGIN}\n${END}\n`;
  writeFileSync(DOCS_FILE, withTables(page, tablesOf(result)));
}

/** The page with `tables` between its marks. Throws Error where the marks are gone. */
export function withTables(page: string, tables: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`docs/benchmarks.md has lost the lines '${BEGIN}' and '${END}'.`);
  return `${page.slice(0, begin + BEGIN.length)}\n${tables}\n\n${page.slice(end)}`;
}
