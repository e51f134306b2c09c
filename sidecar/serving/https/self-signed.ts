// A self-signed serving certificate, for a sidecar that has none yet: until its authority answers, or for a first try with
// `curl -k`.
import { randomBytes } from 'node:crypto'
import {
  alternativeNames,
  createKeyPair,
  ECDSA_WITH_SHA256,
  extension,
  signedPem,
} from '../certificates/certificate-parts.ts'
import { der, integer, oid, sequence, set, time, utf8 } from '../certificates/der.ts'
import type { ServingKeys } from './tls.ts'

const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS

const LOOPBACK = Uint8Array.of(127, 0, 0, 1)
const SERVER_AUTH = oid('1.3.6.1.5.5.7.3.1')
/** KeyUsage is a string of bits; the first is digitalSignature (RFC 5280 §4.2.1.3). */
const DIGITAL_SIGNATURE = der(0x03, Uint8Array.of(7, 0x80))

/**
 * Makes a P-256 key and a self-signed certificate (RFC 5280 §4.1), in memory only.
 *
 * @param names DNS names of the server; `localhost` and 127.0.0.1 are added
 */
export function createSelfSigned(names: readonly string[]): ServingKeys {
  const keys = createKeyPair()
  const now = Date.now()
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8(names[0] ?? 'localhost'))))
  const extensions = [
    // BasicConstraints: not a CA.
    extension('2.5.29.19', sequence(), { critical: true }),
    extension('2.5.29.15', DIGITAL_SIGNATURE, { critical: true }),
    extension('2.5.29.37', sequence(SERVER_AUTH)),
    alternativeNames([...names, 'localhost'], [LOOPBACK]),
  ]
  const body = sequence(
    // Version 3.
    der(0xa0, integer(Uint8Array.of(2))),
    integer(createSerial()),
    ECDSA_WITH_SHA256,
    name,
    // Valid from an hour ago: clocks in a cluster differ.
    sequence(time(new Date(now - HOUR_MS)), time(new Date(now + YEAR_MS))),
    name,
    keys.publicKey,
    der(0xa3, sequence(...extensions)),
  )
  return { cert: signedPem('CERTIFICATE', body, keys.privateKey), key: keys.pem }
}

/** 126 random bits. */
function createSerial(): Buffer {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return serial
}
