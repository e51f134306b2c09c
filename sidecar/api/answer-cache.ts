// Answers already given, by URL, for as long as the snapshot they were read from is the latest and the metrics are the
// same: most requests repeat one that came before, and need no routing, parsing or writing then.
import type { Middleware } from 'koa'
import type { Catalog } from '#metrics/catalog.ts'
import type { Snapshot, SnapshotSource } from '#scaling/snapshot.ts'

/** Our metrics and as many of users in three path forms and two versions are some 600 URLs. */
const MAX_ANSWERS = 1024

/** Longer URLs are nobody's routine. */
const MAX_URL_LENGTH = 512

/** A successful answer, JSON. */
export interface Answer {
  readonly body: string
  /** The pattern that matched the URL, for those who count requests. */
  readonly route: string
}

/** Keeps answers read from one snapshot. */
export class AnswerCache {
  readonly #catalog: Pick<Catalog, 'version'>
  readonly #answers = new Map<string, Answer>()
  #snapshot: Snapshot | undefined
  #version: number | undefined

  constructor(catalog: Pick<Catalog, 'version'>) {
    this.#catalog = catalog
  }

  get(snapshot: Snapshot, url: string): Answer | undefined {
    return this.#isOf(snapshot) ? this.#answers.get(url) : undefined
  }

  set(snapshot: Snapshot, url: string, answer: Answer): void {
    if (url.length > MAX_URL_LENGTH) return
    if (!this.#isOf(snapshot) || this.#answers.size >= MAX_ANSWERS) {
      this.#answers.clear()
      this.#snapshot = snapshot
      this.#version = this.#catalog.version
    }
    this.#answers.set(url, answer)
  }

  #isOf(snapshot: Snapshot): boolean {
    return snapshot === this.#snapshot && this.#version === this.#catalog.version
  }
}

/** Answers again what was answered before, if `source` still vouches for the same snapshot; else asks on. */
export function recallAnswers(answers: AnswerCache, source: SnapshotSource): Middleware {
  return (ctx, next) => {
    const reading = source.reading()
    const answer = reading.kind === 'fresh' ? answers.get(reading.snapshot, ctx.url) : undefined
    if (reading.kind === 'stale' || answer === undefined) return next()
    source.noteAnswer?.(reading.snapshot)
    ctx._matchedRoute = answer.route
    ctx.set('Content-Type', 'application/json')
    ctx.body = answer.body
    return undefined
  }
}
