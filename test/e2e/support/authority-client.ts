// Asks the authority for a certificate as a pod does, but with any token and for any names: the webhook at the real API server.
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { createRequest, dns } from '../../support/certificate-requests.ts'
import { trustedAuthorities } from './api-services.ts'
import { run, WEBHOOK, WEBHOOK_NAMESPACE } from './installation.ts'
import { portForward } from './kubectl.ts'
import { webhookPods } from './webhook.ts'

export interface TokenOptions {
  readonly namespace: string
  readonly account: string
  readonly audience: string
  /** The pod that it is bound to. Default: none. */
  readonly pod?: string
}

/** A token of a service account, as the kubelet obtains them. */
export async function createToken(options: TokenOptions): Promise<string> {
  const { namespace, account, audience, pod } = options
  const bound = pod === undefined ? [] : ['--bound-object-kind=Pod', `--bound-object-name=${pod}`]
  const scope = `--namespace=${namespace}`
  return (await run(['create', 'token', account, scope, `--audience=${audience}`, ...bound])).trim()
}

/** Asks for a certificate with these names. Returns the status and the body of the answer. */
export async function askForNames(
  token: string,
  names: readonly string[],
): Promise<{ readonly code: number | undefined; readonly body: string }> {
  const [pod = ''] = await webhookPods()
  await using forwarded = await portForward(WEBHOOK_NAMESPACE, pod, 8444)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request({
    host: '127.0.0.1',
    port: forwarded.port,
    path: '/certificates',
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    agent: false,
    ca: await trustedAuthorities(),
    servername: `${WEBHOOK}.${WEBHOOK_NAMESPACE}.svc`,
  })
    .once('response', resolve)
    .once('error', reject)
    .end(JSON.stringify({ csr: await createRequest({ names: dns(...names) }) }))
  const response = await promise
  return { code: response.statusCode, body: await text(response) }
}
