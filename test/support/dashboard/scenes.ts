// The states of which the documentation has pictures and the tests have a look: what the command would tell the page in each.
import type { DetailedExplanation } from '#explaining/details.ts'
import type { JobRequest } from '#simulation/jobs/job.ts'
import type { ListState, MiniClusterState } from '../../../webhook/cli/dashboard/data.ts'
import { readExplanation } from '../../../webhook/cli/input/cluster/explanation.ts'
import { type PastHourOptions, pastHour } from './past-hour.ts'

/** The end of the hour in every scene. */
export const UNTIL = '2026-11-29T03:12:40Z'

const MAX_SIZE = 16

const ON_SMALL = { maxSize: MAX_SIZE, coresPerNode: 8, up: 2 } as const

/** A quiet hour: jobs of one or four nodes, now and then. */
function usualJobs(until: number): Map<number, JobRequest[]> {
  const jobs = new Map<number, JobRequest[]>()
  const at = (second: number, ...added: JobRequest[]) =>
    jobs.set(second, [...(jobs.get(second) ?? []), ...added])
  for (let second = 120, turn = 0; second < until; second += 210, turn += 1) {
    const wave = Math.sin((second / 3_600) * 2 * Math.PI)
    if (wave > -0.2) at(second, { nodes: 1 + (turn % 3), duration: 320 + 40 * (turn % 5) })
    if (turn % 4 === 1) at(second + 60, { nodes: 4, duration: 400 })
  }
  return jobs
}

function scene(changes: Partial<PastHourOptions>): DetailedExplanation {
  return pastHour({ instance: ON_SMALL, until: UNTIL, jobs: usualJobs(3_300), ...changes })
}

function withJobs(until: number, more: Readonly<Record<number, readonly JobRequest[]>>) {
  const jobs: Map<number, readonly JobRequest[]> = new Map(usualJobs(until))
  for (const [second, added] of Object.entries(more)) {
    jobs.set(Number(second), [...(jobs.get(Number(second)) ?? []), ...added])
  }
  return jobs
}

const HPA = (at: string) => [`flux-sample: ${at}, of 2 to 16`]

/** Why a job waits: each reason once. */
export const waiting = madeOnce((): MiniClusterState => {
  const explanation = scene({
    jobs: withJobs(2_700, {
      2900: [{ nodes: 6, duration: 2_400 }],
      2960: [{ nodes: 3, duration: 5_400 }, { nodes: 2 }],
      3100: [{ nodes: 5, duration: 1_200 }],
      3200: [
        { nodes: 2, urgency: 0 },
        { nodes: 1, dependency: 'after-success=ƒ23NX6P8B' },
        { nodes: 24, duration: 600 },
        { nodes: 3, duration: 900 },
      ],
      3400: [{ nodes: 1, duration: 300 }],
    }),
    most: 12,
    acts: new Map([[2_400, (instance) => instance.drain([4], 'bad DIMM in slot 3, ticket 4711')]]),
  })
  return known(explanation, [
    'flux-sample: at 12, of 2 to 12; TooManyReplicas: the desired replica count is more than the maximum replica count',
  ])
})

/** Jobs that have just come, for which nodes are being added. */
export const growing = madeOnce((): MiniClusterState => known(growingAsTold(), HPA('7 → 13')))

/** The same, as the sidecar tells it. */
export function growingAsTold(): DetailedExplanation {
  return scene({
    jobs: withJobs(2_900, {
      3000: [{ nodes: 3, duration: 1_500 }],
      3575: [
        { nodes: 4, duration: 900 },
        { nodes: 4, duration: 900 },
        { nodes: 2, duration: 600 },
      ],
    }),
  })
}

/** A minute after the start of the sidecar. */
export const young = madeOnce((): MiniClusterState => known(scene({ seconds: 60 }), HPA('at 2')))

/** The same, and some minutes in which nothing was known. */
export const recovered = madeOnce((): MiniClusterState => {
  const reason = 'the broker closed the connection'
  const explanation = scene({
    jobs: withJobs(2_900, {
      3000: [{ nodes: 3, duration: 1_500 }],
      3575: [{ nodes: 4, duration: 900 }],
    }),
    outages: [{ from: 1_200, to: 1_430, reason }],
  })
  return known(explanation, HPA('7 → 11'))
})

/** Ranks that are drained before the size falls; one of them still runs a job. */
export const draining = madeOnce((): MiniClusterState => {
  const explanation = scene({
    drains: true,
    jobs: withJobs(2_500, {
      2600: [
        { nodes: 5, duration: 2_400 },
        { nodes: 4, duration: 700 },
        { nodes: 3, duration: 900 },
      ],
    }),
  })
  return known(explanation, HPA('at 12'))
})

/** Thousands of ranks in most of the states. */
export const large = madeOnce((): MiniClusterState => {
  const jobs = new Map<number, JobRequest[]>()
  for (let second = 0, turn = 0; second < 600; second += 10, turn += 1) {
    const nodes = 8 + ((turn * 37) % 120)
    jobs.set(second, [{ nodes, duration: 300 + ((turn * 97) % 900) }])
  }
  const explanation = pastHour({
    instance: { maxSize: 4_096, coresPerNode: 64, up: 3_072, passesAbsent: true },
    until: UNTIL,
    seconds: 600,
    jobs,
    acts: new Map([
      [
        200,
        (instance) => {
          instance.drain([17, 18, 911, 2_048], 'health check failed')
          instance.down(1_500, 1_501, 1_502)
        },
      ],
    ]),
  })
  return known(explanation, ['flux-large: 3072 → 3400, of 64 to 4096'])
})

export const OUTAGE: MiniClusterState = {
  kind: 'unknown',
  reason:
    'Error from server (ServiceUnavailable): MiniCluster hpc/flux-sample: its sidecar says: Cannot read the state of Flux: no broker listens on the socket (last read at 2026-11-29T03:12:40Z)',
}

export const LIST: ListState = {
  kind: 'known',
  note: null,
  overview: {
    more: 0,
    miniclusters: [
      row('genomics', 'align-nightly', { present: 24, desired: 24, floor: 24, pending: 0 }),
      row('genomics', 'assembly', {
        ...{ present: 8, desired: 20, floor: 8, pending: 6, problems: 1 },
        problem:
          'ranks 9-19 are not there: their pods are Pending for 4 min: Insufficient cpu; NodePool default: the limits are reached (karpenter)',
      }),
      row('hpc', 'flux-sample', {
        ...{ present: 12, desired: 14, floor: 12, pending: 3, problems: 2 },
        problem:
          'rank 4 is drained, not by the sidecar ("bad DIMM in slot 3, ticket 4711"): no job starts there until flux resource undrain',
      }),
      row('hpc', 'mpi-bench', { present: 64, desired: 48, floor: 48, pending: 0 }),
      {
        namespace: 'ml',
        minicluster: 'train-a',
        reason:
          'MiniCluster ml/train-a: its sidecar says: Cannot read the state of Flux: its state is "quorum", not "run"',
      },
      row('ml', 'train-b', { present: 16, desired: 16, floor: 16, pending: 1 }),
      row('ml', 'notebooks', { present: 2, desired: 2, floor: 1, pending: 0 }),
      row('weather', 'ensemble', { present: 96, desired: 128, floor: 96, pending: 12 }),
    ],
  },
}

type Row = Extract<ListState, { kind: 'known' }>['overview']['miniclusters'][number]

function row(
  namespace: string,
  minicluster: string,
  numbers: {
    readonly present: number
    readonly desired: number
    readonly floor: number
    readonly pending: number
    readonly problems?: number
    readonly problem?: string
  },
): Row {
  const { desired } = numbers
  return {
    namespace,
    minicluster,
    summary: `desired ${desired}`,
    problems: 0,
    problem: null,
    ...numbers,
  }
}

/** As the command reads it from a sidecar. */
export function known(
  explanation: DetailedExplanation,
  hpas: readonly string[] | null,
): MiniClusterState {
  const read = readExplanation(JSON.stringify(explanation))
  if (typeof read === 'string') throw new Error(read)
  return { kind: 'known', explanation: read, hpas }
}

/** An hour takes a tenth of a second to simulate: a scene is made when it is wanted first. */
function madeOnce(make: () => MiniClusterState): () => MiniClusterState {
  let made: MiniClusterState | undefined
  return () => {
    made ??= make()
    return made
  }
}
