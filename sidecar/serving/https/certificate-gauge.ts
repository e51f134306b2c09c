// When the certificate that a server shows expires, for alerts.
import { Gauge, type Registry } from 'prom-client'
import { notAfter, type ServingKeys } from './tls.ts'

/** A gauge that is absent while there is no certificate. */
export class CertificateGauge {
  #end: number | undefined

  constructor(registry: Registry, name: string) {
    const read = () => this.#end
    const gauge: Gauge = new Gauge({
      name,
      help: 'When the certificate that is served expires, in seconds since 1970; absent without one',
      registers: [registry],
      collect() {
        const end = read()
        if (end === undefined) gauge.remove()
        else gauge.set(end)
      },
    })
  }

  /** These keys are served from now on. */
  serve(keys: Partial<ServingKeys> | undefined): void {
    const { cert, key } = keys ?? {}
    this.#end =
      cert === undefined || key === undefined ? undefined : notAfter({ cert, key }).getTime() / 1000
  }
}
