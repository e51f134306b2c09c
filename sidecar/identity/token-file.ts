// The projected token of the pod, read anew for each request: the kubelet replaces it before it expires.
import { readFile } from 'node:fs/promises'
import { messageOf } from '#serving/text.ts'

/** A read takes a millisecond, unless the file system hangs. */
const TIMEOUT_MS = 5_000

export class TokenFile {
  readonly #path: string
  #reading: Promise<string> | undefined

  constructor(path: string) {
    this.#path = path
  }

  /**
   * The token. A read that hangs is waited for again at the next call: each new one would hold another of Node's four threads.
   *
   * @throws Error if the file cannot be read, or not in time
   */
  async read(): Promise<string> {
    this.#reading ??= readFile(this.#path, 'utf8').finally(() => {
      this.#reading = undefined
    })
    const late = Promise.withResolvers<never>()
    const error = new Error(
      `cannot read the token of this pod: "${this.#path}" has not been read in ${TIMEOUT_MS / 1000} s`,
    )
    const timer = setTimeout(() => late.reject(error), TIMEOUT_MS)
    try {
      return (await Promise.race([this.#reading, late.promise])).trim()
    } catch (cause) {
      if (cause === error) throw error
      throw new Error(`cannot read the token of this pod: ${messageOf(cause)}`, { cause })
    } finally {
      clearTimeout(timer)
    }
  }
}
