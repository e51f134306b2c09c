// The webhook's three servers, each on a port of its own with limits of its own, so that a flood of one takes nothing from
// the others: health with metrics from the very start, reviews and certificates once there is a serving certificate.
import { CertificateGauge } from '#serving/https/certificate-gauge.ts'
import { UNKNOWN_CERTIFICATES } from '#serving/https/limits.ts'
import { HttpsServer } from '#serving/https/server.ts'
import type { ServingKeys } from '#serving/https/tls.ts'
import type { Logger } from '#serving/log.ts'
import type { Admission } from './admission/admission.ts'
import { type ApiServerClients, readApiServerClients } from './api-server-clients.ts'
import { createCertificateApp, createReviewApp } from './app.ts'
import type { Config } from './config.ts'
import { createHealthApp, HEALTH_LIMITS, HEALTH_PATHS, type Readiness } from './health.ts'
import type { Identities } from './identities/identities.ts'
import type { Telemetry } from './telemetry.ts'

/**
 * API servers that show no certificate have the limits of strangers. Each keeps connections for its reviews, and may have
 * nearly as many as all together: where addresses compete, the one with the most gives way.
 */
const REVIEW_LIMITS = {
  connections: 200,
  peerConnections: 150,
  peerHandshakes: 150,
  requests: 200,
  peerRequests: 150,
  arrivals: {
    peer: { burst: 400, perSecond: 50 },
    // An API server may need many at once, and asks nobody again for a review that was refused.
    reserved: { burst: 100, perSecond: 10 },
    shared: { burst: 300, perSecond: 100 },
    unknownCertificates: UNKNOWN_CERTIFICATES,
  },
}

/** A sidecar opens a connection every few minutes, for one request. */
const CERTIFICATE_LIMITS = {
  connections: 64,
  peerConnections: 16,
  requests: 64,
  peerRequests: 16,
  arrivals: {
    peer: { burst: 50, perSecond: 5 },
    reserved: { burst: 5, perSecond: 0.1 },
    shared: { burst: 200, perSecond: 50 },
    unknownCertificates: UNKNOWN_CERTIFICATES,
  },
  keepAliveMs: 5_000,
}

const CERTIFICATE_END = 'flux_metrics_webhook_certificate_end_timestamp_seconds'

export interface ServersOptions {
  readonly config: Pick<Config, 'listen' | 'certificatesPort' | 'healthPort' | 'clients'>
  readonly readiness: () => Readiness
  readonly telemetry: Telemetry
  readonly log: Logger
}

/** What is served once there is a certificate. */
export interface Services {
  readonly admission: Pick<Admission, 'review'>
  readonly identities: Pick<Identities, 'issue'>
}

export class Servers {
  readonly #options: ServersOptions
  readonly #log: Logger
  readonly #health: HttpsServer
  readonly #certificate: CertificateGauge
  #clients: ApiServerClients | undefined
  #reviews: HttpsServer | undefined
  #certificates: HttpsServer | undefined
  #keys: ServingKeys | undefined
  #clientCa: string | undefined

  constructor(options: ServersOptions) {
    this.#options = options
    this.#log = options.log.child({ component: 'server' })
    this.#certificate = new CertificateGauge(options.telemetry.registry, CERTIFICATE_END)
    this.#health = new HttpsServer({
      handler: createHealthApp(options).callback(),
      credentials: undefined,
      log: this.#log,
      unlimitedPaths: HEALTH_PATHS,
      limits: HEALTH_LIMITS,
    })
  }

  /**
   * @returns the port
   * @throws Error that says what is wrong with it
   */
  async serveHealth(): Promise<number> {
    const { listen, healthPort } = this.#options.config
    const { address } = listen
    const at = { address, port: healthPort, variable: 'HEALTH_PORT' }
    return (await this.#health.listen(at)).port
  }

  /**
   * Serves the rest.
   *
   * @returns the ports
   * @throws Error that says what is wrong with a port, or with the CA of clients
   */
  async serve(services: Services) {
    const { config, log } = this.#options
    const { listen, certificatesPort } = config
    this.#clients = await readApiServerClients(config.clients, log)
    this.#clientCa = this.#clients?.ca
    if (this.#keys === undefined) throw new Error('Cannot serve: there are no keys')
    this.#reviews = this.#createReviews(services, this.#keys)
    this.#certificates = this.#createCertificates(services, this.#keys)
    this.#clients?.onCa((ca) => {
      this.#clientCa = ca
      this.#update()
    })
    const { address } = listen
    const at = { address, port: certificatesPort, variable: 'CERTIFICATES_PORT' }
    const certificates = await this.#certificates.listen(at)
    const reviews = await this.#reviews.listen(listen)
    return { port: reviews.port, certificatesPort: certificates.port }
  }

  /** The keys to serve with, from the next connection on. */
  update(keys: ServingKeys): void {
    this.#keys = keys
    this.#certificate.serve(keys)
    this.#update()
  }

  /** To be called while API servers may still send reviews, before {@link drain}. */
  leave(): void {
    this.#reviews?.leave()
    this.#certificates?.leave()
  }

  /** Health is the last to end: until then kubelets are told what happens. */
  async drain(): Promise<void> {
    this.#clients?.close()
    await Promise.all([this.#reviews?.drain(), this.#certificates?.drain()])
    await this.#health.drain()
  }

  #createReviews({ admission }: Services, keys: ServingKeys): HttpsServer {
    const { readiness, log } = this.#options
    const clients = this.#clients?.verifier
    return new HttpsServer({
      handler: createReviewApp({ admission, readiness, clients, log }).callback(),
      credentials: { ...keys, clientCa: this.#clientCa },
      log: this.#log,
      unlimitedPaths: HEALTH_PATHS,
      readsBodies: true,
      knowsClient: clients && ((client) => clients.verify(client).kind === 'verified'),
      // API servers that show no certificate are never known: many of their connections begin at once.
      limits: clients === undefined ? REVIEW_LIMITS : { ...REVIEW_LIMITS, peerHandshakes: 32 },
    })
  }

  #createCertificates({ identities }: Services, keys: ServingKeys): HttpsServer {
    const { log } = this.#options
    return new HttpsServer({
      handler: createCertificateApp({ identities, log }).callback(),
      credentials: { ...keys, clientCa: undefined },
      log: this.#log,
      readsBodies: true,
      limits: CERTIFICATE_LIMITS,
    })
  }

  #update(): void {
    if (this.#keys === undefined) return
    this.#reviews?.update({ ...this.#keys, clientCa: this.#clientCa })
    this.#certificates?.update({ ...this.#keys, clientCa: undefined })
  }
}
