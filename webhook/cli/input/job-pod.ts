// The index-0 pod of a Job, as the Job controller asks the API server for it. Pure. What the API server fills in besides
// (defaults, service account, tolerations) changes nothing for the sidecar, and is not here.
import * as v from 'valibot'
import type { Json } from '../../injection/container.ts'
import { COMPLETION_INDEX, Metadata } from '../../injection/pod.ts'
import { omitEmpty } from './minicluster-source.ts'

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'

/** A generated name is this plus 5 characters, and a label's value has at most 63. */
const MAX_GENERATE_NAME = 58

const Container = v.looseObject({
  name: v.string(),
  env: v.nullish(v.array(v.looseObject({ name: v.string() }))),
})

/** A batch/v1 `Job`, as far as its controller makes pods of it. */
export const JobSource = v.looseObject({
  apiVersion: v.string(),
  metadata: v.looseObject({ ...Metadata.entries, name: v.string() }),
  spec: v.looseObject({
    completionMode: v.nullish(v.string()),
    manualSelector: v.nullish(v.boolean()),
    template: v.looseObject({
      metadata: v.nullish(
        v.looseObject({ ...Metadata.entries, finalizers: v.nullish(v.array(v.string())) }),
      ),
      spec: v.looseObject({
        initContainers: v.nullish(v.array(Container)),
        containers: v.pipe(v.array(Container), v.minLength(1)),
      }),
    }),
  }),
})

export type JobSource = v.InferOutput<typeof JobSource>

/** The pod (core/v1 `Pod`), without a name, which the API server makes up. */
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

/** The API server writes them into the template when the Job is created. */
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
    ...(initContainers && { initContainers: initContainers.map(tellIndex) }),
    containers: containers.map(tellIndex),
    hostname: `${metadata.name}-0`,
  }
}

function tellIndex(container: v.InferOutput<typeof Container>): Json {
  const env = container.env ?? []
  if (env.some(({ name }) => name === INDEX_VARIABLE)) return container
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`
  const variable = { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } }
  return { ...container, env: [...env, variable] }
}

function generateName(name: string, ending: string): string {
  return `${name.slice(0, MAX_GENERATE_NAME - ending.length)}${ending}`
}
