/** Text of a record for a terminal: control characters, which could move its cursor or worse, are shown as escapes. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** The bytes as text, or null where they are no UTF-8. */
export function utf8OrNull(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Bytes for a terminal: text where they are text, else hexadecimal. */
export function printableBytes(bytes: Uint8Array | null): string {
  if (bytes === null) return '(none)';
  const text = utf8OrNull(bytes);
  return text === null ? `0x${Buffer.from(bytes).toString('hex')}` : printable(text);
}
