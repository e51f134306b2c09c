// The input of `flux-metrics simulate`, checked: one queue of jobs, whose jobs may also be recordings, and the HPAs to compare.
import { hpaSpecFor } from '../hpa/recommended-hpa.ts'
import { describeUnexpected, type ReadResult, readDocuments } from '../input/documents.ts'
import type { Input } from '../input/inputs.ts'
import { isHpa, type NamedHpa, readHpa } from './hpa-source.ts'
import { isRecording, readRecording } from './jobs-recording.ts'
import { isQueue, QUEUE_KIND, type QueueOfJobs, readQueue } from './queue-source.ts'

export interface SimulationInput {
  readonly queue: QueueOfJobs
  /** At least one. */
  readonly hpas: readonly NamedHpa[]
}

/** Without problems exactly one input is found. */
export function readSimulationInput(inputs: readonly Input[]): ReadResult<SimulationInput> {
  const recordings = inputs.filter(({ text }) => isRecording(text))
  const documents = inputs
    .filter((input) => !recordings.includes(input))
    .map(({ name, text }) => readDocuments(text, name))
  const objects = documents.flatMap(({ found }) => found)
  const jobs = recordings.map(({ name, text }) => readRecording(text, name))
  const queues = objects.filter(isQueue).map(readQueue)
  const hpas = objects.filter(isHpa).map(readHpa)
  const problems = [documents, jobs, queues, hpas].flatMap((results) =>
    results.flatMap((result) => result.problems),
  )
  if (problems.length > 0) return { found: [], problems }
  const [queue, another] = queues.flatMap(({ found }) => found)
  if (queue === undefined || another !== undefined) {
    const problem = describeUnexpected(objects, `one ${QUEUE_KIND}`, inputs[0]?.name)
    return { found: [], problems: [problem] }
  }
  const arrivals = [...queue.arrivals, ...jobs.flatMap(({ found }) => found.flat())]
  if (arrivals.length === 0) {
    const problem = `${inputs[0]?.name}: expected jobs in spec.jobs, or a recording`
    return { found: [], problems: [problem] }
  }
  const named = hpas.flatMap(({ found }) => found)
  const compared = named.length > 0 ? named : [recommendedFor(queue)]
  return { found: [{ queue: { ...queue, arrivals }, hpas: compared }], problems: [] }
}

/** The HPA that `flux-metrics hpa` prints for a MiniCluster without drains. */
function recommendedFor({ nodes: { max } }: QueueOfJobs): NamedHpa {
  const target = { kind: 'MiniCluster', name: 'flux-sample' }
  const sizes = { minReplicas: 1, maxReplicas: max }
  return {
    name: 'recommended',
    spec: hpaSpecFor(target, sizes, { hasTolerance: true, drains: false }),
  }
}
