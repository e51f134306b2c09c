// Calls the sidecar directly over a forwarded port, as a client that is not the front proxy.
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { KeyPair } from '../../support/certificates.ts'
import { trustedAuthorities } from './api-services.ts'
import type { Environment } from './environment.ts'
import { portForward } from './kubectl.ts'
import { SERVICE } from './manifests.ts'

export interface DirectOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** The client certificate; none by default. */
  readonly client?: KeyPair
}

/** Sends a GET of `path`. The sidecar's certificate is verified. */
export async function fetchDirectly(
  environment: Environment,
  path: string,
  { headers = {}, client }: DirectOptions = {},
): Promise<{ readonly code: number | undefined; readonly body: string }> {
  const { namespace } = environment
  const ca = await trustedAuthorities()
  await using forwarded = await portForward(namespace, await environment.lead(), 8443)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request({
    host: '127.0.0.1',
    port: forwarded.port,
    path,
    headers,
    agent: false,
    ca,
    ...client,
    servername: `${SERVICE}.${namespace}.svc`,
  })
    .once('response', resolve)
    .once('error', reject)
    .end()
  const response = await promise
  return { code: response.statusCode, body: await text(response) }
}
