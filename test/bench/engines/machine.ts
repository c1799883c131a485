import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import type { Machine } from './result.ts';

const GIB = 2 ** 30;
const VECTOR_FLAGS = ['avx512f', 'avx2', 'fma'];

export function describeMachine(): Machine {
  const vectors = vectorFlags();
  const model = cpus()[0]?.model.trim() ?? arch();
  return {
    processor: vectors === '' ? model : `${model} (${vectors})`,
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / GIB),
    system: `${type()} ${release().split('.').slice(0, 2).join('.')} ${arch()}`,
    node: process.versions.node,
  };
}

/** Which vector extensions the processor says that it has; empty where Linux does not tell. */
function vectorFlags(): string {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
    return VECTOR_FLAGS.filter((flag) => flags.includes(flag)).join(' ');
  } catch {
    return '';
  }
}
