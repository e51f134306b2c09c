// The name constraints of our CAs (RFC 5280 §4.2.1.10): the only names for which their certificates count. Whoever steals a key
// cannot pretend to be any other server with it.
import { CERTIFICATE_DOMAINS } from '#serving/certificates/certificate-names.ts'
import { der, sequence } from '#serving/certificates/der.ts'

/** The object identifier of the extension. */
export const NAME_CONSTRAINTS = '2.5.29.30'

/** Address and mask of all IPv4 and of all IPv6 addresses. */
const ALL_ADDRESSES = [new Uint8Array(8), new Uint8Array(32)]

/** Only names in our domains, and no address. Each restricts one kind of name: without the second, any address would do. */
export function nameConstraints(): Buffer {
  const domains = CERTIFICATE_DOMAINS.map((name) => sequence(der(0x82, Buffer.from(name))))
  const addresses = ALL_ADDRESSES.map((address) => sequence(der(0x87, address)))
  return sequence(der(0xa0, ...domains), der(0xa1, ...addresses))
}
