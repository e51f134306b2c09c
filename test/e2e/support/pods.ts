// Pods like those that the Job controller creates for a MiniCluster, in any number. None of them ever runs.
import type { V1Job, V1Pod } from '@kubernetes/client-node'

const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'
/** No scheduler has this name, so such a pod never gets a node. */
const NO_SCHEDULER = 'flux-metrics-e2e-none'

/**
 * A pod of a Job's template with an index. The Job owns it, but it lacks the label by which the Job controller would find
 * it and delete it as superfluous.
 */
export function podOf(job: V1Job, index: number): V1Pod {
  const { name = '', uid = '', namespace = '' } = job.metadata ?? {}
  const template = job.spec?.template
  if (template?.spec === undefined) throw new TypeError('Cannot make a pod: the Job has none')
  const { labels = {}, annotations = {} } = template.metadata ?? {}
  const own = Object.entries(labels).filter(([key]) => !key.endsWith('controller-uid'))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${name}-${index}-`,
      namespace,
      labels: { ...Object.fromEntries(own), [COMPLETION_INDEX]: String(index) },
      annotations: { ...annotations, [COMPLETION_INDEX]: String(index) },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true }],
    },
    spec: { ...template.spec, schedulerName: NO_SCHEDULER },
  }
}

/** Whether a pod is Ready, and not being deleted. */
export function isReady(pod: V1Pod): boolean {
  const ready = pod.status?.conditions?.some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  )
  return ready === true && pod.metadata?.deletionTimestamp === undefined
}

/** The name of a pod, and what keeps it from being Ready. */
export function describePod({ metadata, status }: V1Pod): string {
  const {
    phase,
    initContainerStatuses = [],
    containerStatuses = [],
    conditions = [],
  } = status ?? {}
  const containers = [...initContainerStatuses, ...containerStatuses]
    .filter(({ ready }) => !ready)
    .map(({ name, restartCount, state: { waiting, terminated } = {} }) => {
      const why = waiting?.reason ?? terminated?.reason ?? 'not ready'
      return `${name} ${why} after ${restartCount} restarts`
    })
  const unmet = conditions.filter((one) => one.status !== 'True').map(({ type }) => `not ${type}`)
  const end = metadata?.deletionTimestamp === undefined ? [] : ['being deleted']
  return `${metadata?.name} (${[phase, ...end, ...unmet, ...containers].join(', ')})`
}

/** Whether the webhook has added the sidecar. */
export function isInjected({ spec }: V1Pod): boolean {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  return containers.some(({ name }) => name === 'flux-metrics')
}
