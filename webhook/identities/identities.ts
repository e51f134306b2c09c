// The webhook's side of identities: answers the sidecars that ask for one. A sidecar shows its token, and is issued the
// certificate that its pod may have and the CAs to trust. The sidecar's side, which keeps one identity, is
// sidecar/identity/.
import * as v from 'valibot'
import { sidecarNames } from '#serving/certificate-names.ts'
import type { Logger } from '#serving/log.ts'
import {
  badRequest,
  forbidden,
  internalError,
  StatusError,
  tooManyRequests,
  unavailable,
} from '#serving/status.ts'
import { messageOf } from '#serving/text.ts'
import type { Authority } from '../authority/authority.ts'
import { METRICS_SERVICE } from '../contract.ts'
import { type Cluster, ClusterError } from '../kubernetes/cluster.ts'
import type { RequestHeader, RequestHeaderWatch } from '../kubernetes/request-header.ts'
import type { Telemetry } from '../telemetry.ts'
import { BearerCheck } from './bearer.ts'
import { parseCertificateRequest } from './certificate-request.ts'
import { type Bearer, Refusal, refusalOf } from './refusal.ts'

/** The answer to a sidecar. */
export interface IssuedIdentity {
  /** PEM of its serving certificate; absent if it did not ask for one. */
  readonly certificate?: string
  /** PEM of the project's CA certificates, including the one that signs the webhook's own certificate. */
  readonly ca: string
  readonly requestHeader: RequestHeader
}

/** A request for an {@link IssuedIdentity}. */
export interface IdentityRequest {
  /** The pod's projected token with the project's audience. */
  readonly token: string | undefined
  /** Rejects with a StatusError if the body cannot be read. */
  readonly body: Promise<Buffer>
}

/** Anyone may send a request, and each one costs the API server a token review: admission must not wait for those. */
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
   * Authenticates a sidecar and issues its identity. Logs one line and counts each request.
   *
   * @throws StatusError 400, 401, 403, 413, 429 or 503 with the reason; 500 without
   */
  async issue(request: IdentityRequest): Promise<IssuedIdentity> {
    const { countCertificate } = this.#options.telemetry
    this.#pending += 1
    try {
      // Awaited first: a body that fails while nothing awaits it would be an unhandled rejection.
      const body = await request.body
      if (this.#pending > MAX_PENDING) {
        throw refusalOf('TooMany', tooManyRequests(`more than ${MAX_PENDING} requests are pending`))
      }
      const bearer = await this.#bearers.authenticate(request.token)
      const { identity, outcome, facts } = await this.#issueTo(bearer, body)
      countCertificate(outcome)
      this.#log.info({ ...bearer, outcome, ...facts }, 'identity issued')
      return identity
    } catch (error) {
      const refusal = error instanceof Refusal ? error : toRefusal(error)
      countCertificate(refusal.outcome)
      const { outcome, message, bearer } = refusal
      this.#log.warn({ ...bearer, outcome, why: message }, 'identity refused')
      throw refusal.status
    } finally {
      this.#pending -= 1
    }
  }

  /** The only names that the lead broker of a MiniCluster may have: the Service of its namespace, and its own. */
  static namesOf({
    namespace,
    minicluster,
  }: Pick<Bearer, 'namespace' | 'minicluster'>): readonly string[] {
    return sidecarNames({ namespace, minicluster, serviceName: METRICS_SERVICE })
  }

  async #issueTo(bearer: Bearer, body: Buffer) {
    const { authority, requestHeader } = this.#options
    const { header } = requestHeader
    if (authority === undefined) {
      const message = 'this webhook issues no certificates (CERTIFICATES=files)'
      throw refusalOf('NoAuthority', unavailable(message), bearer)
    }
    if (header === undefined) {
      const message = "the front proxy's authority is not known yet"
      throw refusalOf('NoAuthority', unavailable(message), bearer)
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
    const message = `cannot read the certificate request: ${messageOf(error)}`
    throw refusalOf('BadCertificateRequest', badRequest(message), bearer)
  })
  const { publicKey, keyKind } = request
  if (publicKey === undefined) {
    const message = `expected a key on the curve P-256, got ${keyKind}`
    throw refusalOf('WeakKey', forbidden(message), bearer)
  }
  const others = request.dnsNames.filter((name) => !names.includes(name))
  const [wrong] = [...others, ...request.otherNames]
  if (wrong !== undefined) {
    const message = `the pod may not have the name "${wrong.slice(0, 100)}", only ${names.join(', ')}`
    throw refusalOf('WrongNames', forbidden(message), bearer)
  }
  return publicKey
}

function parseBody(body: Buffer, bearer: Bearer): string | undefined {
  try {
    return v.parse(BodySchema, JSON.parse(body.toString('utf8'))).csr
  } catch {
    const message = 'expected a JSON object with an optional string "csr"'
    throw refusalOf('BadRequest', badRequest(message), bearer)
  }
}

/** The refusal for an error of another part: no answer of the API server, an unreadable body, no CA, or a defect. */
function toRefusal(error: unknown): Refusal {
  if (error instanceof ClusterError) return refusalOf('ApiServerAway', unavailable(error.message))
  if (error instanceof StatusError) {
    return refusalOf(error.code === 503 ? 'NoAuthority' : 'BadRequest', error)
  }
  return new Refusal('InternalError', internalError(error), {})
}
