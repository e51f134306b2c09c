// The memory that long answers of sidecars may take while they are read, all together and those of one namespace. Explanations have
// hundreds of kilobytes, and every user who may read metrics can ask for those of all MiniClusters at once. What is sent on has a
// bound of its own (routing/room.ts).
import { unavailable } from '#serving/status.ts'
import { AskError } from './ask-error.ts'

export interface AnswerLimits {
  readonly bytes: number
  readonly namespaceBytes: number
  /** The first bytes of each answer, which are not counted: how many there are is limited elsewhere. */
  readonly uncountedBytes: number
}

/** Dozens of explanations of large MiniClusters. The metrics of HPAs have 400 bytes, and always find room. */
const LIMITS: AnswerLimits = {
  bytes: 8 * 2 ** 20,
  namespaceBytes: 4 * 2 ** 20,
  uncountedBytes: 16 * 2 ** 10,
}

/** The memory of one answer. */
export interface AnswerShare {
  /**
   * Takes more memory.
   *
   * @throws AskError 503 if there is none: nothing was taken
   */
  grow(bytes: number): void
  /** Frees all. */
  close(): void
}

export class AnswerBudget {
  readonly #limits: AnswerLimits
  /** What is counted of each namespace. */
  readonly #namespaces = new Map<string, number>()
  #bytes = 0

  constructor(limits: AnswerLimits = LIMITS) {
    this.#limits = limits
  }

  /** What all answers take now, without what is not counted. */
  get bytes(): number {
    return this.#bytes
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
        this.#add(namespace, -counted)
        counted = 0
      },
    }
  }

  #take(namespace: string, bytes: number, about: string): void {
    const { bytes: all, namespaceBytes } = this.#limits
    const ofNamespace = this.#namespaces.get(namespace) ?? 0
    if (this.#bytes + bytes <= all && ofNamespace + bytes <= namespaceBytes) {
      this.#add(namespace, bytes)
      return
    }
    const message =
      `${about}: there is no room for its answer: the long answers that come in have ${mib(this.#bytes)} of ${mib(all)} MiB, ` +
      `those of this namespace ${mib(ofNamespace)} of ${mib(namespaceBytes)} MiB; ask again`
    throw new AskError('overload', unavailable(message))
  }

  #add(namespace: string, change: number): void {
    const bytes = (this.#namespaces.get(namespace) ?? 0) + change
    if (bytes === 0) this.#namespaces.delete(namespace)
    else this.#namespaces.set(namespace, bytes)
    this.#bytes += change
  }
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1).replace(/\.0$/, '')
}
