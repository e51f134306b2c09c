// The front proxy of this cluster, as kube-apiserver publishes it: which authority signs its certificates, and how it is
// called. Sidecars are told, so that they can tell it from everyone else.
import { X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/poll.ts'
import type { Cluster, ClusterObject } from './cluster.ts'
import { POLL_PACE } from './cluster.ts'
import { Outage } from './outage.ts'

/** ConfigMap that every kube-apiserver with an aggregation layer keeps. */
export const REFERENCE = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'extension-apiserver-authentication',
  namespace: 'kube-system',
} as const

/** Longer than sidecars take to ask again (10 min): until then old and new are to be accepted everywhere. */
const RETIREMENT_MS = 15 * 60_000

/** `--requestheader-…` of kube-apiserver. */
export interface RequestHeader {
  /** PEM, one certificate or more. */
  readonly clientCa: string
  /** Common names of the front proxy; none is any. */
  readonly allowedNames: readonly string[]
  readonly usernameHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  readonly extraHeaderPrefixes: readonly string[]
}

const NAMES = v.pipe(
  v.optional(v.string(), '[]'),
  v.parseJson(undefined, 'expected a JSON array of strings'),
  v.array(v.string(), 'expected a JSON array of strings'),
)

const ConfigMapSchema = v.object({
  data: v.object({
    'requestheader-client-ca-file': v.string('expected certificates in PEM'),
    'requestheader-allowed-names': NAMES,
    'requestheader-username-headers': NAMES,
    'requestheader-group-headers': NAMES,
    'requestheader-extra-headers-prefix': NAMES,
  }),
})

export interface RequestHeaderWatchOptions {
  readonly cluster: Cluster
  readonly log: Logger
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** Knows the front proxy, and for a while the one before. */
export class RequestHeaderWatch {
  readonly #cluster: Cluster
  readonly #log: Logger
  readonly #now: () => number
  readonly #outage: Outage
  readonly #poll: Poll
  #current: RequestHeader | undefined
  #retired: { readonly header: RequestHeader; readonly until: number } | undefined

  constructor({ cluster, log, now = Date.now }: RequestHeaderWatchOptions) {
    this.#cluster = cluster
    this.#log = log.child({ component: 'request-header' })
    this.#now = now
    this.#outage = new Outage(this.#log, "read the front proxy's authority")
    this.#poll = new Poll({ ...POLL_PACE, task: () => this.tick() })
  }

  /** Looks every few seconds until closed. Resolves after the first look, whether or not it succeeded. */
  async start(): Promise<void> {
    await this.#poll.start()
  }

  close(): void {
    this.#poll.close()
  }

  /** What clients may be taken for the front proxy now; `undefined` as long as it was never read. */
  get header(): RequestHeader | undefined {
    const retired = this.#retired
    if (this.#current === undefined || retired === undefined || retired.until <= this.#now()) {
      return this.#current
    }
    return join(this.#current, retired.header)
  }

  /** Looks once. Never rejects. @returns whether it succeeded */
  async tick(): Promise<boolean> {
    try {
      this.#learn(parse(await this.#cluster.read(REFERENCE)))
      this.#outage.report([])
      return true
    } catch (error) {
      this.#outage.report([error])
      return false
    }
  }

  #learn(header: RequestHeader): void {
    const before = this.#current
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(header)) return
    this.#current = header
    if (before === undefined) return
    this.#retired = { header: before, until: this.#now() + RETIREMENT_MS }
    const { allowedNames } = header
    this.#log.info({ allowedNames }, "the front proxy's authority has changed")
  }
}

function parse(object: ClusterObject | undefined): RequestHeader {
  const where = `ConfigMap "${REFERENCE.namespace}/${REFERENCE.name}"`
  if (object === undefined) {
    throw new Error(`Cannot find ${where}: kube-apiserver has no --requestheader-client-ca-file`)
  }
  const parsed = v.safeParse(ConfigMapSchema, object)
  if (!parsed.success) {
    const [issue] = parsed.issues
    throw new Error(`Cannot read ${where}: ${issue.message} at "${v.getDotPath(issue)}"`)
  }
  const { data } = parsed.output
  return {
    clientCa: checked(data['requestheader-client-ca-file'], where),
    allowedNames: data['requestheader-allowed-names'],
    usernameHeaders: data['requestheader-username-headers'],
    groupHeaders: data['requestheader-group-headers'],
    extraHeaderPrefixes: data['requestheader-extra-headers-prefix'],
  }
}

/** A text that is no certificate would make every sidecar refuse everyone, or fail. */
function checked(pem: string, where: string): string {
  try {
    return new X509Certificate(pem) && pem
  } catch (cause) {
    const key = 'requestheader-client-ca-file'
    throw new Error(`Cannot read ${where}: expected certificates in PEM at "data.${key}"`, {
      cause,
    })
  }
}

/** Both are accepted. A list without names is one of all names, and stays so. */
function join(one: RequestHeader, other: RequestHeader): RequestHeader {
  const names = (a: readonly string[], b: readonly string[]) => [...new Set([...a, ...b])]
  const anyName = one.allowedNames.length === 0 || other.allowedNames.length === 0
  return {
    ...one,
    clientCa:
      one.clientCa === other.clientCa
        ? one.clientCa
        : `${one.clientCa.trimEnd()}\n${other.clientCa.trimEnd()}\n`,
    allowedNames: anyName ? [] : names(one.allowedNames, other.allowedNames),
  }
}
