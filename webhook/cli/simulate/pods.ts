// The pods of a simulated MiniCluster, an Indexed Job: the index of a pod is its rank, and a smaller size ends the pods of the
// highest indices, busy or not. A pod takes time to start. The rank of a pod that is ending stays up, and is given jobs, until
// the grace period is over, as measured on a real MiniCluster.
import type { Agenda } from '#simulation/agenda.ts'
import type { Instance } from '#simulation/instance.ts'

/** How long pods take, in milliseconds. */
export interface PodTimes {
  /** From a new size until the operator and the Job controller create or delete pods. */
  readonly reactionMs: number
  /** From the creation of a pod until its rank is up. */
  readonly joinMs: number
  /** From the deletion of a pod until its rank is down. */
  readonly graceMs: number
}

/** As measured on nodes that have the images already. */
export const POD_TIMES: PodTimes = { reactionMs: 1_000, joinMs: 4_000, graceMs: 30_000 }

/** A new `spec.size`, and the reading behind it. */
export interface Resize {
  readonly size: number
  /** When the reading was taken that the HPA decided on; `undefined` if it had none. */
  readonly readAt: number | undefined
}

type Pod =
  | { readonly phase: 'starting' }
  | { readonly phase: 'up' }
  /** To be replaced: the size grew again, and a new pod of this index is created when this one has ended. */
  | { readonly phase: 'ending'; isToBeReplaced: boolean }

export interface PodsOptions {
  readonly instance: Instance
  readonly agenda: Agenda
  readonly times: PodTimes
  /** Number of pods at the start. */
  readonly size: number
}

/** Creates and ends the pods of one MiniCluster, each in its time. */
export class Pods {
  readonly #options: PodsOptions
  readonly #pods = new Map<number, Pod>()
  readonly #resizes = new Map<number, Resize>()
  #size: number

  constructor(options: PodsOptions) {
    this.#options = options
    this.#size = options.size
    for (let index = 0; index < options.size; index += 1) this.#pods.set(index, { phase: 'up' })
  }

  /** All pods, whether they start, run or end: the nodes that cost money. */
  get count(): number {
    return this.#pods.size
  }

  /** Pods that are Running and Ready; a pod that is ending is not. */
  get ready(): number {
    return [...this.#pods.values()].filter(({ phase }) => phase === 'up').length
  }

  /** The last size that the operator reacted to: `status.size`. */
  get size(): number {
    return this.#size
  }

  /** The last resize that ended the pod of this rank, if there was one. */
  resizeThatEnded(rank: number): Resize | undefined {
    return this.#resizes.get(rank)
  }

  /** Sets a new size. */
  resize(resize: Resize): void {
    const { instance, agenda, times } = this.#options
    agenda.add(instance.now + times.reactionMs, () => this.#react(resize))
  }

  #react(resize: Resize): void {
    const { size } = resize
    this.#size = size
    for (const [index, pod] of [...this.#pods]) if (index >= size) this.#end(index, pod, resize)
    for (let index = 0; index < size; index += 1) this.#create(index)
  }

  #end(index: number, pod: Pod, resize: Resize): void {
    const { instance, agenda, times } = this.#options
    if (pod.phase === 'ending') {
      pod.isToBeReplaced = false
      return
    }
    // A pod that has not joined ends at once.
    if (pod.phase === 'starting') {
      this.#pods.delete(index)
      return
    }
    this.#resizes.set(index, resize)
    const ending: Pod = { phase: 'ending', isToBeReplaced: false }
    this.#pods.set(index, ending)
    agenda.add(instance.now + times.graceMs, () => {
      this.#pods.delete(index)
      instance.down(index)
      if (ending.isToBeReplaced) this.#create(index)
    })
  }

  #create(index: number): void {
    const { instance, agenda, times } = this.#options
    const pod = this.#pods.get(index)
    if (pod?.phase === 'ending') pod.isToBeReplaced = true
    if (pod !== undefined) return
    const starting: Pod = { phase: 'starting' }
    this.#pods.set(index, starting)
    agenda.add(instance.now + times.joinMs, () => {
      // The pod may have been ended, and created again, before it joined.
      if (this.#pods.get(index) !== starting) return
      this.#pods.set(index, { phase: 'up' })
      instance.up(index)
    })
  }
}
