// A warning about a MiniCluster whose Job is in a queue of Kueue. Kueue suspends a running Job whose size changes and queues it again,
// and the Job controller deletes the pods of a suspended Job. Pure.
import type { MiniCluster } from '../../objects/minicluster.ts'
import type { Pod } from '../../objects/pod.ts'

/** The label of a Job by which Kueue takes it. */
const QUEUE = 'kueue.x-k8s.io/queue-name'

/** The annotation of a Job that Kueue resizes without a stop, since Kueue 0.18. The operator gives its Jobs no annotations. */
const ELASTIC = 'kueue.x-k8s.io/elastic-job'

type Marks = Pick<Pod['metadata'], 'labels' | 'annotations'>

/** The operator gives the Job these labels. */
export function adviseOnKueue({ spec }: MiniCluster): readonly string[] {
  return stopsResized({ labels: spec?.jobLabels }) ? [stopped('spec.jobLabels')] : []
}

/** The same of a Job that is there: Kueue gives Jobs a queue too, in a namespace with a queue named `default`. */
export function adviseOnKueueOf(job: Marks): readonly string[] {
  return stopsResized(job) ? [stopped('the labels of its Job')] : []
}

function stopsResized({ labels, annotations }: Marks): boolean {
  return Boolean(labels?.[QUEUE]) && annotations?.[ELASTIC] !== 'true'
}

function stopped(place: string): string {
  return (
    `${place} (${QUEUE}): Kueue stops a Job whose size changes, which ends all jobs of the MiniCluster: ` +
    'create no HPA, or the MiniCluster without the label'
  )
}
