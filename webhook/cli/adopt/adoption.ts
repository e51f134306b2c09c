// Decides which server each group keeps behind the gateway, and what prevents it. Pure.
import { enumerate } from '#serving/text.ts'
import { type ApiService, GROUPS, type Group } from './api-services.ts'

/** A server that answers for a group now, and later behind the gateway. */
export interface Adoption {
  readonly group: Group
  /** `namespace/name:port` */
  readonly service: string
  /** CA certificates (PEM) that verify it; `undefined`: it is not verified. */
  readonly ca: string | undefined
  /** The APIServices that lead to it. */
  readonly apiServices: readonly ApiService[]
}

/** @returns a sentence if the group cannot be adopted; `undefined` if nobody else has it */
export function adoptionOf(
  group: Group,
  apiServices: readonly ApiService[],
): Adoption | string | undefined {
  const names: readonly string[] = GROUPS[group]
  const others = apiServices.filter(({ name, isOurs }) => names.includes(name) && !isOurs)
  const [first] = others
  if (first === undefined) return undefined
  const local = others.find(({ service }) => service === undefined)
  if (local !== undefined) {
    return `${local.name} leads to no Service: the API server itself answers, and the gateway cannot ask it`
  }
  const { service } = first
  if (service === undefined || others.some((other) => other.service !== service)) {
    const holders = others.map((other) => `${other.name} is that of ${other.service}`)
    return `${enumerate(holders)}: the gateway passes requests on to one server of a group only. Remove one of them first`
  }
  const verifications = others.map(({ verification }) => verification)
  const pems = verifications.flatMap((one) => (one.kind === 'ca' ? [one.pem] : []))
  if (pems.length === 0 && verifications.some(({ kind }) => kind === 'system')) {
    return `${first.name} has neither caBundle nor insecureSkipTLSVerify: only the API server knows the CA of ${service}. Set its caBundle first`
  }
  const ca = pems.length === 0 ? undefined : [...new Set(pems)].join('')
  return { group, service, ca, apiServices: others }
}
