// Removes from a pod the fields that were written after its creation: from a stored pod to the request that created it. Pure.
import type { Pod } from '../../objects/pod.ts'

/** The API server writes these fields; it also generates the name of each pod of a Job. */
const STORED = [
  'managedFields',
  'name',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
]

/** The scheduler writes nodeName, `kubectl debug` writes ephemeralContainers. */
const SCHEDULED = ['nodeName', 'ephemeralContainers']

/** The pod of a Job as the Job controller sent it to the API server. */
export function asCreated(pod: Pod): Pod {
  const created = structuredClone(pod)
  delete created.status
  for (const key of STORED) delete created.metadata[key]
  for (const key of SCHEDULED) delete created.spec[key]
  return created
}
