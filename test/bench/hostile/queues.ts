// The hostile queues of the benchmark: what a user can submit to hold the sidecar's event loop or to fill its memory.
import type { JsonObject } from '#flux/wire/payload.ts'
import {
  A_WEEK,
  evenResources,
  everyNth,
  fragmentedResources,
  type HostileQueue,
  jobspec,
  queueOf,
  slot,
} from './queue.ts'

const guest = { role: 'guest' } as const

function repeat<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** Nodes of a width, as a jobspec and in the list. */
function nodes(count: number, cores = 64) {
  const listed = { nnodes: count, ncores: count * cores, ntasks: count }
  return { listed, jobspec: jobspec([{ type: 'node', count, with: [slot(1, cores)] }]) }
}

function cores(count: number) {
  const listed = { ncores: count, ntasks: count }
  return { listed, jobspec: jobspec([slot(count, 1)]) }
}

function constrained(constraints: JsonObject) {
  return { jobspec: jobspec([slot(1, 1)], constraints) }
}

const FREE_SLOT: JsonObject = { type: 'slot', count: 0, with: [{ type: 'core', count: 1 }] }
const WIDE = repeat(40, (kind) => slot(1_000_000 + kind, 64))
const ALTERNATIVES = repeat(16, (kind) => ({
  ...{ type: 'xor_slot', count: 1 + kind, label: 'task' },
  with: [{ type: 'core', count: 65 + kind }],
}))

export const HOSTILE_QUEUES: readonly HostileQueue[] = [
  queueOf('all widths', (job) => nodes(1 + job)),
  queueOf('all widths, listed only', (job) => nodes(1 + job), guest),
  queueOf('all shapes', (job) => ({
    listed: { ncores: (1 + (job % 97)) * (1 + (job % 61)), ntasks: 1 + (job % 97) },
    jobspec: jobspec([slot(1 + (job % 97), 1 + (job % 61), [{ type: 'gpu', count: job % 7 }])]),
  })),
  queueOf('20,000-core jobs', () => cores(20_000), guest),
  queueOf('one-core slots, 10,000 different counts', (job) => cores(1 + job), guest),
  queueOf('the same, with jobspecs', (job) => cores(1 + job)),
  queueOf('cores without tasks, all numbers', (job) => ({ listed: { ncores: 5040 + job } }), {
    ...guest,
    resources: evenResources({ cores: 4096 }),
  }),
  queueOf('ids past 2^53', (job) => nodes(1 + (job % 64)), { firstId: A_WEEK }),
  queueOf('100,000 jobs', (job) => nodes(1 + (job % 64)), { ...guest, count: 100_000 }),
  queueOf('100,000 jobs, ids past 2^53', (job) => cores(1 + (job % 48)), {
    ...guest,
    ...{ count: 100_000, firstId: A_WEEK },
  }),
  queueOf('fragmented nodes', (job) => cores(1 + job), {
    ...guest,
    resources: fragmentedResources(),
  }),
  queueOf('all constraints different', (job) =>
    constrained({ ranks: [`${job}-${5_000 + (job % 5_000)}`] }),
  ),
  queueOf('fragmented constraints, all different', (job) =>
    constrained({ ranks: [everyNth(2 + (job % 50), job % 97, 8_000 + job)] }),
  ),
  queueOf(
    'nested constraints over fragmented properties',
    (job) =>
      constrained({
        and: repeat(120, (at) =>
          at === job % 120 ? { and: [] } : { not: [{ properties: ['^odd'] }] },
        ),
      }),
    { resources: evenResources({ properties: { odd: everyNth(2, 1) } }) },
  ),
  queueOf('constraints of 5,000 hosts', (job) =>
    constrained({ hostlist: [`flux-sample-[${job % 5_000}-${5_000 + (job % 5_000)}]`] }),
  ),
  queueOf('parts without slots', () => ({ jobspec: jobspec(repeat(200, () => FREE_SLOT)) })),
  queueOf('parts larger than R', (job) => ({ jobspec: jobspec([...WIDE, slot(2 + job, 64)]) })),
  queueOf('parts that fit only alone', (job) => ({
    jobspec: jobspec([
      ...repeat(100, (kind) => slot(1, 1 + (kind % 64))),
      slot(10_000, 64 - (job % 3)),
    ]),
  })),
  queueOf('alternatives that do not fit', () => ({
    jobspec: jobspec([...ALTERNATIVES, ...repeat(100, (kind) => slot(1 + kind, 1))]),
  })),
  queueOf('long notes on every job', (job) => ({
    listed: { annotations: { user: { note: `${job} `.repeat(100) } } },
  })),
  queueOf('jobspecs of 400 kB', (job) => ({
    jobspec: {
      ...jobspec([slot(1, 1)]),
      attributes: { user: { notes: repeat(20_000, (at) => `${job} ${at}`) } },
    },
  })),
]
