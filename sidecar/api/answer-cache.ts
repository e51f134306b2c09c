// Caches successful answers by URL while the snapshot and the metrics stay the same: most requests repeat an earlier one,
// and then need no routing, parsing or encoding.
import type { Middleware } from 'koa'
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import type { Snapshot, SnapshotSource } from '#scaling/snapshot.ts'
import { readerOf } from './reader.ts'

/** Built-in and user metrics, in three path forms and two versions, have about 600 URLs. */
const MAX_ANSWERS = 1024

/** Longer URLs are not requested regularly. */
const MAX_URL_LENGTH = 512

/** A successful answer, JSON. */
export interface Answer {
  readonly body: string
  readonly metric: Pick<Metric, 'isPublishedSize'>
  /** The route pattern that matched the URL, for the request metrics. */
  readonly route: string
}

/** Holds the answers from one snapshot. */
export class AnswerCache {
  readonly #catalog: Pick<Catalog, 'version'>
  readonly #answers = new Map<string, Answer>()
  #snapshot: Snapshot | undefined
  #version: number | undefined

  constructor(catalog: Pick<Catalog, 'version'>) {
    this.#catalog = catalog
  }

  get(snapshot: Snapshot, url: string): Answer | undefined {
    return this.#isCurrent(snapshot) ? this.#answers.get(url) : undefined
  }

  set(snapshot: Snapshot, url: string, answer: Answer): void {
    if (url.length > MAX_URL_LENGTH) return
    if (!this.#isCurrent(snapshot) || this.#answers.size >= MAX_ANSWERS) {
      this.#answers.clear()
      this.#snapshot = snapshot
      this.#version = this.#catalog.version
    }
    this.#answers.set(url, answer)
  }

  #isCurrent(snapshot: Snapshot): boolean {
    return snapshot === this.#snapshot && this.#version === this.#catalog.version
  }
}

/** Answers from the cache while `source` has the same fresh snapshot; otherwise the next middleware answers. */
export function recallAnswers(answers: AnswerCache, source: SnapshotSource): Middleware {
  return (ctx, next) => {
    const reading = source.reading()
    const answer = reading.kind === 'fresh' ? answers.get(reading.snapshot, ctx.url) : undefined
    if (reading.kind === 'stale' || answer === undefined) return next()
    source.noteAnswer?.(reading.snapshot, readerOf(ctx.req.headers, answer.metric))
    ctx._matchedRoute = answer.route
    ctx.set('Content-Type', 'application/json')
    ctx.body = answer.body
    return undefined
  }
}
