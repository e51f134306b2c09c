// The memory that long answers of sidecars may take while they are read, shared between namespaces. Explanations have
// hundreds of kilobytes, and every user who may read metrics can ask for those of all MiniClusters at once. What is sent on has a
// bound of its own (routing/request-budget.ts).
import { FairShare } from '#serving/limits/fair-share.ts'
import { unavailable } from '#serving/status.ts'
import type { AnswerShare } from '../connections/exchange.ts'
import { AskError } from './ask-error.ts'

export interface AnswerLimits {
  readonly bytes: number
  /** The first bytes of each answer, which are not counted: how many there are is limited elsewhere. */
  readonly uncountedBytes: number
}

/**
 * Dozens of explanations of large MiniClusters; a namespace gets half of it if it is alone. The metrics of HPAs have 400 bytes,
 * and always find room.
 */
const LIMITS: AnswerLimits = { bytes: 8 * 2 ** 20, uncountedBytes: 16 * 2 ** 10 }

export class AnswerBudget {
  readonly #limits: AnswerLimits
  readonly #share: FairShare

  constructor(limits: AnswerLimits = LIMITS) {
    this.#limits = limits
    this.#share = new FairShare(limits.bytes)
  }

  /** What all answers take now, without what is not counted. */
  get bytes(): number {
    return this.#share.used
  }

  /** @param about opens the sentence of the error: `MiniCluster ns/name` */
  open(namespace: string, about: string): AnswerShare {
    const { uncountedBytes } = this.#limits
    let length = 0
    let counted = 0
    return {
      grow: (bytes) => {
        const more = Math.max(0, length + bytes - uncountedBytes) - counted
        if (more > 0) this.#take(namespace, more, about)
        length += bytes
        counted += more
      },
      close: () => {
        this.#share.giveBack(namespace, counted)
        counted = 0
      },
    }
  }

  #take(namespace: string, bytes: number, about: string): void {
    if (this.#share.take(namespace, bytes)) return
    const all = `${mib(this.#share.used)} of ${mib(this.#limits.bytes)} MiB`
    const message = `${about}: there is no room for its answer: the long answers that come in have ${all}, and those of this namespace as much as is free; ask again`
    throw new AskError('overload', unavailable(message))
  }
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1).replace(/\.0$/, '')
}
