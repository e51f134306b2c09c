// The version of the API server, which changes only by an upgrade: read in the background, so that no review of a running
// webhook waits for it.
import type { ServerVersion } from '../../kubernetes/server-version.ts'

/** The version is read again after this time, because API servers are upgraded. */
const LIFE_MS = 600_000

/** How long a review waits for the first version. */
const PATIENCE_MS = 1_000

export class KnownVersion {
  readonly #read: () => Promise<ServerVersion>
  #known: ServerVersion | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<ServerVersion | undefined> | undefined

  constructor(read: () => Promise<ServerVersion>) {
    this.#read = read
  }

  /**
   * The version that was read last. It is waited for only if none was read yet.
   *
   * @returns `undefined` if none can be read now
   */
  async get(): Promise<ServerVersion | undefined> {
    if (performance.now() - this.#readAt < LIFE_MS) return this.#known
    this.#reading ??= this.#readAgain()
    return this.#known ?? withPatience(this.#reading)
  }

  /** Keeps the old version if there is no answer: then the next review asks again. */
  async #readAgain(): Promise<ServerVersion | undefined> {
    try {
      this.#known = await this.#read()
      this.#readAt = performance.now()
    } catch {
      // Without a version a pod gets an ordinary container, which every version of Kubernetes runs.
    } finally {
      this.#reading = undefined
    }
    return this.#known
  }
}

async function withPatience<T>(work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), PATIENCE_MS)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
