// Keeps the latest snapshot: connects, reads after a change or a time, carries out drains, reconnects, and marks the
// snapshot as stale after a failure. It decides nothing about sizes.

import { explain } from '#explaining/explanation.ts'
import { describeSetAside } from '#explaining/jobs/unstarted-jobs.ts'
import { isInstanceOwner, type Limits } from '#flux/calls/broker-calls.ts'
import type { JobId } from '#flux/calls/job-list-calls.ts'
import type { DrainNews } from '#flux/calls/resource-calls.ts'
import { FluxError, isRemote } from '#flux/errors.ts'
import { nextTurn } from '#flux/turns.ts'
import { Client } from '#flux/wire/client.ts'
import { InstanceReader } from '#reading/instance-reader.ts'
import { fingerprint } from '#reading/jobs/job-counts.ts'
import { publishedSize } from '#scaling/sizes.ts'
import type { Reader, Reading, Snapshot, SnapshotSource } from '#scaling/snapshot.ts'
import { SnapshotMaker, type SnapshotOptions } from '#scaling/snapshot-maker.ts'
import { messageOf } from '#serving/text.ts'
import { Backoff } from '#serving/waiting/backoff.ts'
import { sleep } from '#serving/waiting/sleep.ts'
import { ChangeFeed } from './change-feed.ts'
import { Drainer } from './drainer.ts'
import { LatestSnapshot, type PastNotes, type TransitionLog } from './latest-snapshot.ts'
import type { CollectorObserver } from './observer.ts'
import { DEFAULT_PACE, type Pace, waitingTime } from './pace.ts'
import { checkStream, type StreamCheck } from './stream-check.ts'

/** A broker that has started again is found within 5 s. */
const BACKOFF = { firstMs: 100, capMs: 5_000 }

export interface CollectorOptions extends SnapshotOptions {
  /** Path of the broker's socket. The socket may not exist yet. */
  readonly path: string
  /** The name of the MiniCluster whose pods run the ranks. Default: that is not checked. */
  readonly minicluster?: string
  /** Snapshots older than this are not served. */
  readonly maxAgeMs: number
  /** Remembers what was read, for people. Default: nothing does. */
  readonly lastHour?: PastNotes
  readonly log: TransitionLog
  readonly observer: CollectorObserver
  readonly pace?: Partial<Pace>
}

/** Reads one Flux instance until it is stopped. {@link Collector.reading} never throws and never waits. */
export class Collector implements SnapshotSource {
  readonly #options: CollectorOptions
  readonly #pace: Pace
  readonly #latest: LatestSnapshot
  readonly #backoff = new Backoff(BACKOFF)
  readonly #snapshots: SnapshotMaker
  readonly #drainer: Drainer | undefined
  /** When the last reading ended. */
  #readAt = Number.NEGATIVE_INFINITY
  #desired: number | null | undefined
  /** Jobs that are set aside and were logged. */
  #unhelped: ReadonlySet<JobId> = new Set()
  /** The instance that was asked whether we are its owner. */
  #asked: InstanceReader | undefined
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: CollectorOptions) {
    this.#options = options
    const { maxAgeMs, patience } = options
    this.#pace = { ...DEFAULT_PACE, maxAgeMs, ...options.pace }
    this.#latest = new LatestSnapshot(maxAgeMs, options.log, options.lastHour)
    this.#snapshots = new SnapshotMaker({
      ...options,
      patience: { maxGapMs: maxAgeMs, ...patience },
    })
    const ours = options.drains ?? options.formerDrains
    this.#drainer = ours && new Drainer({ ...options, instance: ours.instance })
  }

  reading(): Reading {
    return this.#latest.reading()
  }

  noteAnswer(snapshot: Snapshot, reader: Reader): void {
    this.#snapshots.noteAnswer(snapshot, performance.now(), reader)
  }

  /** Starts to connect, and returns at once. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Disconnects. The latest snapshot is served until it is too old. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    this.#latest.close()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#serveOneConnection(signal)
      } catch (error) {
        this.#failed(error)
      }
      await sleep(this.#backoff.next(), signal)
    }
  }

  async #serveOneConnection(signal: AbortSignal): Promise<void> {
    const limits = { timeoutMs: this.#pace.callTimeoutMs, signal }
    const client = await Client.connect(this.#options.path, limits)
    // The end of the connection ends the waiting, and the snapshot must not be served any longer.
    const ended = new AbortController()
    void client.ended.then((reason) => {
      if (reason.code !== 'FLUX_CANCELLED') this.#latest.markStale(reason.message)
      ended.abort()
    })
    this.#options.observer.connected()
    this.#snapshots.restart()
    try {
      const instance = await InstanceReader.open(client, limits, this.#options.minicluster)
      await this.#follow(instance, AbortSignal.any([signal, ended.signal]))
      if (!signal.aborted) throw await client.ended
    } finally {
      client.close()
      this.#options.observer.disconnected()
    }
  }

  async #follow(instance: InstanceReader, signal: AbortSignal): Promise<void> {
    const limits = { timeoutMs: this.#pace.callTimeoutMs, signal }
    const onDrains = (news: DrainNews) => this.#snapshots.noteDrains(news)
    let feed: ChangeFeed | undefined
    let checked: StreamCheck | undefined
    let tookBeforeMs = 0
    try {
      while (!signal.aborted) {
        const read = await this.#read(instance, signal)
        if (read === undefined) {
          await sleep(this.#backoff.next(), signal)
          continue
        }
        const { snapshot, lookAt, followedMs } = read
        feed ??= ChangeFeed.open(instance.client, instance.version, { ...limits, onDrains })
        const counts = snapshot.jobs.kind === 'known' ? fingerprint(snapshot.jobs) : undefined
        feed.noteReading(counts)
        checked = checkStream(checked, counts, feed)
        const { tookMs } = snapshot
        const { streaming } = feed
        const cost = { tookMs, followedMs, tookBeforeMs, streaming }
        const [minMs, maxMs] = waitingTime(this.#pace, cost)
        tookBeforeMs = tookMs + followedMs
        const lookMs = Math.max(minMs, (lookAt ?? Number.POSITIVE_INFINITY) - performance.now())
        await feed.wait(minMs, Math.min(maxMs, lookMs), signal)
      }
    } finally {
      feed?.close()
    }
  }

  /** Returns a snapshot, or `undefined` after a failure that leaves the connection usable. */
  async #read(instance: InstanceReader, signal: AbortSignal): Promise<Read | undefined> {
    try {
      const limits = { timeoutMs: this.#pace.callTimeoutMs, signal }
      const facts = await instance.read(limits)
      const readAt = performance.now()
      // Readings that failed leave a gap on the same connection, too.
      if (readAt - facts.tookMs - this.#readAt > this.#options.maxAgeMs) this.#snapshots.restart()
      this.#readAt = readAt
      if (this.#snapshots.leavesDrains(facts) && this.#asked !== instance) {
        this.#asked = instance
        if (await isOwner(instance.client, limits)) this.#snapshots.liftFormerDrains()
      }
      await nextTurn()
      // Published in the same moment: which drains may be lifted depends on who has read the size before.
      const clock = () => performance.now()
      const { snapshot, drains } = await this.#snapshots.makeInTurns(facts, clock)
      this.#backoff.reset()
      this.#latest.replace(snapshot, performance.now() - readAt)
      this.#options.observer.refreshed(snapshot.tookMs)
      this.#logSize(snapshot)
      this.#logUnhelped(snapshot)
      const followedMs = performance.now() - readAt
      if (drains !== undefined) await this.#drainer?.carryOut(instance.client, drains, limits)
      this.#snapshots.noteRefusal(this.#drainer?.refusal)
      return { snapshot, lookAt: drains?.lookAt, followedMs }
    } catch (error) {
      if (signal.aborted) return undefined
      // After an error answer the connection is still usable. After a timeout or malformed bytes only a new one is.
      if (!(error instanceof FluxError) || error.code !== 'FLUX_REMOTE') throw error
      this.#failed(error)
      return undefined
    }
  }

  /** Logs each change of the published size, and its reasons. */
  #logSize(snapshot: Snapshot): void {
    const size = publishedSize(snapshot.sizes)
    const desired = typeof size === 'number' ? size : null
    if (desired === this.#desired) return
    this.#desired = desired
    const { summary } = explain(snapshot, new Date())
    this.#options.log.info({ desired, summary }, 'desired size changed')
  }

  /** Logs each job that more nodes did not help, when it is set aside. */
  #logUnhelped({ unstarted = [], takenAt }: Snapshot): void {
    const unhelped = unstarted.filter(({ size }) => size === undefined)
    for (const job of unhelped.filter(({ id }) => !this.#unhelped.has(id))) {
      this.#options.log.warn({ reason: describeSetAside(job, takenAt) }, 'job set aside')
    }
    this.#unhelped = new Set(unhelped.map(({ id }) => id))
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return
    this.#latest.markStale(messageOf(error))
    this.#options.observer.failed(error instanceof FluxError ? error.code : 'INTERNAL')
  }
}

/** A broker that does not say is not ours. */
async function isOwner(client: Client, limits: Limits): Promise<boolean> {
  try {
    return await isInstanceOwner(client, limits)
  } catch (error) {
    if (isRemote(error)) return false
    throw error
  }
}

/** A snapshot, and when to read again at the latest, by `performance.now()`. */
interface Read {
  readonly snapshot: Snapshot
  /** How long it took to work out and publish what follows from the reading, in milliseconds. */
  readonly followedMs: number
  readonly lookAt: number | undefined
}
