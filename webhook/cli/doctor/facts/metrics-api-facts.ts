// The APIServices of the metrics groups, what they lead to, and whether the API server gets an answer there.
import * as v from 'valibot'
import { EXTERNAL_GROUP, EXTERNAL_VERSION, GROUP, VERSIONS } from '#api/api-group.ts'
import { type Topology, topologyOf } from '../../../kubernetes/aggregation/reach.ts'
import type { ClusterObject } from '../../../objects/cluster-object.ts'
import { Conditions, conditionOf } from '../../../objects/conditions.ts'
import type { Api } from './api.ts'
import { type CalledServer, CalledServerFields, calledServer } from './called-server.ts'
import { ABSENT, knownOf, mapReading, type Reading, read, readNext } from './reading.ts'
import { readService, type ServiceFacts } from './service.ts'

export interface ApiServiceFacts extends CalledServer {
  readonly name: string
  /** HPAs use the version of a group with the highest one. */
  readonly priority: number
  /** As far as the APIService tells it; `undefined` if the API server itself answers. */
  readonly topology: Topology | undefined
  readonly isUnverified: boolean
  /** The condition `Available`, if it is not `True`. */
  readonly unavailable: string | undefined
}

/** One group. */
export interface GroupFacts {
  /** Preferred versions first. */
  readonly apiServices: readonly Reading<ApiServiceFacts>[]
  /** The one that HPAs use. */
  readonly used: Reading<ApiServiceFacts>
  /** Behind the one that HPAs use; absent if that is another adapter's. */
  readonly service: ServiceFacts
  /** That of the used one; the newest if none is known. */
  readonly version: string
  /** The document of the version that HPAs use, as the server behind it answers it. */
  readonly document: Reading<unknown>
}

const Schema = v.object({
  metadata: v.object({
    name: v.string(),
    labels: v.nullish(v.record(v.string(), v.string())),
  }),
  spec: v.object({
    versionPriority: v.nullish(v.number(), 0),
    ...CalledServerFields,
    insecureSkipTLSVerify: v.nullish(v.boolean(), false),
  }),
  status: v.nullish(v.object({ conditions: Conditions })),
})

export async function readCustomGroup(api: Api): Promise<GroupFacts> {
  return readGroup(api, GROUP, VERSIONS)
}

export async function readExternalGroup(api: Api): Promise<GroupFacts> {
  return readGroup(api, EXTERNAL_GROUP, [EXTERNAL_VERSION])
}

async function readGroup(
  api: Api,
  group: string,
  versions: readonly string[],
): Promise<GroupFacts> {
  const apiServices = await Promise.all(
    versions.map((version) => readApiService(api, `${version}.${group}`)),
  )
  const used = usedOf(apiServices)
  const place = await readNext(used, async ({ place: one, topology }) => {
    const isOurs = one !== undefined && topology?.isForeign === false
    return isOurs ? read(one) : ABSENT
  })
  const version = knownOf(used)?.name.split('.')[0] ?? versions[0] ?? ''
  const [service, document] = await Promise.all([
    readService(api, place),
    api.object(`/apis/${group}/${version}`, `the document of ${version}.${group}`),
  ])
  return { apiServices, used, service, version, document }
}

/** What is not known is not passed over: it may be the preferred one. */
function usedOf(apiServices: readonly Reading<ApiServiceFacts>[]): Reading<ApiServiceFacts> {
  const unread = apiServices.find(({ kind }) => kind === 'unread')
  if (unread !== undefined) return unread
  const found = apiServices.flatMap((reading) => knownOf(reading) ?? [])
  const [best] = found.toSorted((a, b) => b.priority - a.priority)
  return best === undefined ? { kind: 'absent' } : read(best)
}

async function readApiService(api: Api, name: string): Promise<Reading<ApiServiceFacts>> {
  const what = `APIService ${name}`
  const path = `/apis/apiregistration.k8s.io/v1/apiservices/${name}`
  return mapReading(await api.object(path, what), what, toFacts)
}

function toFacts(object: ClusterObject): ApiServiceFacts | undefined {
  const parsed = v.safeParse(Schema, object)
  if (!parsed.success) return undefined
  const { metadata, spec, status } = parsed.output
  const available = conditionOf(status?.conditions, 'Available')
  return {
    name: metadata.name,
    priority: spec.versionPriority ?? 0,
    ...calledServer(spec, metadata.labels),
    topology: topologyOf(object),
    isUnverified: spec.insecureSkipTLSVerify ?? false,
    unavailable:
      available === undefined || available.status === 'True'
        ? undefined
        : `${available.reason}: ${available.message}`,
  }
}
