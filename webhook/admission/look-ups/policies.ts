// Reads the policies of a namespace for the resources of its pods: LimitRanges and ResourceQuotas. Decides nothing.
import * as v from 'valibot'
import { LimitRangeSchema } from '../../injection/resources/limit-range.ts'
import { ResourceQuotaSchema } from '../../injection/resources/resource-quota.ts'
import type { Policies } from '../../injection/resources/sidecar-resources.ts'
import type { Cluster, ClusterObject } from '../../kubernetes/cluster.ts'

/** Objects of one kind. Namespaces have a few of them. */
const MAX_OBJECTS = 100

/** Of the objects of one kind, as JSON: ten times as much as so many usual ones. */
const MAX_BYTES = 2 ** 20

/** Entries of all policies together. Users write them, and each is compared with the pod. */
const MAX_ENTRIES = 1_000

/** @throws ClusterError if the API server does not answer, or forbids the reading; Error if there are too many */
export async function readPolicies(
  cluster: Pick<Cluster, 'list'>,
  namespace: string,
): Promise<Policies> {
  const [limitRanges, quotas] = await Promise.all([
    readAll(cluster, 'LimitRange', namespace),
    readAll(cluster, 'ResourceQuota', namespace),
  ])
  if (countEntries([...limitRanges, ...quotas]) > MAX_ENTRIES) throw tooMany(namespace)
  return {
    limitRanges: limitRanges.map((object) => v.parse(LimitRangeSchema, object)),
    quotas: quotas.map((object) => v.parse(ResourceQuotaSchema, object)),
  }
}

async function readAll(
  cluster: Pick<Cluster, 'list'>,
  kind: string,
  namespace: string,
): Promise<readonly ClusterObject[]> {
  const bounds = { limit: MAX_OBJECTS, maxBytes: MAX_BYTES }
  const page = await cluster.list({ apiVersion: 'v1', kind, namespace }, bounds)
  if (page.continue !== undefined) throw tooMany(namespace)
  return page.items
}

/** Values in `spec` and `status`, at any depth, until there are too many. */
function countEntries(objects: readonly ClusterObject[]): number {
  const left: unknown[] = objects.flatMap(({ spec, status }) => [spec, status])
  let count = 0
  while (left.length > 0 && count <= MAX_ENTRIES) {
    const value = left.pop()
    if (typeof value !== 'object' || value === null) count += 1
    else for (const inner of Object.values(value)) left.push(inner)
  }
  return count
}

function tooMany(namespace: string): Error {
  return new Error(`Too many LimitRanges or ResourceQuotas in namespace "${namespace}" to check`)
}
