// The X.509 library, loaded when it is needed.

/** It costs 100 ms and 10 MiB, which no one should pay who brings certificates; and it needs the polyfill first. */
export async function loadX509() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}
