// A pod without what it got after it was created: what `kubectl get -o yaml` prints becomes what `kubectl create` takes.
import type { Pod } from '../../injection/pod.ts'

/** Written by the API server; the name too, which it makes up anew for each pod of a Job. */
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

/** Written by the scheduler, and by `kubectl debug`. */
const SCHEDULED = ['nodeName', 'ephemeralContainers']

/** A Job's pod, as the Job controller asked for it. */
export function asCreated(pod: Pod): Pod {
  const created = structuredClone(pod)
  delete created.status
  for (const key of STORED) delete created.metadata[key]
  for (const key of SCHEDULED) delete created.spec[key]
  return created
}
