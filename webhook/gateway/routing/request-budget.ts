// The memory that the requests of a namespace may take until their answers are sent. A few clients that ask for long answers and do
// not read them, or for many MiniClusters at once, would else take all there is.
import type { ServerResponse } from 'node:http'
import { FairShare } from '#serving/limits/fair-share.ts'
import { unavailable } from '#serving/status.ts'
import { quote } from '#serving/text.ts'

/** Of all requests. A namespace gets half of it if it is alone: eight times 512 MiniClusters, or 60 of the longest answers. */
const TOTAL_BYTES = 32 * 2 ** 20

/** What one request takes. */
export interface RequestShare {
  /** @throws StatusError 503 if its namespace has no more */
  take(bytes: number): void
}

export class RequestBudget {
  readonly #share: FairShare

  constructor(totalBytes = TOTAL_BYTES) {
    this.#share = new FairShare(totalBytes)
  }

  /** Bytes. */
  get used(): number {
    return this.#share.used
  }

  /** The share of a request, until its answer is sent. */
  open(response: ServerResponse, namespace: string): RequestShare {
    const share = this.#share
    let taken = 0
    response.once('close', () => share.giveBack(namespace, taken))
    return {
      take(bytes) {
        // Nobody reads the answer any more.
        if (response.closed) return
        if (!share.take(namespace, bytes)) {
          const why = 'requests that are under way there take the memory for it'
          throw unavailable(`Cannot answer about namespace ${quote(namespace)} now: ${why}`)
        }
        taken += bytes
      },
    }
  }
}
