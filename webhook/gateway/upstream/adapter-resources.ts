// What an adapter lists in its discovery: polled, and kept in memory, so that our discovery never waits for it.
import { createHash } from 'node:crypto'
import type { ApiResource, OtherResources } from '#api/documents/resources.ts'
import { readBoundedText } from '#serving/bounded-text.ts'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/waiting/poll.ts'
import type { AdapterConnection } from './adapter-connection.ts'
import { reasonOf, tooLong } from './adapter-failure.ts'
import { parseResourceList } from './resource-list.ts'

/** 40,000 metrics. HPAs need no list: what is longer is only not shown. */
const MAX_LIST_BYTES = 4 * 1024 * 1024

const POLL_MS = 30_000
/** Up to this part of the interval is left out, so that replicas do not ask together. */
const JITTER = 0.2
/** An adapter that is back is known within this time. */
const RETRY_CAP_MS = 5_000
const TIMEOUT_MS = 10_000

/** Its resources stay listed while an adapter starts again: clients that keep lists would lose them, and nothing is gained. */
const KEPT_MS = 120_000

export interface AdapterResourcesOptions {
  readonly group: string
  readonly versions: readonly string[]
  readonly connection: Pick<AdapterConnection, 'send'>
  readonly log: Logger
  readonly pollMs?: number | undefined
  /** Milliseconds of a monotonic clock. */
  readonly now?: (() => number) | undefined
}

type Reading =
  | { readonly kind: 'list'; readonly hash: string; readonly resources: readonly ApiResource[] }
  /** The adapter does not serve this version. */
  | { readonly kind: 'absent' }
  /** It does, but its list cannot be used. */
  | { readonly kind: 'unusable'; readonly reason: string }

const NOTHING: readonly ApiResource[] = []

export class AdapterResources implements OtherResources {
  readonly #options: AdapterResourcesOptions
  readonly #poll: Poll
  readonly #now: () => number
  /** By version. Without an entry it is not known whether the adapter serves it. */
  readonly #readings = new Map<string, Reading>()
  #version = 0
  #answeredAt: number
  #isDropped = false
  #problem: string | undefined = 'its discovery was not read yet'

  constructor(options: AdapterResourcesOptions) {
    const { pollMs = POLL_MS, now = () => performance.now() } = options
    this.#options = options
    this.#now = now
    this.#answeredAt = now()
    this.#poll = new Poll({
      task: () => this.#read(),
      intervalMs: pollMs * (1 - JITTER * Math.random()),
      pauseCapMs: Math.min(RETRY_CAP_MS, pollMs),
    })
  }

  get version(): number {
    return this.#version
  }

  /** Why its discovery is not known, or not all of it; `undefined` if it is. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Whether it has said that it serves a version of the group. */
  get isServing(): boolean {
    return [...this.#readings.values()].some(({ kind }) => kind !== 'absent')
  }

  /** Those of the version that answers for the one in `groupVersion`. */
  resourcesOf(groupVersion: string): readonly ApiResource[] {
    const [group, version = ''] = groupVersion.split('/')
    if (group !== this.#options.group || this.#isDropped) return NOTHING
    const reading = this.#readings.get(this.served(version))
    return reading?.kind === 'list' ? reading.resources : NOTHING
  }

  /** The version to ask for: another one only if the adapter is known to serve that, and not this. */
  served(version: string): string {
    if (this.#readings.get(version)?.kind !== 'absent') return version
    const isServed = (one: string) => {
      const kind = this.#readings.get(one)?.kind
      return kind === 'list' || kind === 'unusable'
    }
    return this.#options.versions.find(isServed) ?? version
  }

  /** Resolves after the first reading, whether it succeeded or not. */
  async start(): Promise<void> {
    await this.#poll.start()
  }

  close(): void {
    this.#poll.close()
  }

  /** Never rejects. */
  async #read(): Promise<boolean> {
    const { versions } = this.#options
    try {
      const readings = await Promise.all(
        versions.map(async (version) => [version, await this.#readVersion(version)] as const),
      )
      this.#use(readings)
      return true
    } catch (error) {
      this.#note(reasonOf(error))
      if (this.#now() - this.#answeredAt >= KEPT_MS && !this.#isDropped) {
        this.#isDropped = true
        this.#version += 1
      }
      return false
    }
  }

  async #readVersion(version: string): Promise<Reading> {
    const { group, connection } = this.#options
    const answer = await connection.send({
      path: `/apis/${group}/${version}`,
      headers: { Accept: 'application/json' },
      timeoutMs: TIMEOUT_MS,
    })
    const { statusCode } = answer
    if (statusCode !== 200) {
      answer.destroy()
      if (statusCode === 404) return { kind: 'absent' }
      throw new Error(`its discovery answers ${statusCode}`)
    }
    // What is cut off is asked for again.
    const text = await readBoundedText(answer, MAX_LIST_BYTES)
    if (text === undefined) {
      const reason = `${tooLong(MAX_LIST_BYTES)} at /apis/${group}/${version}`
      return { kind: 'unusable', reason }
    }
    const resources = parseResourceList(text)
    return resources === undefined
      ? { kind: 'unusable', reason: `its discovery of ${version} is no APIResourceList` }
      : { kind: 'list', hash: createHash('sha256').update(text).digest('base64'), resources }
  }

  #use(readings: readonly (readonly [string, Reading])[]): void {
    this.#answeredAt = this.#now()
    let isChanged = this.#isDropped
    this.#isDropped = false
    for (const [version, reading] of readings) {
      if (!isSame(this.#readings.get(version), reading)) isChanged = true
      this.#readings.set(version, reading)
    }
    if (isChanged) this.#version += 1
    this.#note(problemOf(readings.map(([, reading]) => reading)))
  }

  #note(problem: string | undefined): void {
    if (problem === this.#problem) return
    const { log, group } = this.#options
    this.#problem = problem
    if (problem === undefined) log.info({ group }, 'the discovery of the adapter is known')
    else log.warn({ group, reason: problem }, 'the discovery of the adapter is not known')
  }
}

function problemOf(readings: readonly Reading[]): string | undefined {
  if (readings.every(({ kind }) => kind === 'absent')) return 'it serves no version of the group'
  return readings.map((one) => (one.kind === 'unusable' ? one.reason : undefined)).find(Boolean)
}

function isSame(one: Reading | undefined, other: Reading): boolean {
  if (one?.kind === 'list' && other.kind === 'list') return one.hash === other.hash
  return one?.kind === other.kind
}
