import type { Tensor2D } from '@tensorflow/tfjs-core';
import { headInputSizeOf, type Model, recurrentInputSizeOf, stateSizeOf } from '../../model.ts';
import type { TensorFlow } from './backend.ts';
import { createLayer, type LayerState, transposed } from './cells.ts';

/** A whole model as ops: its weights as tensors of the backend in force when it was created. */
export interface Network {
  /** One step. [B][stateSize + inputSize] to [B][stateSize + outputSize], states laid out as `stateSizeOf` says. Call it inside `tidy`. */
  advance(tile: Tensor2D): Tensor2D;
  dispose(): void;
}

export function createNetwork(model: Model, tf: TensorFlow): Network {
  const { spec, weights } = model;
  const { layers, hiddenSize, inputSize, outputSize, skipConnection } = spec;
  const owned: Tensor2D[] = [];
  const cells = weights.layers.map((layer, l) =>
    createLayer({ tf, spec, inputSize: l === 0 ? recurrentInputSizeOf(spec) : hiddenSize, weights: layer, owned }),
  );
  const headW = transposed({ tf, owned, w: weights.headW, rows: outputSize, columns: headInputSizeOf(spec) });
  const headB = tf.tensor2d(weights.headB, [1, outputSize]);
  owned.push(headB);
  const { inputW, inputB } = weights;
  const before =
    inputW && inputB
      ? {
          w: transposed({ tf, owned, w: inputW, rows: inputB.length, columns: inputSize }),
          b: tf.tensor2d(inputB, [1, inputB.length]),
        }
      : null;
  if (before) owned.push(before.b);
  const activate = spec.inputActivation === 'relu' ? tf.relu<Tensor2D> : tf.tanh<Tensor2D>;
  const stateParts = stateSizeOf(spec) / hiddenSize;
  const sizes = [...Array.from({ length: stateParts }, () => hiddenSize), inputSize];
  return {
    advance: (tile) => {
      const parts = tf.split<Tensor2D>(tile, sizes, 1);
      const given = parts[stateParts];
      const sum = before ? (tf.add(tf.matMul(given, before.w), before.b) as Tensor2D) : given;
      const v = before ? activate(sum) : sum;
      let x = v;
      const after: LayerState[] = cells.map((cell, l) => {
        const state = cell(x, { h: parts[l], c: spec.cell === 'lstm' ? parts[layers + l] : null });
        x = state.h;
        return state;
      });
      const head = tf.add(tf.matMul(skipConnection ? (tf.concat([x, v], 1) as Tensor2D) : x, headW), headB) as Tensor2D;
      const carried = after.flatMap(({ c }) => (c ? [c] : []));
      return tf.concat([...after.map(({ h }) => h), ...carried, head], 1);
    },
    dispose: () => {
      for (const tensor of owned.splice(0)) tensor.dispose();
    },
  };
}
