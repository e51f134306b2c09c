// The pods of a simulated MiniCluster as an Indexed Job has them: index and rank are one, a smaller size ends the highest
// indices, busy or not. Pods take time to come, and a rank whose pod was told to end stays up, and is given jobs, until the
// grace is over, as it was measured on a real MiniCluster.
import type { Agenda } from '#simulation/agenda.ts'
import type { Instance } from '#simulation/instance.ts'

/** How long pods take, in milliseconds. */
export interface PodTimes {
  /** From a new size until pods are made or told to end: operator and Job controller. */
  readonly reactionMs: number
  /** From a pod's making until its rank is up. */
  readonly joinMs: number
  /** From a pod being told to end until its rank is down. */
  readonly graceMs: number
}

/** As measured with images in place. */
export const POD_TIMES: PodTimes = { reactionMs: 1_000, joinMs: 4_000, graceMs: 30_000 }

/** A new `spec.size`, and what it was decided upon. */
export interface Resize {
  readonly size: number
  /** When the reading was taken that the HPA had in hand; `undefined` if it had none. */
  readonly readAt: number | undefined
}

type Pod =
  | { readonly phase: 'coming' }
  | { readonly phase: 'up' }
  /** Wanted back: the size grew again meanwhile; a new pod of that index comes when this one is gone. */
  | { readonly phase: 'ending'; isWantedBack: boolean }

export interface PodsOptions {
  readonly instance: Instance
  readonly agenda: Agenda
  readonly times: PodTimes
  /** Pods that are there from the start. */
  readonly size: number
}

/** The pods of one MiniCluster. */
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

  /** Pods that there are, whether they come, run or end: what is paid for. */
  get count(): number {
    return this.#pods.size
  }

  /** Pods that are Running and Ready; one that was told to end is not. */
  get ready(): number {
    return [...this.#pods.values()].filter(({ phase }) => phase === 'up').length
  }

  /** The size that was last acted upon: `status.size`. */
  get size(): number {
    return this.#size
  }

  /** Which new size last told the pod of this rank to end, if one did. */
  resizeThatEnded(rank: number): Resize | undefined {
    return this.#resizes.get(rank)
  }

  /** Takes a new size. */
  resize(resize: Resize): void {
    const { instance, agenda, times } = this.#options
    agenda.add(instance.now + times.reactionMs, () => this.#react(resize))
  }

  #react(resize: Resize): void {
    const { size } = resize
    this.#size = size
    for (const [index, pod] of [...this.#pods]) if (index >= size) this.#end(index, pod, resize)
    for (let index = 0; index < size; index += 1) this.#want(index)
  }

  #end(index: number, pod: Pod, resize: Resize): void {
    const { instance, agenda, times } = this.#options
    if (pod.phase === 'ending') {
      pod.isWantedBack = false
      return
    }
    // One that has not come has nothing to end.
    if (pod.phase === 'coming') {
      this.#pods.delete(index)
      return
    }
    this.#resizes.set(index, resize)
    const ending: Pod = { phase: 'ending', isWantedBack: false }
    this.#pods.set(index, ending)
    agenda.add(instance.now + times.graceMs, () => {
      this.#pods.delete(index)
      instance.down(index)
      if (ending.isWantedBack) this.#want(index)
    })
  }

  #want(index: number): void {
    const { instance, agenda, times } = this.#options
    const pod = this.#pods.get(index)
    if (pod?.phase === 'ending') pod.isWantedBack = true
    if (pod !== undefined) return
    const coming: Pod = { phase: 'coming' }
    this.#pods.set(index, coming)
    agenda.add(instance.now + times.joinMs, () => {
      // It may have been ended, and made again, before it came.
      if (this.#pods.get(index) !== coming) return
      this.#pods.set(index, { phase: 'up' })
      instance.up(index)
    })
  }
}
