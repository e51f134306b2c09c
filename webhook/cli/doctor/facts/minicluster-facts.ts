// What the API server has of one MiniCluster: itself, its Job, its pods, and what its namespace allows.
import * as v from 'valibot'
import { preselect } from '../../../admission/decision.ts'
import { readPolicies } from '../../../admission/look-ups/policies.ts'
import { lookAt } from '../../../gateway/shortage/look.ts'
import type { Shortage } from '../../../gateway/shortage/shortage.ts'
import type { Policies } from '../../../injection/resources/sidecar-resources.ts'
import type { ClusterObject } from '../../../objects/cluster-object.ts'
import { Conditions } from '../../../objects/conditions.ts'
import { MINICLUSTER, type MiniCluster, toMiniCluster } from '../../../objects/minicluster.ts'
import { controllerOf, hasEnded, isGoing, Metadata, type Pod, toPod } from '../../../objects/pod.ts'
import { MiniClusterSource } from '../../input/files/minicluster-source.ts'
import { type Api, attempt } from './api.ts'
import { ABSENT, mapReading, type Reading, read, readNext } from './reading.ts'

export interface MiniClusterName {
  readonly namespace: string
  readonly name: string
}

/** A MiniCluster, as the webhook and as the operator read it. */
export interface FoundMiniCluster {
  readonly minicluster: MiniCluster
  readonly source: MiniClusterSource
  /** `status.size`; 0 until the first resize. */
  readonly statusSize: number
}

export interface JobFacts {
  readonly uid: string
  readonly completions: number
  readonly hasEnded: boolean
  readonly metadata: v.InferOutput<typeof Metadata>
}

/** A pod of the Job, checked, and as it was read. */
export interface JobPod {
  readonly pod: Pod
  readonly object: ClusterObject
}

export interface JobPods {
  readonly listed: readonly JobPod[]
  /** Whether there may be more. */
  readonly areAll: boolean
}

export interface MiniClusterFacts extends MiniClusterName {
  readonly found: Reading<FoundMiniCluster>
  /** The API of MiniClusters; absent where no operator is installed. Read only if the MiniCluster is absent. */
  readonly operatorApi: Reading<unknown>
  readonly namespaceLabels: Reading<Readonly<Record<string, string>>>
  readonly job: Reading<JobFacts>
  readonly pods: Reading<JobPods>
  /** The pod of the lead broker that has not ended and is not being deleted. */
  readonly lead: Reading<JobPod>
  readonly policies: Reading<Policies>
  /** Which wanted pods are not there. */
  readonly shortage: Reading<Shortage>
}

const API = `/apis/${MINICLUSTER.apiVersion}`

const Statuses = v.object({ status: v.nullish(v.object({ size: v.nullish(v.number(), 0) })) })

const JobSchema = v.object({
  metadata: v.object({ ...Metadata.entries, uid: v.string() }),
  spec: v.object({ completions: v.nullish(v.number(), 1) }),
  status: v.nullish(v.object({ conditions: Conditions })),
})

const NamespaceSchema = v.object({ metadata: Metadata })

/** Protection and nodes of more pods are not looked at. */
const MAX_PODS = 500

export async function readMiniCluster(api: Api, of: MiniClusterName): Promise<MiniClusterFacts> {
  const { namespace, name } = of
  const what = `MiniCluster ${namespace}/${name}`
  const path = `${API}/namespaces/${namespace}/miniclusters/${name}`
  const found = mapReading(await api.object(path, what), what, toFound)
  const [operatorApi, namespaceLabels, job, policies] = await Promise.all([
    found.kind === 'absent' ? api.object(API, 'the API of MiniClusters') : found,
    readLabels(api, namespace),
    readNext(found, () => readJob(api, of)),
    readNext(found, () =>
      attempt(`the LimitRanges and ResourceQuotas of namespace ${namespace}`, () =>
        readPolicies(api.asCluster(), namespace),
      ),
    ),
  ])
  const [pods, shortage] = await Promise.all([
    readNext(job, (value) => readPods(api, of, value)),
    readNext(job, (value) => readShortage(api, of, value)),
  ])
  const lead = pods.kind === 'read' ? leadOf(pods.value.listed) : pods
  return { ...of, found, operatorApi, namespaceLabels, job, pods, lead, policies, shortage }
}

function toFound(object: ClusterObject): FoundMiniCluster | undefined {
  const minicluster = toMiniCluster(object)
  const source = v.safeParse(MiniClusterSource, object)
  const statuses = v.safeParse(Statuses, object)
  if (minicluster === undefined || !source.success || !statuses.success) return undefined
  return { minicluster, source: source.output, statusSize: statuses.output.status?.size ?? 0 }
}

async function readLabels(
  api: Api,
  namespace: string,
): Promise<Reading<Readonly<Record<string, string>>>> {
  const what = `Namespace ${namespace}`
  return mapReading(await api.object(`/api/v1/namespaces/${namespace}`, what), what, (object) => {
    const parsed = v.safeParse(NamespaceSchema, object)
    return parsed.success ? (parsed.output.metadata.labels ?? {}) : undefined
  })
}

/** The Job has the name of its MiniCluster. */
async function readJob(api: Api, { namespace, name }: MiniClusterName): Promise<Reading<JobFacts>> {
  const what = `Job ${namespace}/${name}`
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`
  return mapReading(await api.object(path, what), what, (object) => {
    const parsed = v.safeParse(JobSchema, object)
    if (!parsed.success) return undefined
    const { metadata, spec, status } = parsed.output
    const hasEnded = (status?.conditions ?? []).some(
      (is) => (is.type === 'Complete' || is.type === 'Failed') && is.status === 'True',
    )
    return { uid: metadata.uid, completions: spec.completions ?? 1, hasEnded, metadata }
  })
}

async function readPods(
  api: Api,
  { namespace, name }: MiniClusterName,
  job: JobFacts,
): Promise<Reading<JobPods>> {
  return attempt(`the pods of namespace ${namespace}`, async () => {
    const labelSelector = `job-name=${name}`
    const collection = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector }
    const page = await api.asCluster().list(collection, { limit: MAX_PODS })
    const listed = page.items.flatMap((object) => {
      const pod = toPod(object)
      const isOfJob = pod !== undefined && controllerOf(pod.metadata)?.uid === job.uid
      return isOfJob ? [{ pod, object }] : []
    })
    return { listed, areAll: page.continue === undefined }
  })
}

function leadOf(pods: readonly JobPod[]): Reading<JobPod> {
  const lead = pods.find(
    ({ pod }) => preselect(pod).kind === 'candidate' && !isGoing(pod) && !hasEnded(pod),
  )
  return lead === undefined ? ABSENT : read(lead)
}

async function readShortage(
  api: Api,
  { namespace, name }: MiniClusterName,
  { uid }: JobFacts,
): Promise<Reading<Shortage>> {
  const what = `the pods and Events of namespace ${namespace}`
  return attempt(what, () => lookAt(api.asCluster(), { namespace, minicluster: name, job: uid }))
}
