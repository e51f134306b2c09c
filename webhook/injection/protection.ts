// The annotations by which node autoscalers leave the pods of a MiniCluster where they are: a pod that is moved ends the jobs on
// it, and the lead broker's pod all jobs. Pure.
import { PROTECTION } from '../contract.ts'
import type { Settings } from '../objects/annotation-rules.ts'
import { type AddOperation, add, setKeys } from './json-patch.ts'

type Annotations = Readonly<Record<string, string>> | null | undefined

/** Whether the pods of a MiniCluster with these settings are to be protected. */
export function wantsProtection({ enabled, protect }: Settings): boolean {
  return enabled === true && protect !== false
}

/** The annotations that must still be set. What the user has set stays, whatever its value is. */
export function missingProtection(
  annotations: Annotations,
  settings: Settings,
): Readonly<Record<string, string>> {
  if (!wantsProtection(settings)) return {}
  return Object.fromEntries(
    Object.entries(PROTECTION).filter(([key]) => !Object.hasOwn(annotations ?? {}, key)),
  )
}

/** Whether node autoscalers leave pods with these annotations where they are. */
export function isProtected(annotations: Annotations): boolean {
  return Object.entries(PROTECTION).every(([key, value]) => annotations?.[key] === value)
}

/**
 * The operations that protect the pods of a new MiniCluster: the operator copies `spec.pod.annotations` to its pods.
 *
 * @param object the MiniCluster as it was sent: in another shape than the operator's, it stays as it is
 */
export function protectPods(object: unknown, settings: Settings): readonly AddOperation[] {
  const spec = fieldOf(object, 'spec')
  if (!isMap(spec)) return []
  const pod = fieldOf(spec, 'pod')
  const annotations = fieldOf(pod, 'annotations')
  const missing = missingProtection(isMap(annotations) ? annotations : undefined, settings)
  if (Object.keys(missing).length === 0) return []
  if (isAbsent(pod)) return [add(['spec', 'pod'], { annotations: missing })]
  if (!isMap(pod) || !(isAbsent(annotations) || isMap(annotations))) return []
  return setKeys(['spec', 'pod', 'annotations'], annotations, missing)
}

function fieldOf(object: unknown, key: string): unknown {
  return isMap(object) && Object.hasOwn(object, key) ? object[key] : undefined
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

/** The types of the values are the API server's to check. */
function isMap(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
