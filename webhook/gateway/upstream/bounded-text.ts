// Reads the body of an answer as text, up to a length.
import type { IncomingMessage } from 'node:http'

export class AnswerTooLong extends Error {
  override readonly name = 'AnswerTooLong'
}

/** Answers about some pods are shorter. */
const LONG_BYTES = 64 * 1024

/**
 * @param onLong called once if the answer is long; until it resolves, the rest stays with the server
 * @throws AnswerTooLong, or Error if the answer is not complete
 */
export async function readBoundedText(
  answer: IncomingMessage,
  maxBytes: number,
  onLong: () => Promise<void> = async () => {},
): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer) {
    if (length <= LONG_BYTES && length + chunk.length > LONG_BYTES) await onLong()
    length += chunk.length
    if (length > maxBytes)
      throw new AnswerTooLong(`its answer has more than ${maxBytes / 1024 / 1024} MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length).toString('utf8')
}
