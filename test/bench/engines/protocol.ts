/**
 * How a contestant is spoken to: it is a process of its own, one line of JSON a request on its stdin, one line of JSON an answer on its stdout.
 * So no contestant's memory, threads or compiled code disturb another's, and it is all the same whether it is Node or Python.
 */
import type { ModelSpec } from '@tideline/nn';
import type { Form } from './cases.ts';

/** Makes the case ready, from zero states; where there are several ways, tries them and keeps the fastest. */
export interface LoadRequest {
  readonly do: 'load';
  readonly spec: ModelSpec;
  readonly form: Form;
  readonly batch: number;
  readonly length: number;
  /** File of the model's tensors: float32, little-endian, in the order of `tensorShapes`. */
  readonly weights: string;
  /** Shapes of the tensors in that file, with PyTorch's names. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** File of the inputs: float32, [sets][rows][inputSize]. */
  readonly inputs: string;
  readonly sets: number;
  /** ONNX files of the case by the name of their form. */
  readonly graphs: Readonly<Record<string, string>>;
}

/** From zero states: `calls` calls with the input sets 0, 1, ... */
export interface CheckRequest {
  readonly do: 'check';
  readonly calls: number;
}

/** Calls until `ms` have passed, `callsMin` at least, after `warmMs` of calls that do not count. */
export interface SliceRequest {
  readonly do: 'slice';
  readonly ms: number;
  readonly warmMs: number;
  readonly callsMin: number;
  /** Whether every call is timed by itself. */
  readonly each: boolean;
}

export interface DropRequest {
  readonly do: 'drop';
}

export type Request = LoadRequest | CheckRequest | SliceRequest | DropRequest;

/** First line of a contestant. */
export interface Hello {
  readonly version: string;
}

export interface Loaded {
  /** Which of its ways the contestant chose; empty where it has one. */
  readonly variant: string;
}

export interface Checked {
  /** float32 in base64: the outputs of every call, [calls][outputRows][outputSize]. */
  readonly outputs: string;
}

export interface Sliced {
  readonly calls: number;
  readonly ns: number;
  /** Processor time of all the contestant's threads: what others on the machine take from it does not count. */
  readonly processorNs: number;
  /** ns of each call, where they were asked for. */
  readonly each: readonly number[];
}

export interface Refused {
  readonly error: string;
}
