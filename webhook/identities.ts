// The webhook as authority: a sidecar shows its token, and obtains the certificate that its pod may have and the
// authorities that it is to trust. Everything that the pod says of itself is checked with the API server.
import * as v from 'valibot'
import type { Logger } from '#serving/log.ts'
import { badRequest, forbidden, StatusError, unauthorized, unavailable } from '#serving/status.ts'
import { INJECTED, readAnnotations } from './annotations.ts'
import type { Authority } from './authority/authority.ts'
import { parseCertificateRequest } from './authority/certificate-request.ts'
import type { Cluster } from './cluster.ts'
import { preselect } from './decision.ts'
import { findMiniCluster } from './facts.ts'
import { allContainers, type Pod, toPod } from './pod.ts'
import type { RequestHeader, RequestHeaderWatch } from './request-header.ts'
import { METRICS_SERVICE, NAME, TOKEN_AUDIENCE } from './sidecar-container.ts'
import type { Telemetry } from './telemetry.ts'

/** What came of a request; for programs, in logs, errors and metrics. No other words are used there. */
export const OUTCOMES = [
  'Issued',
  'TrustOnly',
  'BadRequest',
  'NoToken',
  'TokenRefused',
  'NotAPodsToken',
  'PodGone',
  'NotInjected',
  'NotALeadBroker',
  'NotEnabled',
  'BadCertificateRequest',
  'WeakKey',
  'WrongNames',
  'NoAuthority',
  'ApiServerAway',
] as const

export type IdentityOutcome = (typeof OUTCOMES)[number]

/** What a sidecar is given. */
export interface Identity {
  /** PEM of its serving certificate; absent if it did not ask for one. */
  readonly certificate?: string
  /** PEM of the project's authorities, the one that signs our own certificate among them. */
  readonly ca: string
  readonly requestHeader: RequestHeader
}

/** A request for an {@link Identity}. */
export interface IdentityRequest {
  /** The pod's projected token, with our audience. */
  readonly token: string | undefined
  readonly body: Buffer
}

/** Whom a token is of, after all checks. */
interface Bearer {
  readonly namespace: string
  readonly pod: string
  readonly minicluster: string
}

const BodySchema = v.object({ csr: v.optional(v.string()) })

const POD_NAME = 'authentication.kubernetes.io/pod-name'
const POD_UID = 'authentication.kubernetes.io/pod-uid'

const ReviewSchema = v.object({
  status: v.object({
    authenticated: v.optional(v.boolean(), false),
    error: v.optional(v.string()),
    audiences: v.optional(v.array(v.string()), []),
    user: v.optional(
      v.object({
        username: v.optional(v.string(), ''),
        extra: v.optional(v.record(v.string(), v.array(v.string())), {}),
      }),
      {},
    ),
  }),
})

/** `system:serviceaccount:NAMESPACE:NAME` */
const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9-]{1,63}):[^:]+$/

export interface IdentitiesOptions {
  readonly cluster: Cluster
  readonly authority: Authority | undefined
  readonly requestHeader: Pick<RequestHeaderWatch, 'header'>
  readonly telemetry: Telemetry
  readonly log: Logger
}

/** Answers requests for identities. */
export class Identities {
  readonly #options: IdentitiesOptions
  readonly #log: Logger

  constructor(options: IdentitiesOptions) {
    this.#options = options
    this.#log = options.log.child({ component: 'identities' })
  }

  /**
   * Checks who asks, and gives it what is its own. One line of the log and one count each time.
   *
   * @throws StatusError 400, 401, 403 or 503 with the reason
   */
  async issue(request: IdentityRequest): Promise<Identity> {
    const { countCertificate } = this.#options.telemetry
    try {
      const bearer = await this.#authenticate(request.token)
      const { identity, outcome, facts } = await this.#give(bearer, request.body)
      countCertificate(outcome)
      this.#log.info({ ...bearer, outcome, ...facts }, 'identity')
      return identity
    } catch (error) {
      const refusal = error instanceof Refusal ? error : away(error)
      countCertificate(refusal.outcome)
      const { outcome, message, bearer } = refusal
      this.#log.warn({ ...bearer, outcome, why: message }, 'identity refused')
      throw refusal.status
    }
  }

  /** The names that the pod of a MiniCluster may have, and no other: a Service of its namespace, and itself. */
  static namesOf({ namespace, minicluster }: Pick<Bearer, 'namespace' | 'minicluster'>): string[] {
    return [
      `${METRICS_SERVICE}.${namespace}.svc`,
      `${minicluster}.${namespace}.miniclusters.flux-metrics`,
    ]
  }

  async #authenticate(token: string | undefined): Promise<Bearer> {
    if (token === undefined || token === '') {
      throw refuse('NoToken', unauthorized('expected a bearer token in "Authorization"'))
    }
    const { namespace, podName, podUid } = await this.#reviewToken(token)
    const claimed = { namespace, pod: podName }
    const reference = { apiVersion: 'v1', kind: 'Pod', namespace, name: podName }
    const pod = toPod(await this.#options.cluster.read(reference))
    if (pod === undefined || pod.metadata.uid !== podUid) {
      throw refuse('PodGone', forbidden('the pod of the token does not exist'), claimed)
    }
    return { ...claimed, minicluster: await this.#miniClusterOf(pod, namespace, claimed) }
  }

  async #reviewToken(token: string) {
    const answer = await this.#options.cluster.create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token, audiences: [TOKEN_AUDIENCE] },
    })
    const { authenticated, audiences, user, error } = v.parse(ReviewSchema, answer).status
    if (!authenticated || !audiences.includes(TOKEN_AUDIENCE)) {
      const why = error ?? `it is not for the audience "${TOKEN_AUDIENCE}"`
      throw refuse('TokenRefused', unauthorized(`the API server does not accept the token: ${why}`))
    }
    const [, namespace] = SERVICE_ACCOUNT.exec(user.username) ?? []
    const [podName] = user.extra[POD_NAME] ?? []
    const [podUid] = user.extra[POD_UID] ?? []
    if (namespace === undefined || podName === undefined || podUid === undefined) {
      throw refuse('NotAPodsToken', forbidden('expected a token that is bound to a pod'))
    }
    return { namespace, podName, podUid }
  }

  /** What a pod copies of another (labels, annotations, owners) does not make it one that a MiniCluster's Job made. */
  async #miniClusterOf(pod: Pod, namespace: string, claimed: Partial<Bearer>): Promise<string> {
    const injected = pod.metadata.annotations?.[INJECTED] !== undefined
    if (!injected || !allContainers(pod).some(({ name }) => name === NAME)) {
      throw refuse('NotInjected', forbidden('the pod has no injected sidecar'), claimed)
    }
    const candidate = preselect(pod)
    if (candidate.kind === 'skip') {
      throw refuse('NotALeadBroker', forbidden(lowerFirst(candidate.message)), claimed)
    }
    const minicluster = await findMiniCluster(this.#options.cluster, candidate, namespace)
    if (minicluster === undefined) {
      const message = "the pod's Job is not controlled by a MiniCluster"
      throw refuse('NotALeadBroker', forbidden(message), claimed)
    }
    const { settings } = readAnnotations(pod.metadata.annotations, minicluster.metadata.annotations)
    const { name } = minicluster.metadata
    if (settings.enabled !== true) {
      const message = `flux-metrics/enabled is not "true" on MiniCluster "${name}"`
      throw refuse('NotEnabled', forbidden(message), claimed)
    }
    return name
  }

  async #give(bearer: Bearer, body: Buffer) {
    const { authority, requestHeader } = this.#options
    const { header } = requestHeader
    if (authority === undefined) {
      const message = 'this webhook issues no certificates (CERTIFICATES=files)'
      throw refuse('NoAuthority', unavailable(message), bearer)
    }
    if (header === undefined) {
      const message = "the front proxy's authority is not known yet"
      throw refuse('NoAuthority', unavailable(message), bearer)
    }
    const csr = parseBody(body, bearer)
    const trust = { ca: authority.bundle, requestHeader: header }
    if (csr === undefined) return { identity: trust, outcome: 'TrustOnly' as const, facts: {} }
    const names = Identities.namesOf(bearer)
    const publicKey = await checkRequest(csr, names, bearer)
    const certificate = await authority.issue({ publicKey, names })
    return {
      identity: { certificate, ...trust },
      outcome: 'Issued' as const,
      facts: { names },
    }
  }
}

async function checkRequest(
  csr: string,
  names: readonly string[],
  bearer: Bearer,
): Promise<CryptoKey> {
  const request = await parseCertificateRequest(csr).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw refuse('BadCertificateRequest', badRequest(`cannot read the request: ${why}`), bearer)
  })
  if (request.keyKind !== 'P-256') {
    const message = `expected a key on the curve P-256, got ${request.keyKind}`
    throw refuse('WeakKey', forbidden(message), bearer)
  }
  const others = request.dnsNames.filter((name) => !names.includes(name))
  const [wrong] = [...others, ...request.otherNames]
  if (wrong !== undefined) {
    const message = `the pod may not have the name "${wrong.slice(0, 100)}", but ${names.join(', ')}`
    throw refuse('WrongNames', forbidden(message), bearer)
  }
  return request.publicKey
}

function parseBody(body: Buffer, bearer: Bearer): string | undefined {
  try {
    return v.parse(BodySchema, JSON.parse(body.toString('utf8'))).csr
  } catch {
    const message = 'expected a JSON object, with a text "csr" or without'
    throw refuse('BadRequest', badRequest(message), bearer)
  }
}

/** A request that is not granted: the answer, and what is logged and counted. */
class Refusal extends Error {
  readonly outcome: IdentityOutcome
  readonly status: StatusError
  readonly bearer: Partial<Bearer>

  constructor(outcome: IdentityOutcome, status: StatusError, bearer: Partial<Bearer>) {
    super(status.message, { cause: status })
    this.outcome = outcome
    this.status = status
    this.bearer = bearer
  }
}

function refuse(
  outcome: IdentityOutcome,
  status: StatusError,
  bearer: Partial<Bearer> = {},
): Refusal {
  return new Refusal(
    outcome,
    new StatusError(status.code, status.reason, `Cannot give an identity: ${status.message}`),
    bearer,
  )
}

/** What nobody foresaw, in nearly every case: the API server does not answer. */
function away(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error)
  const outcome = error instanceof StatusError ? 'NoAuthority' : 'ApiServerAway'
  return refuse(outcome, unavailable(lowerFirst(message)))
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`
}
