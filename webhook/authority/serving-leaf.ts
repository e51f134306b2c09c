// The webhook's own serving certificate: a leaf of the project's CA, with its key. It is only in memory.
import type { ServingKeys } from '#serving/https/tls.ts'
import { notAfter } from '#serving/https/tls.ts'
import type { SigningCa } from './ca-state.ts'
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

  /** When the certificate expires, in milliseconds since 1970; 0 if there is none. */
  get end(): number {
    return this.#held?.end ?? 0
  }

  /**
   * Creates a new pair if there is none, if two thirds of its life are over, or if another CA signs now.
   *
   * @returns the new pair; `undefined` if the old one is still in use
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

interface HeldKeys {
  readonly keys: ServingKeys
  readonly issuer: string
  readonly end: number
  readonly renewAt: number
}
