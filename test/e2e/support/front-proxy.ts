// Who may speak for users: the request-header authority that the API server publishes.
import type { Cluster } from './cluster.ts'

export interface FrontProxy {
  /** PEM */
  readonly clientCa: string
  /** Common names, comma-separated, as the sidecar's CLIENT_ALLOWED_NAMES wants them. */
  readonly allowedNames: string
}

/** ConfigMap kube-system/extension-apiserver-authentication. */
export async function frontProxy({ core }: Cluster): Promise<FrontProxy> {
  const { data = {} } = await core.readNamespacedConfigMap({
    name: 'extension-apiserver-authentication',
    namespace: 'kube-system',
  })
  const clientCa = data['requestheader-client-ca-file']
  const names: unknown = JSON.parse(data['requestheader-allowed-names'] ?? '[]')
  if (clientCa === undefined || !Array.isArray(names)) {
    throw new Error('Cannot test: the API server publishes no request-header authority')
  }
  return { clientCa, allowedNames: names.join(',') }
}
