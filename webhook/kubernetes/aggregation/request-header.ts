// The front proxy of this cluster, as kube-apiserver publishes it: the CA of its certificates, and its names. The webhook
// sends both to the sidecars, which verify the front proxy with them. Verifies no client itself.
import { X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/waiting/poll.ts'
import type { Cluster, ClusterObject } from '../cluster.ts'
import { POLL_PACE } from '../cluster.ts'
import { Outage } from '../outage.ts'

/** The ConfigMap that every kube-apiserver with an aggregation layer publishes. */
export const REFERENCE = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'extension-apiserver-authentication',
  namespace: 'kube-system',
} as const

/**
 * How long the previous front proxy is still accepted: longer than all sidecars need to read the new one (10 min). Until
 * then both must be accepted everywhere.
 */
const RETIREMENT_MS = 15 * 60_000

/** The `--requestheader-…` options of kube-apiserver. */
export interface RequestHeader {
  /** PEM, one certificate or more. */
  readonly clientCa: string
  /** Common names of the front proxy; an empty list is any name. */
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

/** Reads the front proxy again and again, and remembers the previous one for a while. */
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

  /** Reads it every few seconds until closed. Resolves after the first attempt, even if that failed. */
  async start(): Promise<void> {
    await this.#poll.start()
  }

  close(): void {
    this.#poll.close()
  }

  /** The clients to accept as front proxy now; `undefined` before the first successful read. */
  get header(): RequestHeader | undefined {
    const retired = this.#retired
    if (this.#current === undefined || retired === undefined || retired.until <= this.#now()) {
      return this.#current
    }
    return join(this.#current, retired.header)
  }

  /** Reads it once. Never rejects. @returns whether it succeeded */
  async tick(): Promise<boolean> {
    try {
      this.#remember(parse(await this.#cluster.read(REFERENCE)))
      this.#outage.report([])
      return true
    } catch (error) {
      this.#outage.report([error])
      return false
    }
  }

  #remember(header: RequestHeader): void {
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
    clientCa: checkedPem(data['requestheader-client-ca-file'], where),
    allowedNames: data['requestheader-allowed-names'],
    usernameHeaders: data['requestheader-username-headers'],
    groupHeaders: data['requestheader-group-headers'],
    extraHeaderPrefixes: data['requestheader-extra-headers-prefix'],
  }
}

/** Checks PEM. With an invalid CA every sidecar would refuse all clients, or fail. */
function checkedPem(pem: string, where: string): string {
  try {
    return new X509Certificate(pem) && pem
  } catch (cause) {
    const key = 'requestheader-client-ca-file'
    throw new Error(`Cannot read ${where}: expected certificates in PEM at "data.${key}"`, {
      cause,
    })
  }
}

/** Accepts both. An empty list of names allows any name, so the result is empty too. */
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
