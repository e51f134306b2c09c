// The project's authority for the benchmark: certifies the gateway, and says which clients are to be answered. It believes every
// token; the webhook is not measured here.
import { once } from 'node:events'
import { createServer } from 'node:https'
import {
  type CaKeys,
  createCaKeys,
  issueLeaf,
} from '../../../webhook/authority/certificate-authority.ts'
import { parseCertificateRequest } from '../../../webhook/identities/certificate-request.ts'
import type { KeyPair } from '../../support/certificates.ts'

/** The common name by which sidecars know the gateway. */
const GATEWAY = 'flux-metrics-gateway'

/** The clients that a server answers. */
export interface Clients {
  /** PEM, one or more. */
  readonly clientCa: string
  readonly allowedNames: readonly string[]
}

export interface BenchAuthority {
  readonly ca: CaKeys
  readonly url: string
  /** The clients of sidecars. */
  readonly clients: Clients
  close(): void
}

interface AuthorityOptions {
  /** For `localhost`, and the CA of it. */
  readonly keys: KeyPair
  readonly servingCa: string
  /** CA of the front proxy. */
  readonly frontProxyCa: string
}

export async function startAuthority(options: AuthorityOptions): Promise<BenchAuthority> {
  const { keys, servingCa, frontProxyCa } = options
  const ca = await createCaKeys(Date.now())
  const allowedNames = ['front-proxy-client']
  const server = createServer(keys, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    // It is asked for the CAs alone, too.
    const { csr } = JSON.parse(body)
    const certificate = csr === undefined ? undefined : await certify(ca, csr)
    const requestHeader = { clientCa: frontProxyCa, allowedNames }
    response.setHeader('Content-Type', 'application/json')
    // Its own certificate is of another CA: the project's may issue none for "localhost".
    response.end(
      JSON.stringify({ certificate, ca: `${ca.certificate}\n${servingCa}`, requestHeader }),
    )
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    ca,
    url: `https://localhost:${address.port}`,
    clients: {
      clientCa: `${frontProxyCa}\n${ca.certificate}`,
      allowedNames: [...allowedNames, GATEWAY],
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function certify(ca: CaKeys, csr: string): Promise<string> {
  const { publicKey, dnsNames } = await parseCertificateRequest(csr)
  if (publicKey === undefined) throw new Error('the request has no key on P-256')
  const leaf = { publicKey, names: [...new Set(dnsNames)], clientName: GATEWAY }
  return issueLeaf(ca, leaf, Date.now())
}
