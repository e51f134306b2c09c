// The input of `flux-metrics simulate`, checked: one queue of jobs, whose jobs may also be recordings, and the HPAs to compare.
import { hpaSpecFor } from '../../hpa/recommended-hpa.ts'
import { describeUnexpected, type ReadResult, readDocuments } from '../../input/files/documents.ts'
import type { Input } from '../../input/files/inputs.ts'
import type { Arrival } from '../simulation.ts'
import { misfitsOf } from './hpa-fit.ts'
import { isHpa, type NamedHpa, readHpa } from './hpa-source.ts'
import { isRecording, type Recorded, type Recording, readRecording } from './jobs-recording.ts'
import { isQueue, QUEUE_KIND, type QueueOfJobs, readQueue } from './queue-source.ts'

export interface SimulationInput {
  readonly queue: QueueOfJobs
  /** At least one. */
  readonly hpas: readonly NamedHpa[]
  /** What is not simulated, a sentence each. */
  readonly warnings: readonly string[]
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
  const hpas = objects.filter(isHpa).map((document) => ({ document, ...readHpa(document) }))
  const problems = [documents, jobs, queues, hpas].flatMap((results) =>
    results.flatMap((result) => result.problems),
  )
  if (problems.length > 0) return { found: [], problems }
  const [queue, another] = queues.flatMap(({ found }) => found)
  if (queue === undefined || another !== undefined) {
    const problem =
      another === undefined
        ? describeUnexpected(objects, `one ${QUEUE_KIND}`, inputs[0]?.name)
        : `${inputs[0]?.name}: expected one ${QUEUE_KIND}, found ${queues.length}`
    return { found: [], problems: [problem] }
  }
  const recorded = jobs.flatMap(({ found }) => found)
  const misfits = [
    ...recorded.flatMap((recording) => queueProblems(recording, queue)),
    ...hpas.flatMap(({ document, found }) =>
      found.flatMap(({ spec }) => misfitsOf(document, spec, queue)),
    ),
  ]
  if (misfits.length > 0) return { found: [], problems: misfits }
  const arrivals = [
    ...queue.arrivals,
    ...recorded.flatMap((recording) => recording.jobs.map((job) => arrivalIn(queue, job))),
  ]
  if (arrivals.length === 0) {
    const problem = `${inputs[0]?.name}: expected jobs in spec.jobs, or a recording`
    return { found: [], problems: [problem] }
  }
  const named = hpas.flatMap(({ found }) => found)
  const compared = named.length > 0 ? named : [recommendedFor(queue)]
  const warnings = recorded.flatMap((recording) => recording.warnings)
  return { found: [{ queue: { ...queue, arrivals }, hpas: compared, warnings }], problems: [] }
}

/** Whoever has more jobs of other queues has the wrong file. */
const MAX_PROBLEMS = 10

/** Recorded jobs of queues that the Queue does not have. */
function queueProblems({ jobs }: Recording, { queues }: QueueOfJobs): readonly string[] {
  if (queues === undefined) return []
  const names = Object.keys(queues)
  return jobs
    .filter(({ arrival }) => !names.includes(arrival.job.queue ?? ''))
    .slice(0, MAX_PROBLEMS)
    .map(({ arrival, place }) => {
      const got = arrival.job.queue === undefined ? 'none' : `"${arrival.job.queue}"`
      return `${place()}: queue: expected ${names.join(' or ')}, as in the Queue's spec.queues, got ${got}`
    })
}

/** Without queues, all jobs are in one. */
function arrivalIn({ queues }: QueueOfJobs, { arrival }: Recorded): Arrival {
  const { queue: _, ...job } = arrival.job
  return queues === undefined ? { ...arrival, job } : arrival
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
