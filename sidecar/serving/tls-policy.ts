// The TLS versions and suites of every server and client of this project.

/**
 * Of TLS 1.3 (RFC 8446 §B.4) and 1.2 (RFC 5289, RFC 7905), those that encrypt and authenticate in one step and have forward
 * secrecy. Every Go program has them.
 */
const AEAD_SUITES = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]

/**
 * The key exchanges of a server, for `ecdhCurve`: a client may choose the one that costs most. These take a millisecond; the other
 * ones of OpenSSL's default, such as secp521r1, take two to five. Every Go program has the last two.
 */
export const SERVER_GROUPS = 'X25519MLKEM768:X25519:prime256v1'

/** Options of Node's TLS. */
export const TLS_POLICY = { minVersion: 'TLSv1.2', ciphers: AEAD_SUITES.join(':') } as const
