// What Kubernetes says of the HPAs that scale a MiniCluster, a line each: for top and for the dashboard.
import * as v from 'valibot'
import type { Io } from '../command.ts'
import { parseJson } from './explanation.ts'
import type { KubectlFlags } from './kubectl.ts'
import { getObjectsIn } from './kubectl.ts'

const ConditionSchema = v.object({
  type: v.string(),
  status: v.string(),
  reason: v.optional(v.string(), ''),
  message: v.optional(v.string(), ''),
})

const HpaSchema = v.object({
  metadata: v.object({ name: v.string() }),
  spec: v.object({
    scaleTargetRef: v.object({ kind: v.string(), name: v.string() }),
    minReplicas: v.optional(v.number(), 1),
    maxReplicas: v.number(),
  }),
  status: v.optional(
    v.object({
      currentReplicas: v.optional(v.number(), 0),
      desiredReplicas: v.optional(v.number(), 0),
      conditions: v.nullish(v.array(ConditionSchema), []),
    }),
    {},
  ),
})

const ListSchema = v.object({ items: v.array(HpaSchema) })

type Hpa = v.InferOutput<typeof HpaSchema>

/** One line about each HPA of the MiniCluster, or why none is shown. Never rejects. */
export async function describeAutoscalers(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  flags: KubectlFlags,
  io: Io,
): Promise<readonly string[]> {
  const answer = await getObjectsIn('horizontalpodautoscalers', namespace, flags, io.env)
  if (answer.kind === 'failure') return [`not known: ${answer.reason}`]
  return describeHpas(answer.text, name)
}

/** @param text a list of HPAs as JSON */
export function describeHpas(text: string, minicluster: string): readonly string[] {
  const list = v.safeParse(ListSchema, parseJson(text))
  if (!list.success) return ['not known: kubectl did not answer a list of HPAs']
  const isOurs = ({ spec: { scaleTargetRef } }: Hpa) =>
    scaleTargetRef.kind === 'MiniCluster' && scaleTargetRef.name === minicluster
  const ours = list.output.items.filter(isOurs)
  if (ours.length === 0) return ['none scales this MiniCluster']
  const lines = ours.map(describeHpa)
  return ours.length > 1 ? [...lines, `${ours.length} HPAs scale it: they undo each other`] : lines
}

/** Conditions that say why an HPA does not do what is wanted: with this status. */
const TELLING: ReadonlyMap<string, string> = new Map([
  ['AbleToScale', 'False'],
  ['ScalingActive', 'False'],
  ['ScalingLimited', 'True'],
])

function describeHpa({ metadata, spec, status }: Hpa): string {
  const { currentReplicas, desiredReplicas, conditions } = status
  const size =
    currentReplicas === desiredReplicas
      ? `at ${currentReplicas}`
      : `${currentReplicas} → ${desiredReplicas}`
  const why = (conditions ?? [])
    .filter(({ type, status: value }) => TELLING.get(type) === value)
    .map(({ reason, message }) => `${reason}: ${message}`)
  const bounds = `${spec.minReplicas} to ${spec.maxReplicas}`
  return [`${metadata.name}: ${size}, of ${bounds}`, ...why].join('; ')
}
