// The webhook's own serving certificate: a leaf of the project's CA with the certificates that lead to it from older CAs, and
// its key. It is only in memory.
import { X509Certificate } from 'node:crypto'
import type { ServingKeys } from '#serving/https/tls.ts'
import { type CaState, withChain } from './ca-state.ts'
import { issueServingKeys, renewalTime } from './certificate-authority.ts'

export class ServingLeaf {
  readonly #names: readonly string[]
  #held: HeldKeys | undefined

  /** @param names DNS names of the server */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  get keys(): ServingKeys | undefined {
    return this.#held?.keys
  }

  /** Whether there is a certificate and clients accept it. */
  isValid(now: number): boolean {
    return this.#held !== undefined && this.#held.start <= now && now < this.#held.end
  }

  /** When the certificate expires, in milliseconds since 1970; 0 if there is none. */
  get end(): number {
    return this.#held?.end ?? 0
  }

  /**
   * Creates a new pair if there is none, if two thirds of its life are over, if another CA signs now, or if the old one was
   * made by a clock that was ahead.
   *
   * @returns the new pair; `undefined` if the old one is still in use
   * @throws Error if the CA has expired
   */
  async renew(state: CaState, now: number): Promise<ServingKeys | undefined> {
    const held = this.#held
    const { current } = state
    const sameCa = held?.issuer === current.certificate
    if (held !== undefined && sameCa && held.start <= now && now < held.renewAt) return undefined
    const { cert, key } = await issueServingKeys(current, this.#names, now)
    const { validFromDate, validToDate } = new X509Certificate(cert)
    const [start, end] = [validFromDate.getTime(), validToDate.getTime()]
    const keys = { cert: withChain(cert, state, now), key }
    this.#held = { keys, issuer: current.certificate, start, end, renewAt: renewalTime(now, end) }
    return keys
  }
}

interface HeldKeys {
  readonly keys: ServingKeys
  readonly issuer: string
  readonly start: number
  readonly end: number
  readonly renewAt: number
}
