// The pods of a simulated MiniCluster as an Indexed Job has them: index and rank are one, a smaller size ends the highest
// indices, busy or not. Pods take time to come, and a rank whose pod was told to end stays up, and is given jobs, until the
// grace is over, as it was measured on a real MiniCluster.
import type { Agenda } from '#simulation/agenda.ts'
import type { Instance } from '#simulation/instance.ts'
import { type Latency, Turns } from '#simulation/latency.ts'

/** How long pods take, in milliseconds. */
export interface PodTimes {
  /** From a new size until pods are made or told to end: operator and Job controller. */
  readonly reactionMs: number
  /** From a pod's making until its rank is up. */
  readonly joinMs: Latency
  /** From a pod being told to end until it is gone. */
  readonly graceMs: number
  /** From the start of a pod's broker until its rank is up, part of `joinMs`: one that is told to end meanwhile comes all the same. */
  readonly bootMs: number
  /** From a pod being gone until Flux has found out: until then its rank is up, and jobs are given to nobody. */
  readonly lossMs: Latency
}

/** As measured with images in place. */
export const POD_TIMES: PodTimes = {
  reactionMs: 1_000,
  joinMs: 4_000,
  graceMs: 30_000,
  bootMs: 0,
  lossMs: 0,
}

/** A new `spec.size`, and what it was decided upon. */
export interface Resize {
  readonly size: number
  /** When the reading was taken that the HPA had in hand; `undefined` if it had none. */
  readonly readAt: number | undefined
}

type Pod =
  | { readonly phase: 'coming'; readonly upAt: number }
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
  /** Ranks whose pods are gone and that Flux still takes to be up, each with what will end that. */
  readonly #unnoticed = new Map<number, object>()
  readonly #joinMs: Turns
  readonly #lossMs: Turns
  #size: number

  constructor(options: PodsOptions) {
    this.#options = options
    this.#size = options.size
    this.#joinMs = new Turns(options.times.joinMs)
    this.#lossMs = new Turns(options.times.lossMs)
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
    // One whose broker has not started has nothing to end.
    if (pod.phase === 'coming' && instance.now < pod.upAt - times.bootMs) {
      this.#pods.delete(index)
      return
    }
    this.#resizes.set(index, resize)
    const ending: Pod = { phase: 'ending', isWantedBack: false }
    this.#pods.set(index, ending)
    if (pod.phase === 'coming') {
      agenda.add(pod.upAt, () => {
        if (this.#pods.get(index) === ending) this.#join(index)
      })
    }
    agenda.add(instance.now + times.graceMs, () => {
      this.#pods.delete(index)
      this.#lose(index)
      if (ending.isWantedBack) this.#want(index)
    })
  }

  /** The broker of a rank loses its connection for a while; its pod knows nothing of that. */
  blip(index: number, forMs: number): void {
    const { instance, agenda } = this.#options
    const pod = this.#pods.get(index)
    if (pod === undefined || instance.nodes[index]?.online !== true) return
    instance.down(index)
    agenda.add(instance.now + forMs, () => {
      const now = this.#pods.get(index)
      // Its pod may be ending since, or gone.
      if (now === pod || now?.phase === 'ending') instance.up(index)
    })
  }

  /** Flux finds out that the broker is gone, at the latest when its successor joins. */
  #lose(index: number): void {
    const { instance, agenda } = this.#options
    const loss = {}
    const lossMs = this.#lossMs.next()
    if (lossMs === 0) {
      instance.down(index)
      return
    }
    this.#unnoticed.set(index, loss)
    agenda.add(instance.now + lossMs, () => {
      if (this.#unnoticed.get(index) === loss) this.#notice(index)
    })
  }

  #notice(index: number): void {
    this.#unnoticed.delete(index)
    this.#options.instance.down(index)
  }

  #join(index: number): void {
    if (this.#unnoticed.has(index)) this.#notice(index)
    this.#options.instance.up(index)
  }

  #want(index: number): void {
    const { instance, agenda } = this.#options
    const pod = this.#pods.get(index)
    if (pod?.phase === 'ending') pod.isWantedBack = true
    if (pod !== undefined) return
    const coming: Pod = { phase: 'coming', upAt: instance.now + this.#joinMs.next() }
    this.#pods.set(index, coming)
    agenda.add(coming.upAt, () => {
      // It may have been ended, and made again, before it came.
      if (this.#pods.get(index) !== coming) return
      this.#pods.set(index, { phase: 'up' })
      this.#join(index)
    })
  }
}
