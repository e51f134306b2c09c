// The pods to review: those of the input, and those that the controllers would make from its MiniClusters and Jobs. Pure.
import * as v from 'valibot'
import { preselect } from '../../admission/decision.ts'
import { isJob, miniClusterOf } from '../../objects/minicluster.ts'
import { controllerOf, displayName, type Pod, toPod } from '../../objects/pod.ts'
import { podOfJob } from '../controllers/job-pod.ts'
import { operatorJob } from '../controllers/operator-job.ts'
import { JobSource } from '../input/files/job-source.ts'
import { refusalOf } from '../input/files/minicluster-source.ts'
import {
  type Found,
  type FoundJob,
  type FoundMiniCluster,
  type FoundPod,
  NO_UID,
} from '../input/files/objects.ts'
import { admit, type Protected } from './admitted-minicluster.ts'

/**
 * A pod to review, or why there would be none. `name` is for messages; `source` is the object from which the pod was made,
 * `undefined` for a pod of the input.
 */
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
  /** The Jobs of the input, and those that were made. */
  readonly jobs: readonly FoundJob[]
  /** The MiniClusters that the webhook changes before a Job is made of them. */
  readonly protecteds: readonly Protected[]
}

/** @returns subjects in the order of the objects */
export function subjectsOf(found: readonly Found[]): Subjects {
  const pods = new OwnedPods(found.filter((object) => object.kind === 'Pod'))
  const jobs = found.filter((object) => object.kind === 'Job')
  const controlled = new Set(jobs.map(controllerKey))
  const made: FoundJob[] = []
  const protecteds: Protected[] = []
  const subjects = found.flatMap((object): readonly Subject[] => {
    if (object.kind === 'Pod') return [subject(object.value)]
    if (object.kind === 'Job') return ofJob(object, { pods, of: object })
    if (object.kind !== 'MiniCluster') return []
    const { name, namespace, uid } = object.value.metadata
    const hasJob = controlled.has(`${name}/${uid}`)
    if (hasJob || pods.of({ name, namespace }).some(isOfStoredJob)) return []
    const { value, change } = admit(object)
    const job = makeJob({ ...object, value })
    if (typeof job === 'string') return [{ kind: 'none', name: spell(object), why: job }]
    made.push(job)
    if (change !== undefined) protecteds.push(change)
    return ofJob(job, { pods, of: object })
  })
  return { subjects, jobs: [...jobs, ...made], protecteds }
}

/** @returns a sentence if the operator would make no Job */
function makeJob({ value, document }: FoundMiniCluster): FoundJob | string {
  const refusal = refusalOf(value)
  if (refusal !== undefined) return `the Flux Operator refuses the MiniCluster: ${refusal}`
  const { metadata, ...job } = operatorJob(value)
  const stored = { ...job, metadata: { uid: NO_UID, ...Object(metadata) } }
  if (!v.is(JobSource, stored)) throw new TypeError('Cannot use the Job made from a MiniCluster')
  return {
    kind: 'Job',
    value: stored,
    document: { ...document, ...stored, kind: 'Job', value: stored },
  }
}

interface JobContext {
  readonly pods: OwnedPods
  /** The object of the input from which the pod would be made. */
  readonly of: FoundJob | FoundMiniCluster
}

function ofJob(job: FoundJob, { pods, of }: JobContext): readonly Subject[] {
  const { uid } = job.value.metadata
  const hasPod = pods.of(job.value.metadata).some(({ value }) => {
    return controllerOf(value.metadata)?.uid === uid && preselect(value).kind === 'candidate'
  })
  if (hasPod) return []
  const pod = toPod(podOfJob(job.value))
  if (pod === undefined) {
    const why = `${of.document.placeOf(['spec'])}: expected a spec from which a pod can be made`
    return [{ kind: 'none', name: spell(of), why }]
  }
  return [subject(pod, spell(of))]
}

/** The name and the UID of the MiniCluster that controls a Job. */
function controllerKey({ value }: FoundJob): string {
  const owner = miniClusterOf(value.metadata)
  return `${owner?.name}/${owner?.uid}`
}

/** Whether the pod is owned by a Job that an API server has stored: then the Job must not be made again. */
function isOfStoredJob({ value }: FoundPod): boolean {
  const owner = controllerOf(value.metadata)
  return owner !== undefined && isJob(owner) && owner.uid !== NO_UID
}

/** The pods of the input by the name of their controller: there may be thousands. */
class OwnedPods {
  readonly #pods: ReadonlyMap<string, readonly FoundPod[]>

  constructor(pods: readonly FoundPod[]) {
    this.#pods = Map.groupBy(pods, ({ value: { metadata } }) =>
      keyOf({ name: controllerOf(metadata)?.name, namespace: metadata.namespace }),
    )
  }

  of(controller: Pick<FoundJob['value']['metadata'], 'namespace'> & { readonly name: string }) {
    return this.#pods.get(keyOf(controller)) ?? []
  }
}

function keyOf({
  name,
  namespace,
}: {
  readonly name: string | undefined
  readonly namespace?: string | null | undefined
}): string {
  return `${namespace}/${name}`
}

function subject(pod: Pod, source?: string): Subject {
  return { kind: 'pod', name: `pod/${displayName(pod)}`, source, pod }
}

function spell({ kind, value }: FoundJob | FoundMiniCluster): string {
  return `${kind.toLowerCase()}/${value.metadata.name}`
}
