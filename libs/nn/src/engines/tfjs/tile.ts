import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { Backend } from './backend.ts';
import type { Network } from './network.ts';

const TRIALS = 8;

/**
 * Rows of a tile at which this network gives a row the same bits wherever it stands: the first of the backend's sizes that does.
 *
 * Matrix libraries take the rows left over by their blocks through another kernel, which rounds differently: on one AVX2 processor the last 2
 * of 32 rows, 5 blocks of 6 and 2 left, came out one unit in the last place off, and those of 16 or 64 did not. Which size is free of that
 * depends on processor, library and shapes, not on values, so it is tried: a tile of one row repeated must give one result repeated. One row
 * a tile, the last size, is free of it by construction.
 */
export function invariantTileRows(options: {
  readonly backend: Backend;
  readonly network: Network;
  /** Values of a row that goes in. */
  readonly width: number;
}): number {
  const { backend, network, width } = options;
  const { tf, tileRowsTried, padsTiles } = backend;
  const isInvariant = (rows: number): boolean =>
    Array.from({ length: TRIALS }, (_, trial) => trial).every((trial) => {
      const row = Float32Array.from({ length: width }, (_, i) => Math.sin((trial + 1) * 12.9898 + i * 78.233));
      const tile = new Float32Array(rows * width);
      for (let r = 0; r < rows; r += 1) tile.set(row, r * width);
      const uploaded: Tensor2D = tf.tensor2d(tile, [rows, width]);
      const advanced = tf.tidy(() => network.advance(uploaded));
      const result = advanced.dataSync() as Float32Array;
      uploaded.dispose();
      advanced.dispose();
      return isRepeated(result, result.length / rows);
    });
  return (padsTiles ? tileRowsTried.find(isInvariant) : tileRowsTried[0]) ?? 1;
}

function isRepeated(values: Float32Array, period: number): boolean {
  return values.every((value, i) => Object.is(value, values[i % period]));
}
