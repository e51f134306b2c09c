// What an adapter describes in OpenAPI, v2 and v3: asked now and then, and kept in memory.
import { createHash } from 'node:crypto'
import type { OpenapiParts, OtherOpenapi } from '#api/documents/openapi-parts.ts'
import { readBoundedText } from '#serving/bounded-text.ts'
import { Poll } from '#serving/waiting/poll.ts'
import type { AdapterConnection } from './adapter-connection.ts'
import { tooLong } from './adapter-failure.ts'

/** Those of custom-metrics-apiserver have 50 KiB: they do not depend on the metrics. */
const MAX_DOCUMENT_BYTES = 1024 * 1024

/** They change when the adapter is upgraded. */
const POLL_MS = 600_000
const RETRY_CAP_MS = 60_000
const TIMEOUT_MS = 10_000

export interface AdapterOpenapiOptions {
  readonly group: string
  readonly versions: readonly string[]
  readonly connection: Pick<AdapterConnection, 'send'>
  readonly pollMs?: number | undefined
}

interface Description extends OpenapiParts {
  readonly hash: string
}

const V2 = '/openapi/v2'

export class AdapterOpenapi implements OtherOpenapi {
  readonly #options: AdapterOpenapiOptions
  readonly #poll: Poll
  /** By the path of the document. */
  readonly #descriptions = new Map<string, Description>()
  #version = 0

  constructor(options: AdapterOpenapiOptions) {
    const { pollMs = POLL_MS } = options
    this.#options = options
    this.#poll = new Poll({
      task: () => this.#read(),
      intervalMs: pollMs,
      pauseCapMs: Math.min(RETRY_CAP_MS, pollMs),
    })
  }

  get version(): number {
    return this.#version
  }

  v2(): OpenapiParts | undefined {
    return this.#descriptions.get(V2)
  }

  v3(path: string): OpenapiParts | undefined {
    return this.#descriptions.get(`/openapi/v3${path}`)
  }

  /** Resolves after the first reading, whether it succeeded or not. */
  async start(): Promise<void> {
    await this.#poll.start()
  }

  close(): void {
    this.#poll.close()
  }

  /** Never rejects. What cannot be read stays as it was: nobody but people reads these documents. */
  async #read(): Promise<boolean> {
    const { group, versions } = this.#options
    const paths = [V2, ...versions.map((version) => `/openapi/v3/apis/${group}/${version}`)]
    try {
      for (const path of paths) this.#use(path, await this.#readDocument(path))
      return true
    } catch {
      return false
    }
  }

  #use(path: string, next: Description | undefined): void {
    if (next?.hash === this.#descriptions.get(path)?.hash) return
    if (next === undefined) this.#descriptions.delete(path)
    else this.#descriptions.set(path, next)
    this.#version += 1
  }

  /** @returns `undefined` if the adapter has no such document */
  async #readDocument(path: string): Promise<Description | undefined> {
    const { group, connection } = this.#options
    const answer = await connection.send({
      path,
      headers: { Accept: 'application/json' },
      timeoutMs: TIMEOUT_MS,
    })
    if (answer.statusCode !== 200) {
      answer.destroy()
      return undefined
    }
    const text = await readBoundedText(answer, MAX_DOCUMENT_BYTES)
    if (text === undefined) throw new Error(tooLong(MAX_DOCUMENT_BYTES))
    const { paths, definitions, components } = toFields(JSON.parse(text))
    const ofGroup = Object.entries(toFields(paths)).filter(([one]) =>
      one.startsWith(`/apis/${group}/`),
    )
    return {
      paths: Object.fromEntries(ofGroup),
      schemas: toFields(definitions ?? toFields(components).schemas),
      hash: createHash('sha256').update(text).digest('base64'),
    }
  }
}

function toFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
