// The index-0 pod of a Job, as the Job controller sends it to the API server. The defaults, the service account and the
// tolerations that the API server adds make no difference to the sidecar and are left out. Pure.
import type { Json } from '../../objects/json.ts'
import { COMPLETION_INDEX } from '../../objects/pod.ts'
import type { JobContainer, JobSource } from '../input/files/job-source.ts'
import { omitEmpty } from './omit-empty.ts'

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'

/** The API server adds 5 characters to it, and the value of a label has at most 63. */
const MAX_GENERATE_NAME = 58

/** The pod (core/v1 `Pod`). It has no name: the API server generates one. */
export function podOfJob(job: JobSource): Json {
  const { metadata, spec } = job
  const { labels, annotations, finalizers } = spec.template.metadata ?? {}
  const isIndexed = spec.completionMode === 'Indexed'
  const index: Record<string, string> = isIndexed ? { [COMPLETION_INDEX]: '0' } : {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: generateName(metadata.name, isIndexed ? '-0-' : '-'),
      namespace: metadata.namespace,
      labels: { ...labels, ...selectorLabels(job), ...index },
      ...omitEmpty({ annotations: { ...annotations, ...index } }),
      finalizers: [...(finalizers ?? []), 'batch.kubernetes.io/job-tracking'],
      ownerReferences: [
        {
          apiVersion: job.apiVersion,
          kind: 'Job',
          name: metadata.name,
          uid: metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: isIndexed ? indexed(job) : spec.template.spec,
  }
}

/** The API server writes these labels into the template when the Job is created. */
function selectorLabels({ metadata, spec }: JobSource): Json {
  const { name, uid } = metadata
  if (spec.manualSelector === true) return {}
  return {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  }
}

function indexed({ metadata, spec }: JobSource): Json {
  const { initContainers, containers } = spec.template.spec
  return {
    ...spec.template.spec,
    ...(initContainers && { initContainers: initContainers.map(withIndexVariable) }),
    containers: containers.map(withIndexVariable),
    hostname: `${metadata.name}-0`,
  }
}

function withIndexVariable(container: JobContainer): Json {
  const env = container.env ?? []
  if (env.some(({ name }) => name === INDEX_VARIABLE)) return container
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`
  const variable = { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } }
  return { ...container, env: [...env, variable] }
}

function generateName(name: string, ending: string): string {
  return `${name.slice(0, MAX_GENERATE_NAME - ending.length)}${ending}`
}
