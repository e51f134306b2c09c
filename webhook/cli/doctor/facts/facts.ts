// All that the rules judge: read through kubectl with the rights of the user, at most once each. Judges nothing.
import { VERSIONS } from '#api/api-group.ts'
import { parseServerVersion, type ServerVersion } from '../../../kubernetes/server-version.ts'
import type { Api } from './api.ts'
import { type HpaFacts, readHpas } from './hpa-facts.ts'
import { type GroupFacts, readCustomGroup, readExternalGroup } from './metrics-api-facts.ts'
import { type MetricsFacts, readMetrics } from './metrics-facts.ts'
import {
  type MiniClusterFacts,
  type MiniClusterName,
  readMiniCluster,
} from './minicluster-facts.ts'
import { mapReading, type Reading } from './reading.ts'
import { readWebhook, type WebhookFacts } from './webhook-facts.ts'

/** What is installed. */
export interface InstallationFacts {
  /** When it was read, in milliseconds since 1970. */
  readonly now: number
  readonly version: Reading<ServerVersion>
  readonly custom: GroupFacts
  readonly webhook: WebhookFacts
}

/** What is installed, and one MiniCluster. */
export interface Facts extends InstallationFacts {
  readonly minicluster: MiniClusterFacts
  readonly metrics: MetricsFacts
  readonly autoscaling: HpaFacts
  readonly external: GroupFacts
}

export async function readInstallation(api: Api): Promise<InstallationFacts> {
  const what = 'the version of the API server'
  const document = await api.object('/version', what)
  const version = mapReading(document, what, ({ major, minor }) => {
    // Some providers append a plus sign.
    return parseServerVersion(`${major}.${String(minor).replace(/\D+$/, '')}`)
  })
  if (version.kind === 'unread' && !version.isForbidden) api.giveUp(version)
  const [custom, webhook] = await Promise.all([readCustomGroup(api), readWebhook(api)])
  return { now: Date.now(), version, custom, webhook }
}

export async function readFacts(api: Api, name: MiniClusterName): Promise<Facts> {
  const installation = await readInstallation(api)
  const { version } = installation.custom
  const [minicluster, metrics, autoscaling, external] = await Promise.all([
    readMiniCluster(api, name),
    readMetrics(api, name, VERSIONS.find((one) => one === version) ?? VERSIONS[0]),
    readHpas(api, name.namespace),
    readExternalGroup(api),
  ])
  return { ...installation, minicluster, metrics, autoscaling, external }
}
