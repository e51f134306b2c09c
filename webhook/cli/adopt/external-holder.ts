// Who has external metrics, often KEDA, and what is said of that. Pure.
import type { Adoption } from './adoption.ts'
import { type ApiService, GROUPS } from './api-services.ts'

/** Beside the gateway the server of external metrics, such as KEDA, stays what it is. */
export function nothingToAdopt(apiServices: readonly ApiService[], external: boolean): string {
  const stays = external
    ? []
    : apiServices.filter(({ name, isOurs }) => isExternal(name) && !isOurs)
  const [holder] = stays.map(({ service = 'the API server' }) => service)
  const others =
    holder === undefined ? 'these APIs' : `custom metrics, and ${holder} keeps external ones`
  const isInstalled = apiServices.some(({ name, isOurs }) => isOurs && !isExternal(name))
  const next = isInstalled
    ? 'flux-metrics has custom metrics already'
    : 'Install the default manifests'
  return `Nothing to adopt: no other server has ${others}. ${next}.`
}

function isExternal(name: string): boolean {
  return GROUPS.external.some((one) => one === name)
}

/** KEDA's operator and the webhook would each write their own CA again, and API servers would refuse the gateway. */
export const KEDA_WARNING =
  "KEDA's operator writes its own CA into the APIService: start it with --enable-apiservice-patching=false first, or no external metrics are read"

/** The Service is called so in KEDA's manifest and in its chart. */
export function isOfKeda({ service }: Adoption): boolean {
  return /^[^/]+\/keda-.*metrics-apiserver:/.test(service)
}
