// The text of a stream, if it is not too long: whoever is asked may send without end.

/** @returns `undefined` if it is too long: then the stream is destroyed, and the rest is not read */
export async function boundedText(
  stream: AsyncIterable<Buffer>,
  mib: number,
): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    length += chunk.length
    if (length > mib * 2 ** 20) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
