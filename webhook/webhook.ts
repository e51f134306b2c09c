// Assembles the webhook from its parts: API server, certificates, admission, identities, reconcile, servers. The program
// (main.ts) and the tests start it.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { CredentialWatch, readCredentials, type ServingKeys } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import { StatusError } from '#serving/status.ts'
import { Admission } from './admission/admission.ts'
import { LookUps } from './admission/look-ups/look-ups.ts'
import { type Authority, SelfAuthority } from './authority/authority.ts'
import type { Config } from './config.ts'
import { CERTIFICATES_PORT } from './contract.ts'
import { EventRecorder } from './events/event-recorder.ts'
import { LINGER_MS, type Readiness } from './health.ts'
import { Identities } from './identities/identities.ts'
import type { AuthorityAddress } from './injection/container.ts'
import { RequestHeaderWatch } from './kubernetes/aggregation/request-header.ts'
import { TopologyWatch } from './kubernetes/aggregation/topology.ts'
import type { Cluster } from './kubernetes/cluster.ts'
import type { ServerVersion } from './kubernetes/server-version.ts'
import { Leadership } from './reconcile/leadership.ts'
import { Reconcile, type ReconcilePace } from './reconcile/reconcile.ts'
import { Servers } from './servers.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'

/** A running webhook. */
export interface Webhook {
  /** Of reviews. */
  readonly port: number
  readonly certificatesPort: number
  readonly healthPort: number
  /** Turns readiness off, waits, and drains the servers: within 20 s, whatever the clients do. */
  close(options?: { readonly lingerMs?: number }): Promise<void>
}

export interface WebhookOptions {
  readonly cluster: Cluster
  readonly readVersion: () => Promise<ServerVersion>
  readonly version: string
  readonly log: Logger
  readonly reconcilePace?: Partial<ReconcilePace>
}

/** The source of the webhook's own certificate. */
interface Certificates {
  readonly keys: ServingKeys
  /** `undefined` if the certificate is provided: then the webhook issues none. */
  readonly authority: Authority | undefined
  readonly readiness: () => Readiness
  onKeys(use: (keys: ServingKeys) => void): void
  close(): void
}

const STARTING: Readiness = { ready: false, message: 'there is no certificate yet' }
const STOPPING: Readiness = { ready: false, message: 'stopping' }

/**
 * Starts a webhook. It serves health at once. With its own authority it waits until that has a certificate, also while the
 * API server is away.
 *
 * @throws Error that says what is wrong with the certificates or a port
 */
export async function startWebhook(config: Config, options: WebhookOptions): Promise<Webhook> {
  const telemetry = createTelemetry()
  let readiness = () => STARTING
  const { log } = options
  const servers = new Servers({ config, readiness: () => readiness(), telemetry, log })
  const healthPort = await servers.serveHealth()
  try {
    const services = await serve({ config, servers, telemetry, ...options })
    const { ports } = services
    readiness = services.readiness
    const { sidecarImage: sidecar } = config
    log.info({ ...ports, healthPort, version: options.version, sidecar }, 'serving')
    return {
      ...ports,
      healthPort,
      close: async ({ lingerMs = LINGER_MS } = {}) => {
        readiness = () => STOPPING
        log.info({}, 'stopping')
        const stopped = services.stop()
        // By half time kube-proxy has taken the replica out: clients whose connections end here then connect to another one.
        await sleep(lingerMs / 2)
        servers.leave()
        await sleep(lingerMs / 2)
        await servers.drain()
        services.close()
        await stopped
        log.info({}, 'stopped')
      },
    }
  } catch (error) {
    await servers.drain()
    throw error
  }
}

interface ServeOptions extends WebhookOptions {
  readonly config: Config
  readonly servers: Servers
  readonly telemetry: Telemetry
}

/** Puts together what answers reviews and sidecars, and begins to serve it. */
async function serve(options: ServeOptions) {
  const { config, servers, telemetry, cluster, version, log } = options
  const certificates = await prepareCertificates(config, options)
  servers.update(certificates.keys)
  certificates.onKeys((keys) => servers.update(keys))
  const requestHeader = new RequestHeaderWatch({ cluster, log })
  const topology = new TopologyWatch({ cluster, log })
  const { authority } = certificates
  const url = `https://${config.service}.${config.namespace}.svc:${CERTIFICATES_PORT}`
  const lookUps = new LookUps({ cluster, readVersion: options.readVersion })
  // At once, so that a slow API server delays the start only once.
  await Promise.all([requestHeader.start(), topology.start(), lookUps.warmUp(config.namespace)])
  const events = new EventRecorder({ cluster, log: log.child({ component: 'events' }) })
  const sidecar = () => ({
    image: config.sidecarImage,
    imagePullPolicy: config.sidecarImagePullPolicy,
    version,
    identity: identityAt(url, authority),
    frontProxy: requestHeader.header,
  })
  const currentTopology = () => topology.current
  const admission = new Admission({
    ...{ lookUps, events, telemetry, sidecar, log },
    topology: currentTopology,
  })
  const { namespace } = config
  // No two processes may have the same, also not a container and the one that it follows.
  const identity = `${hostname()}_${randomUUID()}`
  const leadership = new Leadership({ cluster, namespace, identity, log })
  const reconcile = new Reconcile({
    ...{ cluster, leadership, lookUps, events, sidecar, namespace, log },
    topology: currentTopology,
    registry: telemetry.registry,
    pace: options.reconcilePace,
  })
  const identities = new Identities({
    ...{ cluster, namespace, authority, requestHeader, telemetry, log },
  })
  const ports = await servers.serve({ admission, identities })
  void leadership.start().then(() => reconcile.start())
  return {
    ports,
    readiness: certificates.readiness,
    stop: () => {
      reconcile.close()
      return leadership.close()
    },
    close: () => {
      requestHeader.close()
      topology.close()
      certificates.close()
    },
  }
}

/** `undefined` while there is no valid CA: then sidecars cannot get certificates. */
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
    readiness: () => ({ ready: true, message: 'serving with the provided certificate' }),
    onKeys: (listener) => {
      use = listener
    },
    close: () => watch.close(),
  }
}
