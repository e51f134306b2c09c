// What each kind of bearer may have: the names of its certificate, whether it is a client, and which clients it is to answer. Pure.
import { serviceNames, sidecarNames } from '#serving/certificates/certificate-names.ts'
import type { LeafRequest } from '../authority/certificate-authority.ts'
import { GATEWAY, METRICS_SERVICE } from '../contract.ts'
import type { RequestHeader } from '../kubernetes/aggregation/request-header.ts'
import type { Bearer, SidecarBearer } from './bearer.ts'

/** The only names that the lead broker of a MiniCluster may have: the Service of its namespace, and its own. */
export function namesOfSidecar(
  bearer: Pick<SidecarBearer, 'namespace' | 'minicluster'>,
): readonly string[] {
  const { namespace, minicluster } = bearer
  return sidecarNames({ namespace, minicluster, serviceName: METRICS_SERVICE })
}

/** The only certificate that a bearer may have. That of the gateway alone is also a client's. */
export function leafOf(bearer: Bearer): Pick<LeafRequest, 'names' | 'clientName'> {
  return bearer.client === 'gateway'
    ? { names: serviceNames(GATEWAY, bearer.namespace), clientName: GATEWAY }
    : { names: namesOfSidecar(bearer) }
}

/**
 * The clients that a bearer is to answer: the front proxy, and a sidecar also the gateway. Sidecars of any age know only the front
 * proxy, so the gateway is added to it. No other certificate of the project's CA is a client's.
 *
 * @param options.ca PEM of the project's CA certificates
 */
export function clientsOf(
  bearer: Bearer,
  options: { readonly frontProxy: RequestHeader; readonly ca: string },
): RequestHeader {
  const { frontProxy, ca } = options
  if (bearer.client === 'gateway') return frontProxy
  const { clientCa, allowedNames } = frontProxy
  return {
    ...frontProxy,
    clientCa: `${clientCa.trimEnd()}\n${ca}`,
    // An empty list is any name.
    allowedNames: allowedNames.length === 0 ? [] : [...allowedNames, GATEWAY],
  }
}
