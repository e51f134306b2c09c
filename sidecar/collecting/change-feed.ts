// Waits for changes in a Flux instance: follows the streams that its broker offers, and times out without them. It reads
// nothing itself.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { type InstanceJobStats, watchJobStats, watchSubmissions } from '#flux/calls/job-calls.ts'
import { isSince } from '#flux/calls/release.ts'
import { type DrainNews, watchOnline, watchResources } from '#flux/calls/resource-calls.ts'
import type { Client } from '#flux/wire/client.ts'
import type { FluxEvent } from '#flux/wire/subscriptions.ts'
import { fingerprint, toJobs } from '#reading/jobs/job-counts.ts'
import { sleep } from '#serving/waiting/sleep.ts'

/** Brokers older than this echo the streaming flag of `job-list.job-stats` but answer once. */
const JOB_STATS_STREAM_SINCE = [0, 55] as const

/**
 * From the commit of a new job until job-list counts it, and until it has started if it can. Short enough for a new number
 * within 100 ms; job-stats reports the job after 200 ms.
 */
const SETTLE_MS = 50

/** A stream that failed is opened again after this time: one call that fails costs a broker nothing. */
const REOPEN_MS = 60_000

type OpenStream = () => AsyncIterable<unknown>

export interface FeedOptions extends Limits {
  /** A stream that failed is opened again after this time. Default: a minute. */
  readonly reopenMs?: number
  /** Is told of drains and undrains, the past ones first, if the broker tells us. */
  readonly onDrains?: (news: DrainNews) => void
}

/** Follows the changes in a Flux instance, over one connection. */
export class ChangeFeed {
  readonly #abort = new AbortController()
  readonly #reopenMs: number
  #changed = false
  #wake: () => void = () => {}
  /** Streams that are not open. */
  readonly #broken = new Set<OpenStream>()
  #jobCounts: string | undefined
  /** Runs from a submission until it is marked as a change. */
  #settling: NodeJS.Timeout | undefined
  #submitted = false
  /** The job counts of a reading after a submission: job-stats reports the same change once more, and later. */
  #countsRead: string | undefined

  constructor(reopenMs: number) {
    this.#reopenMs = reopenMs
  }

  /**
   * Opens the streams that the broker offers. A stream that fails is not an error: {@link ChangeFeed.streaming} is false until
   * it could be opened again, and the caller polls.
   *
   * @param version release of flux-core, `0.88.0`
   */
  static open(
    client: Client,
    version: string,
    { reopenMs = REOPEN_MS, onDrains = () => {}, ...limits }: FeedOptions,
  ): ChangeFeed {
    const feed = new ChangeFeed(reopenMs)
    const signal = AbortSignal.any([feed.#abort.signal, ...(limits.signal ? [limits.signal] : [])])
    const bounded = { ...limits, signal }
    void feed.#follow(() => watchOnline(client, bounded), signal)
    if (isSince(version, JOB_STATS_STREAM_SINCE)) {
      void feed.#follow(() => feed.#keepJobCounts(watchJobStats(client, bounded)), signal)
      const submissions = () => feed.#settle(watchSubmissions(client, bounded))
      void feed.#follow(submissions, signal, { optional: true })
    } else void feed.#follow(() => jobStateEvents(client, bounded), signal)
    const resources = () => passOn(watchResources(client, bounded), onDrains)
    void feed.#follow(resources, signal, { optional: true })
    return feed
  }

  /** Whether the streams report every change of nodes and jobs, so that polling is not needed. */
  get streaming(): boolean {
    return this.#broken.size === 0
  }

  /** The {@link fingerprint} of the job counts that the job-stats stream sent last; `undefined` without that stream. */
  get jobCounts(): string | undefined {
    return this.#jobCounts
  }

  /** Notes the {@link fingerprint} of the job counts of a reading; `undefined` if they are not known. */
  noteReading(counts: string | undefined): void {
    this.#countsRead = this.#submitted ? counts : undefined
    this.#submitted = false
  }

  /** Waits for a change, for at least `minMs` and at most `maxMs`. Returns whether something changed. */
  async wait(minMs: number, maxMs: number, signal: AbortSignal): Promise<boolean> {
    await sleep(minMs, signal)
    if (!this.#changed && maxMs > minMs) {
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      const timeUp = new AbortController()
      await Promise.race([changed, sleep(maxMs - minMs, AbortSignal.any([signal, timeUp.signal]))])
      timeUp.abort()
    }
    const changed = this.#changed
    this.#changed = false
    return changed
  }

  close(): void {
    clearTimeout(this.#settling)
    this.#abort.abort()
  }

  async *#keepJobCounts(stream: AsyncIterable<InstanceJobStats>): AsyncGenerator<void> {
    for await (const stats of stream) {
      this.#jobCounts = fingerprint(toJobs(stats))
      if (this.#jobCounts !== this.#countsRead) yield
    }
  }

  /** Marks the first of several submissions as a change, after a while, and so yields nothing. */
  async *#settle(submissions: AsyncIterable<void>): AsyncGenerator<never> {
    for await (const _ of submissions) {
      this.#settling ??= setTimeout(() => {
        this.#settling = undefined
        this.#submitted = true
        this.#markChanged()
      }, SETTLE_MS)
    }
  }

  /** Follows a stream. Opens it again after a failure, which may be the reload of a module (ENOSYS). */
  async #follow(open: OpenStream, signal: AbortSignal, { optional = false } = {}): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const _ of open()) {
          this.#broken.delete(open)
          this.#markChanged()
        }
      } catch {
        // The broker does not offer this stream, or has ended: in both cases the next reading gives the reason.
      }
      if (!optional) this.#broken.add(open)
      this.#markChanged()
      await sleep(this.#reopenMs, signal)
    }
  }

  #markChanged(): void {
    this.#changed = true
    this.#wake()
  }
}

async function* passOn<T>(stream: AsyncIterable<T>, tell: (one: T) => void): AsyncGenerator<void> {
  for await (const one of stream) {
    tell(one)
    yield
  }
}

async function* jobStateEvents(client: Client, limits: Limits): AsyncGenerator<FluxEvent> {
  yield* await client.subscribe('job-state', limits)
}
