// The HPAs of a namespace, and whether their controller has the right to read metrics.
import * as v from 'valibot'
import { EXTERNAL_GROUP, GROUP } from '#api/api-group.ts'
import type { ClusterObject } from '../../../objects/cluster-object.ts'
import { type Hpa, toHpas } from '../../input/cluster/hpa.ts'
import type { Api } from './api.ts'
import { mapReading, type Reading, readNext } from './reading.ts'

export interface HpaFacts {
  readonly hpas: Reading<readonly Hpa[]>
  /**
   * The roles of the controller that Kubernetes makes itself: the API groups in which it may read all metrics. Other roles may allow
   * it more.
   */
  readonly readableGroups: Reading<readonly string[]>
}

/** Name of the ClusterRole, and of its binding. */
export const CONTROLLER_ROLE = 'system:controller:horizontal-pod-autoscaler'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'

const Texts = v.nullish(v.array(v.string()), [])

const RoleSchema = v.object({
  rules: v.nullish(v.array(v.object({ apiGroups: Texts, resources: Texts, verbs: Texts })), []),
})

export async function readHpas(api: Api, namespace: string): Promise<HpaFacts> {
  const what = `the HPAs of namespace ${namespace}`
  const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`
  const [hpas, readableGroups] = await Promise.all([api.object(path, what), readRole(api)])
  return { hpas: mapReading(hpas, what, toHpas), readableGroups }
}

async function readRole(api: Api): Promise<Reading<readonly string[]>> {
  const binding = await api.object(
    `${RBAC}/clusterrolebindings/${CONTROLLER_ROLE}`,
    `ClusterRoleBinding ${CONTROLLER_ROLE}`,
  )
  const what = `ClusterRole ${CONTROLLER_ROLE}`
  const role = await readNext(binding, () =>
    api.object(`${RBAC}/clusterroles/${CONTROLLER_ROLE}`, what),
  )
  return mapReading(role, what, groupsOf)
}

function groupsOf(object: ClusterObject): readonly string[] | undefined {
  const parsed = v.safeParse(RoleSchema, object)
  if (!parsed.success) return undefined
  const has = (list: readonly string[] | null | undefined, ...any: readonly string[]) =>
    any.some((one) => list?.includes(one))
  return (parsed.output.rules ?? [])
    .filter(({ resources, verbs }) => has(resources, '*') && has(verbs, 'get', '*'))
    .flatMap(({ apiGroups }) => (has(apiGroups, '*') ? [GROUP, EXTERNAL_GROUP] : (apiGroups ?? [])))
}
