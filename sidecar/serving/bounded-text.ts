// Reads the text of a stream, up to a length: whoever is asked may answer without end.

/** What is read of a long text. */
export interface LongText {
  /** A text with more bytes is long. */
  readonly bytes: number
  /** Called once; until it resolves, the rest stays with the sender. */
  readonly begin: () => Promise<void>
}

/**
 * @returns `undefined` if it has more bytes: then the stream is destroyed, and the rest is not read
 * @throws Error if the stream breaks off
 */
export async function readBoundedText(
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
  long?: LongText,
): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    const before = length
    length += chunk.length
    if (length > maxBytes) return undefined
    chunks.push(chunk)
    if (long !== undefined && before <= long.bytes && length > long.bytes) await long.begin()
  }
  return Buffer.concat(chunks, length).toString('utf8')
}
