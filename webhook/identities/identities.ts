// The webhook's side of identities: answers the sidecars and the gateway that ask for one. Each shows its token, and is issued
// the certificate that its pod may have and the CAs to trust. The other side, which keeps one identity, is sidecar/identity/.
import * as v from 'valibot'
import { RateLimit } from '#serving/limits/rate-limit.ts'
import type { Logger } from '#serving/log.ts'
import {
  badRequest,
  forbidden,
  internalError,
  StatusError,
  tooManyRequests,
  unauthorized,
  unavailable,
} from '#serving/status.ts'
import { messageOf } from '#serving/text.ts'
import type { Authority } from '../authority/authority.ts'
import type { RequestHeader, RequestHeaderWatch } from '../kubernetes/aggregation/request-header.ts'
import { type Cluster, ClusterError } from '../kubernetes/cluster.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Bearer } from './bearer.ts'
import { BearerCheck } from './bearer-check.ts'
import { parseCertificateRequest } from './certificate-request.ts'
import { clientsOf, leafOf } from './entitlement.ts'
import { Refusal, refusalOf } from './refusal.ts'
import { TokenReviews } from './token-reviews.ts'

/** The answer to a sidecar or the gateway. */
export interface IssuedIdentity {
  /** PEM of its certificate, with those that lead to it from older CAs; absent if it did not ask for one. */
  readonly certificate?: string
  /** PEM of the project's CA certificates, including the one that signs the webhook's own certificate. */
  readonly ca: string
  /** The clients that it is to answer. */
  readonly requestHeader: RequestHeader
}

/** A request for an {@link IssuedIdentity}. */
export interface IdentityRequest {
  /** The pod's projected token with the project's audience. */
  readonly token: string | undefined
  /** Rejects with a StatusError if the body cannot be read. */
  readonly body: Promise<Buffer>
  /** The address of the client. */
  readonly peer: string
}

/** Requests with a body and a token that are being answered. Those of one address may take a quarter of the places. */
const MAX_PENDING = 32
const MAX_PENDING_OF_PEER = 8

/** Lines in the log for refusals of one outcome. */
const REFUSAL_LINES = { burst: 100, perSecond: 1 }

/** Three parts of base64url (RFC 7515 §7.1): the kubelet's tokens are JSON Web Tokens of about 1 KiB. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/

const BodySchema = v.object({ csr: v.optional(v.string()) })

export interface IdentitiesOptions {
  readonly cluster: Cluster
  /** The webhook's own. */
  readonly namespace: string
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
  readonly #reviews = new TokenReviews()
  readonly #lines = new RateLimit(REFUSAL_LINES)
  /** How many requests of each address are being answered. */
  readonly #pending = new Map<string, number>()

  constructor(options: IdentitiesOptions) {
    this.#options = options
    this.#bearers = new BearerCheck(options)
    this.#log = options.log.child({ component: 'identities' })
  }

  /**
   * Authenticates a sidecar or the gateway and issues its identity. Counts each request, and logs a line of those that matter.
   *
   * @throws StatusError 400, 401, 403, 413, 429 or 503 with the reason; 500 without
   */
  async issue(request: IdentityRequest): Promise<IssuedIdentity> {
    const { countCertificate } = this.#options.telemetry
    try {
      // Awaited first: a body that fails while nothing awaits it would be an unhandled rejection. A slow one takes no place.
      const csr = parseBody(await request.body)
      const { bearer, identity, outcome, facts } = await this.#inTurn(request, async () => {
        const bearer = await this.#authenticate(request)
        return { bearer, ...(await this.#issueTo(bearer, csr)) }
      })
      countCertificate(outcome)
      // Every sidecar asks for the CAs some 400 times a day, as long as it runs.
      const level = outcome === 'Issued' ? 'info' : 'debug'
      this.#log[level]({ ...bearer, outcome, ...facts }, 'identity issued')
      return identity
    } catch (error) {
      const refusal = error instanceof Refusal ? error : toRefusal(error)
      countCertificate(refusal.outcome)
      const { outcome, message, bearer } = refusal
      // The counter has all of them.
      if (this.#lines.admit(outcome, performance.now()))
        this.#log.warn({ ...bearer, outcome, why: message }, 'identity refused')
      throw refusal.status
    }
  }

  async #inTurn<T>({ token, peer }: IdentityRequest, answer: () => Promise<T>): Promise<T> {
    if (token === undefined || !TOKEN.test(token)) {
      throw refusalOf('NoToken', unauthorized('expected a bearer token in "Authorization"'))
    }
    const ofPeer = this.#pending.get(peer) ?? 0
    const all = this.#pending.values().reduce((sum, count) => sum + count, 0)
    if (all >= MAX_PENDING || ofPeer >= MAX_PENDING_OF_PEER) {
      const message = `more than ${MAX_PENDING} requests are pending, or ${MAX_PENDING_OF_PEER} of one address`
      throw refusalOf('TooMany', tooManyRequests(message))
    }
    this.#pending.set(peer, ofPeer + 1)
    try {
      return await answer()
    } finally {
      const left = (this.#pending.get(peer) ?? 1) - 1
      if (left === 0) this.#pending.delete(peer)
      else this.#pending.set(peer, left)
    }
  }

  async #authenticate({ token, peer }: IdentityRequest): Promise<Bearer> {
    if (!this.#reviews.admit(peer, performance.now())) {
      const message = 'too many tokens are shown; trying again later helps'
      throw refusalOf('TooMany', tooManyRequests(message))
    }
    const bearer = await this.#bearers.authenticate(token)
    this.#reviews.remember(peer, performance.now())
    return bearer
  }

  async #issueTo(bearer: Bearer, csr: string | undefined) {
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
    const { bundle: ca } = authority
    const trust = { ca, requestHeader: clientsOf(bearer, { frontProxy: header, ca }) }
    if (csr === undefined) return { identity: trust, outcome: 'TrustOnly' as const, facts: {} }
    const leaf = leafOf(bearer)
    const { names } = leaf
    const publicKey = await checkRequest(csr, names, bearer)
    const certificate = await authority.issue({ publicKey, ...leaf })
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

function parseBody(body: Buffer): string | undefined {
  try {
    return v.parse(BodySchema, JSON.parse(body.toString('utf8'))).csr
  } catch {
    const message = 'expected a JSON object with an optional string "csr"'
    throw refusalOf('BadRequest', badRequest(message))
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
