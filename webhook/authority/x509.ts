// Keys on the curve P-256, and the X.509 library, which is loaded only when it is needed. Issues no certificate.

export const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/**
 * Loads the X.509 library, after the polyfill that it needs. It costs 100 ms and 10 MiB: a program that reads its
 * certificates from files never loads it.
 */
export async function loadX509() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/** Creates a key pair on P-256 that can be exported. */
export async function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
}

/** A private key as PEM. */
export async function toPem(privateKey: CryptoKey): Promise<string> {
  const x509 = await loadX509()
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')
}
