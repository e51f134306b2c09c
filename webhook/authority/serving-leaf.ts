// The webhook's own serving certificate: a leaf of the project's CA and its key, in memory only.
import type { ServingKeys } from '#serving/https/tls.ts'
import { notAfter } from '#serving/https/tls.ts'
import type { SigningCa } from './ca-state.ts'
import { issueServingKeys, renewalTime } from './certificate-authority.ts'

export class ServingLeaf {
  readonly #names: readonly string[]
  #held: Held | undefined

  /** @param names DNS names of the server */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  get keys(): ServingKeys | undefined {
    return this.#held?.keys
  }

  /** When the certificate ends, in milliseconds since 1970; 0 if there is none. */
  get end(): number {
    return this.#held?.end ?? 0
  }

  /**
   * Makes a new pair if there is none, if it has lived two thirds of its life, or if another CA signs now.
   *
   * @returns the new pair; `undefined` if the old one stays
   * @throws Error if the CA has expired
   */
  async renew(ca: SigningCa, now: number): Promise<ServingKeys | undefined> {
    const held = this.#held
    const sameCa = held?.issuer === ca.certificate
    if (held !== undefined && sameCa && now < held.renewAt) return undefined
    const keys = await issueServingKeys(ca, this.#names, now)
    const end = notAfter(keys).getTime()
    this.#held = { keys, issuer: ca.certificate, end, renewAt: renewalTime(now, end) }
    return keys
  }
}

interface Held {
  readonly keys: ServingKeys
  readonly issuer: string
  readonly end: number
  readonly renewAt: number
}
