// Cuts a stream of bytes into lines. A line is bounded, and decoded only when it is whole: a chunk may end within a
// character.

const LINE_FEED = 0x0a

/** The text of each whole line. A last line without its end was cut off: it is left out. */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const last = chunk.subarray(start, end)
      bound(length + last.length, maxBytes)
      const line = length === 0 ? last : Buffer.concat([...parts, last])
      parts = []
      length = 0
      start = end + 1
      if (line.length > 0) yield line.toString('utf8')
    }
    if (start === chunk.length) continue
    parts.push(chunk.subarray(start))
    length += chunk.length - start
    bound(length, maxBytes)
  }
}

function bound(length: number, maxBytes: number): void {
  if (length > maxBytes) throw new Error(`a line has more than ${maxBytes} bytes`)
}
