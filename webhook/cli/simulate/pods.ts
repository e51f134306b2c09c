// The pods of a simulated MiniCluster, an Indexed Job: the index of a pod is its rank, and a smaller size ends the pods of the
// highest indices, busy or not. A pod takes time to start. The rank of a pod that is ending stays up, and is given jobs, until
// the grace period is over, as measured on a real MiniCluster.
import type { Agenda } from '#simulation/agenda.ts'
import type { Instance } from '#simulation/instance.ts'
import { type Latency, Turns } from '#simulation/latency.ts'
import { AT_ONCE, NodePool, type NodePoolOptions } from './node-pool.ts'

/** How long pods take, in milliseconds. */
export interface PodTimes {
  /** From a new size until the operator and the Job controller create or delete pods. */
  readonly reactionMs: number
  /** From the creation of a pod until its rank is up. */
  readonly joinMs: Latency
  /** From the deletion of a pod until it is gone. */
  readonly graceMs: number
  /** From the start of a pod's broker until its rank is up, a part of `joinMs`. A pod that is deleted meanwhile still joins. */
  readonly bootMs: number
  /** From the end of a pod until Flux notices. Until then its rank is up, and jobs that start there are lost. */
  readonly lossMs: Latency
}

/** As measured on nodes that have the images already. */
export const POD_TIMES: PodTimes = {
  reactionMs: 1_000,
  joinMs: 4_000,
  graceMs: 30_000,
  bootMs: 0,
  lossMs: 0,
}

/** A new `spec.size`, and the reading behind it. */
export interface Resize {
  readonly size: number
  /** When the reading was taken that the HPA decided on; `undefined` if it had none. */
  readonly readAt: number | undefined
}

type Pod =
  /** On no node that is ready: its node boots, or there are no more (`hasNode` is false). */
  | { readonly phase: 'unscheduled'; readonly hasNode: boolean }
  | { readonly phase: 'starting'; readonly upAt: number }
  | { readonly phase: 'up' }
  /** To be replaced: the size grew again, and a new pod of this index is created when this one has ended. */
  | { readonly phase: 'ending'; isToBeReplaced: boolean }

export interface PodsOptions {
  readonly instance: Instance
  readonly agenda: Agenda
  readonly times: PodTimes
  /** Number of pods at the start. */
  readonly size: number
  /** Nodes that can be had. Pods beyond them stay Pending. Default: any number. */
  readonly available?: number
  /** Default: {@link AT_ONCE}. */
  readonly nodes?: NodePoolOptions
}

/** Creates and ends the pods of one MiniCluster, each in its time. */
export class Pods {
  readonly #options: PodsOptions
  readonly #pods = new Map<number, Pod>()
  readonly #resizes = new Map<number, Resize>()
  /** Ranks whose pods have ended and that Flux still shows as up, each with an identity of its loss. */
  readonly #unnoticed = new Map<number, object>()
  readonly #joinMs: Turns
  readonly #lossMs: Turns
  readonly #pool: NodePool
  #size: number

  constructor(options: PodsOptions) {
    this.#options = options
    this.#size = options.size
    this.#joinMs = new Turns(options.times.joinMs)
    this.#lossMs = new Turns(options.times.lossMs)
    const { instance, agenda, nodes = AT_ONCE, available } = options
    this.#pool = new NodePool(nodes, { agenda, now: () => instance.now }, available)
    for (let index = 0; index < options.size; index += 1) {
      this.#pool.placeNow(index)
      this.#pods.set(index, { phase: 'up' })
    }
  }

  /** All pods, whether they wait for a node, start, run or end. */
  get count(): number {
    return this.#pods.size
  }

  /** Pods that have a node, whether they start, run or end. */
  get placed(): number {
    return [...this.#pods.values()].filter(({ phase }) => phase !== 'unscheduled').length
  }

  /** Nodes that cost money, with or without a pod. */
  get nodes(): number {
    return this.#pool.count
  }

  /** Pods that these nodes have room for. */
  get room(): number {
    return this.#pool.count * (this.#options.nodes ?? AT_ONCE).podsPerNode
  }

  /** Whether a node is empty and will be given back. */
  get hasEmptyNodes(): boolean {
    return this.#pool.hasEmpty
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
    // A pod whose broker has not started ends at once.
    const isEarly = pod.phase === 'starting' && instance.now < pod.upAt - times.bootMs
    if (pod.phase === 'unscheduled' || isEarly) {
      this.#remove(index)
      return
    }
    this.#resizes.set(index, resize)
    const ending: Pod = { phase: 'ending', isToBeReplaced: false }
    this.#pods.set(index, ending)
    if (pod.phase === 'starting') {
      agenda.add(pod.upAt, () => {
        if (this.#pods.get(index) === ending) this.#join(index)
      })
    }
    agenda.add(instance.now + times.graceMs, () => {
      this.#remove(index)
      this.#lose(index)
      if (ending.isToBeReplaced) this.#create(index)
    })
  }

  /** The broker of a rank loses its connection for a while; its pod goes on. */
  blip(index: number, forMs: number): void {
    const { instance, agenda } = this.#options
    const pod = this.#pods.get(index)
    if (pod === undefined || instance.nodes[index]?.online !== true) return
    instance.down(index)
    agenda.add(instance.now + forMs, () => {
      const now = this.#pods.get(index)
      // Its pod may have been ended meanwhile.
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

  /** Its node is free for a pod that waits for one. */
  #remove(index: number): void {
    this.#pods.delete(index)
    this.#pool.remove(index)
    for (const [waiting, pod] of this.#pods) {
      if (pod.phase === 'unscheduled' && !pod.hasNode) this.#schedule(waiting)
    }
  }

  #create(index: number): void {
    const pod = this.#pods.get(index)
    if (pod?.phase === 'ending') pod.isToBeReplaced = true
    if (pod === undefined) this.#schedule(index)
  }

  #schedule(index: number): void {
    const { instance, agenda } = this.#options
    const readyAt = this.#pool.place(index)
    if (readyAt === instance.now) {
      this.#start(index)
      return
    }
    const pod: Pod = { phase: 'unscheduled', hasNode: readyAt !== undefined }
    this.#pods.set(index, pod)
    if (readyAt === undefined) return
    agenda.add(readyAt, () => {
      // The pod may have been ended meanwhile.
      if (this.#pods.get(index) === pod) this.#start(index)
    })
  }

  #start(index: number): void {
    const { instance, agenda } = this.#options
    const starting: Pod = { phase: 'starting', upAt: instance.now + this.#joinMs.next() }
    this.#pods.set(index, starting)
    agenda.add(starting.upAt, () => {
      // The pod may have been ended, and created again, before it joined.
      if (this.#pods.get(index) !== starting) return
      this.#pods.set(index, { phase: 'up' })
      this.#join(index)
    })
  }
}
