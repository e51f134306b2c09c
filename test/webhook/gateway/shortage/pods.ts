// Pods and Events of a MiniCluster whose pods are short, as the API server shows them: a test says what is different.
import type { ClusterObject, NewObject } from '../../../../webhook/kubernetes/cluster.ts'

export const NAME = { namespace: 'hpc', minicluster: 'lammps' } as const
export const JOB = 'uid-of-job'
export const NO_CPU =
  '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'

/** `seconds` ago. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1_000).toISOString()
}

export function cluster(size: number): NewObject {
  return {
    apiVersion: 'flux-framework.org/v1alpha2',
    kind: 'MiniCluster',
    metadata: { name: NAME.minicluster, namespace: NAME.namespace, uid: 'uid-of-minicluster' },
    spec: { size, maxSize: size },
  }
}

export interface PodChanges {
  readonly age?: number
  readonly job?: string
  readonly metadata?: object
  readonly spec?: object
  readonly status?: object
}

/** A pod of a rank that runs on a node. */
export function running(rank: number | string, changes: PodChanges = {}): NewObject {
  const { age = 600, job = JOB, metadata = {}, spec = {}, status = {} } = changes
  const index = { 'batch.kubernetes.io/job-completion-index': `${rank}` }
  const name = `lammps-${rank}-abcde`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: NAME.namespace,
      uid: `uid-of-${name}`,
      creationTimestamp: ago(age),
      labels: { 'job-name': NAME.minicluster, ...index },
      annotations: index,
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'Job', name: 'lammps', uid: job, controller: true },
      ],
      ...metadata,
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'lammps' }], ...spec },
    status: { phase: 'Running', ...status },
  }
}

/** A pod that fits on no node. */
export function unscheduled(rank: number, changes: PodChanges & { message?: string } = {}) {
  const { message = NO_CPU, status = {}, ...others } = changes
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }
  return running(rank, {
    ...others,
    spec: { nodeName: undefined },
    status: { phase: 'Pending', conditions: [condition], ...status },
  })
}

let events = 0

export interface EventChanges {
  readonly reason?: string
  readonly component?: string
  readonly message: string
  readonly first?: number
  readonly last?: number
}

function event(involvedObject: object, changes: EventChanges): NewObject {
  const { reason = 'FailedCreate', component = 'job-controller', message } = changes
  const { first = 300, last = 20 } = changes
  events += 1
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `event-${events}`, namespace: NAME.namespace },
    involvedObject,
    ...{ reason, message, source: { component } },
    ...{ firstTimestamp: ago(first), lastTimestamp: ago(last), eventTime: null },
  }
}

export const QUOTA =
  'Error creating: pods "lammps-4-x7k2p" is forbidden: exceeded quota: compute, requested: requests.cpu=1, used: requests.cpu=4, limited: requests.cpu=4'

/** The API server refuses to create a pod of the Job. */
export function refused(changes: Partial<EventChanges> = {}, job = JOB): NewObject {
  return event({ kind: 'Job', name: 'lammps', uid: job }, { message: QUOTA, ...changes })
}

export function onPod(rank: number, changes: EventChanges): NewObject {
  return event({ kind: 'Pod', uid: `uid-of-lammps-${rank}-abcde` }, changes)
}

/** What an object looks like when anybody wrote anything into it. */
export function broken(object: NewObject, changes: object): NewObject & ClusterObject {
  return JSON.parse(JSON.stringify({ ...object, ...changes }))
}
