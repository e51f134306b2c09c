// What the gateway reads of a MiniCluster that may ask for metrics. Users may write a megabyte into one, again and again: of its maps
// only one key is read, and nothing is kept but the name. Pure.
import * as v from 'valibot'
import { ANNOTATION_PREFIX } from '../../contract.ts'
import type { ClusterObject } from '../../kubernetes/cluster.ts'
import type { MiniClusterName } from './peer.ts'

const ENABLED = `${ANNOTATION_PREFIX}enabled`

const Annotations = v.fallback(v.nullish(v.object({ [ENABLED]: v.unknown() })), undefined)

/** The operator writes five. */
const MAX_CONDITIONS = 50

const Finished = v.object({ type: v.literal('JobFinished'), status: v.literal('True') })

const MiniClusterSchema = v.object({
  metadata: v.object({
    name: v.string(),
    namespace: v.string(),
    deletionTimestamp: v.nullish(v.string()),
    annotations: Annotations,
  }),
  spec: v.fallback(
    v.nullish(
      v.object({ pod: v.fallback(v.nullish(v.object({ annotations: Annotations })), undefined) }),
    ),
    undefined,
  ),
  status: v.fallback(v.nullish(v.object({ conditions: v.unknown() })), undefined),
})

/** @returns `undefined` for a MiniCluster that does not ask for metrics, is being deleted, or has ended */
export function toEnabledName(object: ClusterObject): MiniClusterName | undefined {
  const parsed = v.safeParse(MiniClusterSchema, object)
  if (!parsed.success) return undefined
  const { metadata, spec, status } = parsed.output
  // The annotation of the pods wins, if it says anything.
  const said = [spec?.pod?.annotations, metadata.annotations].map((one) => one?.[ENABLED])
  if (said.find((value) => value === 'true' || value === 'false') !== 'true') return undefined
  if ((metadata.deletionTimestamp ?? undefined) !== undefined) return undefined
  const conditions = Array.isArray(status?.conditions) ? status.conditions : []
  if (conditions.slice(0, MAX_CONDITIONS).some((one) => v.is(Finished, one))) return undefined
  return { namespace: metadata.namespace, minicluster: metadata.name }
}
