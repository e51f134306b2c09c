// Keeps a copy of a collection: a list, then a watch, then a list again. While the API server is away the last copy
// serves. Does not know what is kept of an object.
//
// A watch alone is not enough: it can be silent for ever (a broken connection; an API server that was restored from a
// backup, whose versions go back), and it can lose changes. So every watch ends, and every few minutes a list replaces
// all.

import type { Logger } from '#serving/log.ts'
import { Backoff } from '#serving/waiting/backoff.ts'
import { sleep } from '#serving/waiting/sleep.ts'
import type { Cluster, ClusterObject, Collection, Watching } from './cluster.ts'
import { ClusterError } from './cluster.ts'
import { certainPartsOf, partsOf } from './collect.ts'
import { Outage } from './outage.ts'

/** A list takes as much memory as its longest part, several times. */
const MAX_PART_BYTES = 2 * 2 ** 20

/**
 * The longest object. etcd stores at most 1.5 MiB of one, and JSON writes six bytes for some characters (`<` is
 * `\u003c`). Users choose what is in a pod: a bound that one of them can exceed would hide the others.
 */
const MAX_OBJECT_BYTES = 12 * 2 ** 20

/** What is kept of a collection. */
export interface Store {
  /** A new object, or a new state of one. */
  put(object: ClusterObject): void
  remove(object: ClusterObject): void
}

export interface Pace {
  /** Between two lists, on average. */
  readonly relistMs: number
  /** How long one watch lasts. */
  readonly watchSeconds: number
  /** A silent connection is given up after this time. */
  readonly silenceMs: number
  /** A watch that ends sooner counts as a failure: the next attempt waits. */
  readonly shortMs: number
  /** The longest pause after a failure. */
  readonly pauseCapMs: number
}

/** The API server sends a bookmark each minute. */
const PACE: Pace = {
  relistMs: 300_000,
  watchSeconds: 240,
  silenceMs: 90_000,
  shortMs: 5_000,
  pauseCapMs: 10_000,
}

export interface CollectionWatchOptions<S extends Store> {
  readonly cluster: Pick<Cluster, 'list'> & Watching
  readonly collection: Collection
  /** Whether the API server may not have the kind: as long as it never had it, there are no objects. */
  readonly isOptional?: boolean
  /** An empty one, for a list. */
  readonly createStore: () => S
  /** Is called after each list. */
  readonly onList?: (store: S) => void
  /** Is called whenever the copy is known to be as new as the API server's: after a list, a change or a bookmark. */
  readonly onHeard?: () => void
  readonly log: Logger
  /** What is watched, in words that complete the sentence "cannot watch …". */
  readonly what: string
  readonly pace?: Partial<Pace>
}

export class CollectionWatch<S extends Store> {
  readonly #options: CollectionWatchOptions<S>
  readonly #pace: Pace
  readonly #backoff: Backoff
  readonly #outage: Outage
  readonly #closing = new AbortController()
  #store: S | undefined
  /** Whether the API server has never had the kind. */
  #isAbsent = true

  constructor(options: CollectionWatchOptions<S>) {
    this.#options = options
    this.#pace = { ...PACE, ...options.pace }
    this.#backoff = new Backoff({ firstMs: 250, capMs: this.#pace.pauseCapMs })
    this.#outage = new Outage(options.log, `watch ${options.what}`)
  }

  /** As it was seen last; `undefined` before the first list. */
  get store(): S | undefined {
    return this.#store
  }

  /** Why the last attempt failed; `undefined` while all is well. */
  get failure(): string | undefined {
    return this.#outage.reason
  }

  /** Watches until closed. Resolves after the first attempt to list, even if that failed. */
  async start(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    void this.#run(resolve)
    return promise
  }

  close(): void {
    this.#closing.abort()
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  async #run(onAttempt: () => void): Promise<void> {
    while (!this.#isClosed) {
      const version = await this.#attempt(() => this.#list())
      onAttempt()
      // It failed, or there is nothing to watch.
      if (version === undefined) await this.#pause()
      else await this.#follow(version)
    }
  }

  /** @returns the version of the list; `undefined` if there is no such kind */
  async #list(): Promise<string | undefined> {
    const { cluster, collection, createStore, onList, onHeard, isOptional = false } = this.#options
    const store = createStore()
    const bounds = { maxBytes: MAX_PART_BYTES, maxObjectBytes: MAX_OBJECT_BYTES }
    const parts = isOptional && this.#isAbsent ? partsOf : certainPartsOf
    let version: string | undefined
    for await (const page of parts(cluster, collection, bounds)) {
      for (const object of page.items) store.put(object)
      version ??= page.resourceVersion
    }
    if (version !== undefined) this.#isAbsent = false
    this.#store = store
    onList?.(store)
    onHeard?.()
    return version
  }

  /** One watch after the other, until the next list is due or the API server no longer knows what has changed. */
  async #follow(listed: string): Promise<void> {
    const until = performance.now() + jittered(this.#pace.relistMs)
    let version = listed
    const see = (seen: string) => {
      version = seen
    }
    for (;;) {
      const startedAt = performance.now()
      const ended = await this.#attempt(() => this.#watch(version, until, see))
      if (this.#isClosed) return
      const now = performance.now()
      if (now - startedAt >= this.#pace.shortMs) this.#backoff.reset()
      else if (now < until) await this.#pause()
      if (ended === 'gone' || performance.now() >= until) return
    }
  }

  /** @returns `gone` if a list must tell what has changed */
  async #watch(
    resourceVersion: string,
    until: number,
    see: (version: string) => void,
  ): Promise<'ended' | 'gone'> {
    const { cluster, collection, onHeard } = this.#options
    const { silenceMs, watchSeconds } = this.#pace
    // The next list is on time also if the API server does not end the watch.
    const due = AbortSignal.timeout(Math.max(Math.ceil(until - performance.now()), 0))
    const options = {
      resourceVersion,
      timeoutSeconds: Math.ceil(jittered(watchSeconds)),
      silenceMs,
      maxBytes: MAX_OBJECT_BYTES,
      signal: AbortSignal.any([due, this.#closing.signal]),
    }
    try {
      for await (const change of cluster.watch(collection, options)) {
        if (change.type === 'put') this.#store?.put(change.object)
        if (change.type === 'removed') this.#store?.remove(change.object)
        see(change.version)
        onHeard?.()
        this.#outage.report([])
      }
    } catch (error) {
      if (error instanceof ClusterError && error.code === 410) return 'gone'
      throw error
    }
    return 'ended'
  }

  /** Reports how it went. @returns `undefined` if it failed */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work()
      this.#outage.report([])
      return result
    } catch (error) {
      if (!this.#isClosed) this.#outage.report([error])
      return undefined
    }
  }

  async #pause(): Promise<void> {
    await sleep(this.#backoff.next(), this.#closing.signal)
  }
}

/** Between 80 and 120 %, so that replicas do not ask at the same time. */
function jittered(value: number): number {
  return value * (0.8 + 0.4 * Math.random())
}
