// Puts the parts together: API server, certificates, admission, identities, server. The program (main.ts) and tests start
// it from here.

import { HttpsServer } from '#serving/https/server.ts'
import { CredentialWatch, readCredentials, type ServingKeys } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import { StatusError } from '#serving/status.ts'
import { Admission } from './admission/admission.ts'
import { EventRecorder } from './admission/events.ts'
import { FactSource } from './admission/look-ups.ts'
import { createApp, HEALTH_PATHS } from './app.ts'
import { type Authority, SelfAuthority } from './authority/authority.ts'
import type { Config } from './config.ts'
import { Identities } from './identities/identities.ts'
import type { AuthorityAddress } from './injection/container.ts'
import type { Cluster } from './kubernetes/cluster.ts'
import { RequestHeaderWatch } from './kubernetes/request-header.ts'
import type { ServerVersion } from './kubernetes/server-version.ts'
import { createTelemetry } from './telemetry.ts'

/** How long we go on serving after readiness is off: until no API server sends us reviews any more. */
const LINGER_MS = 3_000

/** A running webhook. */
export interface Webhook {
  readonly port: number
  /** Readiness off, then the server drained. Within 10 s whatever clients do. */
  close(options?: { readonly lingerMs?: number }): Promise<void>
}

export interface WebhookOptions {
  readonly cluster: Cluster
  readonly readVersion: () => Promise<ServerVersion>
  readonly version: string
  readonly log: Logger
}

/** Where the webhook's own certificate comes from. */
interface Certificates {
  readonly keys: ServingKeys
  /** `undefined` where certificates are provided: then we issue none. */
  readonly authority: Authority | undefined
  readonly readiness: () => { readonly ready: boolean; readonly message: string }
  onKeys(use: (keys: ServingKeys) => void): void
  close(): void
}

/**
 * Starts a webhook. With an authority of its own it waits until that has a certificate, however long the API server is
 * away: nobody trusts us before.
 *
 * @throws Error that says what is wrong with certificates or port
 */
export async function startWebhook(config: Config, options: WebhookOptions): Promise<Webhook> {
  const { cluster, version, log } = options
  let stopping = false
  const certificates = await prepareCertificates(config, options)
  const requestHeader = new RequestHeaderWatch({ cluster, log })
  await requestHeader.start()
  const telemetry = createTelemetry()
  const { authority } = certificates
  const url = `https://${config.service}.${config.namespace}.svc`
  const facts = new FactSource({ cluster, readVersion: options.readVersion })
  await facts.warmUp(config.namespace)
  const admission = new Admission({
    facts,
    events: new EventRecorder({ cluster, log: log.child({ component: 'events' }) }),
    telemetry,
    sidecar: () => ({
      image: config.sidecarImage,
      imagePullPolicy: config.sidecarImagePullPolicy,
      version,
      identity: identityAt(url, authority),
      frontProxy: requestHeader.header,
    }),
    log,
  })
  const app = createApp({
    admission,
    identities: new Identities({ cluster, authority, requestHeader, telemetry, log }),
    readiness: () => (stopping ? { ready: false, message: 'stopping' } : certificates.readiness()),
    telemetry,
    log: log.child({ component: 'api' }),
  })
  const server = new HttpsServer({
    handler: app.callback(),
    credentials: { ...certificates.keys, clientCa: undefined },
    log: log.child({ component: 'server' }),
    unlimitedPaths: HEALTH_PATHS,
    readsBodies: true,
  })
  certificates.onKeys((keys) => server.update({ ...keys, clientCa: undefined }))
  const { port } = await server.listen(config.listen)
  log.info({ port, version, sidecar: config.sidecarImage }, 'serving')
  return {
    port,
    close: async ({ lingerMs = LINGER_MS } = {}) => {
      stopping = true
      log.info({}, 'stopping')
      await new Promise((resolve) => setTimeout(resolve, lingerMs))
      await server.drain()
      requestHeader.close()
      certificates.close()
      log.info({}, 'stopped')
    },
  }
}

/** A CA that has expired, or is not there yet, gives nobody an identity. */
function identityAt(url: string, authority: Authority | undefined): AuthorityAddress | undefined {
  try {
    return authority === undefined ? undefined : { url, ca: authority.bundle }
  } catch (error) {
    if (error instanceof StatusError) return undefined
    throw error
  }
}

async function prepareCertificates(
  { tls, namespace, service }: Config,
  { cluster, log }: WebhookOptions,
): Promise<Certificates> {
  return tls === undefined
    ? ownCertificates(new SelfAuthority({ cluster, namespace, service, log }))
    : providedCertificates(tls, log)
}

async function ownCertificates(authority: SelfAuthority): Promise<Certificates> {
  await authority.start()
  const { servingKeys } = authority
  if (servingKeys === undefined) throw new Error('Cannot serve: the authority was closed')
  return {
    keys: servingKeys,
    authority,
    readiness: () => authority.readiness,
    onKeys: (use) => authority.onServingKeys(use),
    close: () => authority.close(),
  }
}

async function providedCertificates(
  tls: { readonly cert: string; readonly key: string },
  log: Logger,
): Promise<Certificates> {
  const files = { ...tls, clientCa: undefined }
  const current = await readCredentials(files)
  const { cert = '', key = '' } = current
  let use: (keys: ServingKeys) => void = () => {}
  const watch = new CredentialWatch({
    files,
    current,
    onChange: (changed) => use({ cert, key, ...changed }),
    log: log.child({ component: 'tls' }),
  })
  return {
    keys: { cert, key },
    authority: undefined,
    readiness: () => ({ ready: true, message: 'serving with the certificate provided' }),
    onKeys: (listener) => {
      use = listener
    },
    close: () => watch.close(),
  }
}
