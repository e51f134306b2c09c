// Which pods there are to review: those of the documents, and those that controllers would make of the others. Pure.
import * as v from 'valibot'
import { preselect } from '../../admission/decision.ts'
import { isJob, miniClusterOf } from '../../injection/minicluster.ts'
import { controllerOf, displayName, type Pod, toPod } from '../../injection/pod.ts'
import { JobSource } from '../input/job-source.ts'
import { refusalOf } from '../input/minicluster-source.ts'
import {
  type Found,
  type FoundJob,
  type FoundMiniCluster,
  type FoundPod,
  NO_UID,
} from '../input/objects.ts'
import { podOfJob } from './job-pod.ts'
import { operatorJob } from './operator-job.ts'

/** A pod, or why there would be none. `name` is what people are told; `source` of what the pod was made, if it was. */
export type Subject =
  | {
      readonly kind: 'pod'
      readonly name: string
      readonly source: string | undefined
      readonly pod: Pod
    }
  | { readonly kind: 'none'; readonly name: string; readonly why: string }

export interface Subjects {
  readonly subjects: readonly Subject[]
  /** The Jobs among the objects and those made. */
  readonly jobs: readonly FoundJob[]
}

/** The subjects, in the order of the objects. */
export function subjectsOf(found: readonly Found[]): Subjects {
  const pods = found.filter((object) => object.kind === 'Pod')
  const jobs = found.filter((object) => object.kind === 'Job')
  const made: FoundJob[] = []
  const subjects = found.flatMap((object): readonly Subject[] => {
    if (object.kind === 'Pod') return [subject(object.value)]
    if (object.kind === 'Job') return ofJob(object, { pods, of: object })
    const hasJob = jobs.some((job) => isControlled(job, object))
    if (hasJob || pods.some((pod) => lacksJob(pod, object))) return []
    const job = makeJob(object)
    if (typeof job === 'string') return [{ kind: 'none', name: spell(object), why: job }]
    made.push(job)
    return ofJob(job, { pods, of: object })
  })
  return { subjects, jobs: [...jobs, ...made] }
}

/** @returns a sentence if the operator makes none */
function makeJob({ value, document }: FoundMiniCluster): FoundJob | string {
  const refusal = refusalOf(value)
  if (refusal !== undefined) return `the Flux Operator refuses the MiniCluster: ${refusal}`
  const { metadata, ...job } = operatorJob(value)
  const stored = { ...job, metadata: { uid: NO_UID, ...Object(metadata) } }
  if (!v.is(JobSource, stored)) throw new TypeError('Cannot use the Job made of a MiniCluster')
  return {
    kind: 'Job',
    value: stored,
    document: { ...document, ...stored, kind: 'Job', value: stored },
  }
}

interface Context {
  readonly pods: readonly FoundPod[]
  /** What the pod would be made of, as people know it. */
  readonly of: FoundJob | FoundMiniCluster
}

function ofJob(job: FoundJob, { pods, of }: Context): readonly Subject[] {
  const { name, namespace, uid } = job.value.metadata
  const hasPod = pods.some(({ value }) => {
    const owner = controllerOf(value.metadata)
    const isOwner = owner?.uid === uid && owner?.name === name
    const isSameNamespace = value.metadata.namespace === namespace
    return isOwner && isSameNamespace && preselect(value).kind === 'candidate'
  })
  if (hasPod) return []
  const pod = toPod(podOfJob(job.value))
  if (pod === undefined) {
    const why = `${of.document.placeOf(['spec'])}: no pod can be made of this`
    return [{ kind: 'none', name: spell(of), why }]
  }
  return [subject(pod, spell(of))]
}

function isControlled({ value }: FoundJob, { value: { metadata } }: FoundMiniCluster): boolean {
  const owner = miniClusterOf(value.metadata)
  return owner?.name === metadata.name && owner?.uid === metadata.uid
}

/** Whether the pod has a Job in a cluster that is the MiniCluster's, by its name; it is not for us to make. */
function lacksJob({ value: { metadata } }: FoundPod, { value }: FoundMiniCluster): boolean {
  const owner = controllerOf(metadata)
  if (owner === undefined || !isJob(owner) || owner.uid === NO_UID) return false
  return owner.name === value.metadata.name && metadata.namespace === value.metadata.namespace
}

function subject(pod: Pod, source?: string): Subject {
  return { kind: 'pod', name: `pod/${displayName(pod)}`, source, pod }
}

function spell({ kind, value }: FoundJob | FoundMiniCluster): string {
  return `${kind.toLowerCase()}/${value.metadata.name}`
}
