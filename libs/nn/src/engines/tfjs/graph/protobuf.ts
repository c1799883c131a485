/** The little of protocol buffers' wire format that a graph needs: https://protobuf.dev/programming-guides/encoding */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** A field of bytes, text or an encoded message. */
export function bytesField(field: number, value: Uint8Array | string): Uint8Array {
  const content = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return message([key(field, LENGTH_DELIMITED), varint(content.length), content]);
}

/** A field of a whole number, 0 or more. */
export function intField(field: number, value: number): Uint8Array {
  return message([key(field, VARINT), varint(value)]);
}

/** A field of a float32. */
export function floatField(field: number, value: number): Uint8Array {
  const encoded = Buffer.alloc(4);
  encoded.writeFloatLE(value);
  return message([key(field, FIXED_32), encoded]);
}

/** Fields one after the other. */
export function message(fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

function key(field: number, wireType: number): Uint8Array {
  return varint(field * 8 + wireType);
}

function varint(value: number): Uint8Array {
  const encoded: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) encoded.push((rest % 128) + 128);
  return Uint8Array.from([...encoded, rest]);
}
