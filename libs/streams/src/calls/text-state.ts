/** Short texts inside a float64 state: 6 bytes a number, which a double holds exactly. The state stays one flat array that needs no side table. */

const BYTES_A_NUMBER = 6;

/** float64 values that a text of at most `bytesMax` bytes takes. */
export function textStateSize(bytesMax: number): number {
  return Math.ceil(bytesMax / BYTES_A_NUMBER);
}

/** Writes the first bytes of `text` (whole characters only) that fit into `size` numbers at `at`. */
export function writeText(state: Float64Array, at: number, size: number, text: string): void {
  const bytes = Buffer.alloc(size * BYTES_A_NUMBER);
  bytes.write(text, 'utf8'); // writes no part of a character
  for (let i = 0; i < size; i += 1) state[at + i] = bytes.readUIntLE(i * BYTES_A_NUMBER, BYTES_A_NUMBER);
}

export function readText(state: Float64Array, at: number, size: number): string {
  const bytes = Buffer.alloc(size * BYTES_A_NUMBER);
  for (let i = 0; i < size; i += 1) bytes.writeUIntLE(state[at + i], i * BYTES_A_NUMBER, BYTES_A_NUMBER);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}
