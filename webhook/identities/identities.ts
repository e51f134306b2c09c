// The webhook as authority: a sidecar shows its token, and obtains the certificate that its pod may have and the
// authorities that it is to trust. Everything that the pod says of itself is checked with the API server.

import * as v from 'valibot'
import type { Logger } from '#serving/log.ts'
import {
  badRequest,
  forbidden,
  internalError,
  StatusError,
  tooManyRequests,
  unavailable,
} from '#serving/status.ts'
import type { Authority } from '../authority/authority.ts'
import { METRICS_SERVICE } from '../contract.ts'

import { type Cluster, ClusterError } from '../kubernetes/cluster.ts'
import type { RequestHeader, RequestHeaderWatch } from '../kubernetes/request-header.ts'
import type { Telemetry } from '../telemetry.ts'
import { BearerCheck } from './bearer.ts'
import { parseCertificateRequest } from './certificate-request.ts'
import { type Bearer, Refusal, refuse } from './refusal.ts'

/** What a sidecar is given. */
export interface IssuedIdentity {
  /** PEM of its serving certificate; absent if it did not ask for one. */
  readonly certificate?: string
  /** PEM of the project's authorities, the one that signs our own certificate among them. */
  readonly ca: string
  readonly requestHeader: RequestHeader
}

/** A request for an {@link IssuedIdentity}. */
export interface IdentityRequest {
  /** The pod's projected token, with our audience. */
  readonly token: string | undefined
  /** Rejects with a StatusError if it cannot be read. */
  readonly body: Promise<Buffer>
}

/** Anyone may ask, and each who does costs the API server a review: admissions must not have to wait for that. */
const MAX_PENDING = 32

const BodySchema = v.object({ csr: v.optional(v.string()) })

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
  readonly #bearers: BearerCheck
  readonly #log: Logger
  #pending = 0

  constructor(options: IdentitiesOptions) {
    this.#options = options
    this.#bearers = new BearerCheck(options.cluster)
    this.#log = options.log.child({ component: 'identities' })
  }

  /**
   * Checks who asks, and gives it what is its own. One line of the log and one count each time.
   *
   * @throws StatusError 400, 401, 403, 413 or 503 with the reason, or 500 without
   */
  async issue(request: IdentityRequest): Promise<IssuedIdentity> {
    const { countCertificate } = this.#options.telemetry
    this.#pending += 1
    try {
      // First, so that somebody hears of its failure.
      const body = await request.body
      if (this.#pending > MAX_PENDING) {
        throw refuse('TooMany', tooManyRequests(`more than ${MAX_PENDING} are asking at once`))
      }
      const bearer = await this.#bearers.authenticate(request.token)
      const { identity, outcome, facts } = await this.#give(bearer, body)
      countCertificate(outcome)
      this.#log.info({ ...bearer, outcome, ...facts }, 'identity')
      return identity
    } catch (error) {
      const refusal = error instanceof Refusal ? error : failed(error)
      countCertificate(refusal.outcome)
      const { outcome, message, bearer } = refusal
      this.#log.warn({ ...bearer, outcome, why: message }, 'identity refused')
      throw refusal.status
    } finally {
      this.#pending -= 1
    }
  }

  /** The names that the pod of a MiniCluster may have, and no other: a Service of its namespace, and itself. */
  static namesOf({ namespace, minicluster }: Pick<Bearer, 'namespace' | 'minicluster'>): string[] {
    return [
      `${METRICS_SERVICE}.${namespace}.svc`,
      `${minicluster}.${namespace}.miniclusters.flux-metrics`,
    ]
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
  const { publicKey, keyKind } = request
  if (publicKey === undefined) {
    const message = `expected a key on the curve P-256, got ${keyKind}`
    throw refuse('WeakKey', forbidden(message), bearer)
  }
  const others = request.dnsNames.filter((name) => !names.includes(name))
  const [wrong] = [...others, ...request.otherNames]
  if (wrong !== undefined) {
    const message = `the pod may not have the name "${wrong.slice(0, 100)}", but ${names.join(', ')}`
    throw refuse('WrongNames', forbidden(message), bearer)
  }
  return publicKey
}

function parseBody(body: Buffer, bearer: Bearer): string | undefined {
  try {
    return v.parse(BodySchema, JSON.parse(body.toString('utf8'))).csr
  } catch {
    const message = 'expected a JSON object, with a text "csr" or without'
    throw refuse('BadRequest', badRequest(message), bearer)
  }
}

/** What others threw: the API server does not answer, the body cannot be read, there is no CA, or a defect of ours. */
function failed(error: unknown): Refusal {
  if (error instanceof ClusterError) return refuse('ApiServerAway', unavailable(error.message))
  if (error instanceof StatusError) {
    return refuse(error.code === 503 ? 'NoAuthority' : 'BadRequest', error)
  }
  return new Refusal('InternalError', internalError(error), {})
}
