// Snapshots for tests: a small instance in which every number differs, so that a test notices swapped values.
import { EMPTY_IDSET, parseIdset } from '#flux/sets/idset.ts'
import { parseResourceSet, type ResourceSet } from '#flux/sets/resource-set.ts'
import type { Facts, JobCounts } from '#reading/facts.ts'
import { ALL_PODS } from '#reading/ranks/pod-ranks.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'

/** Job counts that all differ, from `first` on: new, depend, priority, sched, run, cleanup, inactive, then results. */
export function jobCounts(first: number): JobCounts {
  return {
    new: first,
    depend: first + 1,
    priority: first + 2,
    sched: first + 3,
    run: first + 4,
    cleanup: first + 5,
    inactive: first + 6,
    successful: first + 7,
    failed: first + 8,
    canceled: first + 9,
    timeout: first + 10,
  }
}

/** R with these ranks, which all have the same cores and GPUs. */
export function ranksWith(
  ranks: string,
  { cores, gpus }: { readonly cores: string; readonly gpus?: string },
): ResourceSet {
  const children = { core: cores, ...(gpus !== undefined && { gpu: gpus }) }
  const entries = ranks === '' ? [] : [{ rank: ranks, children }]
  return parseResourceSet({ version: 1, execution: { R_lite: entries } })
}

/**
 * A reading of 16 nodes with 8 cores each and of two queues with every node. The first ten nodes are up, the first seven hold
 * jobs, and no job waits. The counts do not fit these nodes: they all differ, so that a test notices swapped values.
 */
export function factsOf(changes: Partial<Facts> = {}): Facts {
  return {
    takenAt: new Date('2026-11-24T01:02:03.456Z'),
    tookMs: 1,
    nodes: { total: 16, up: 10, down: 6, allocated: 7, free: 5, idle: 3, drained: 2 },
    cores: { total: 128, up: 80, allocated: 44, free: 36 },
    gpus: { total: 32, up: 20, allocated: 11, free: 9 },
    jobs: {
      kind: 'known',
      total: jobCounts(300),
      queues: new Map([
        ['batch', jobCounts(100)],
        ['debug', jobCounts(200)],
      ]),
    },
    all: ranksWith('0-15', { cores: '0-7' }),
    pods: ALL_PODS,
    allocated: ranksWith('0-6', { cores: '0-7' }),
    running: EMPTY_IDSET,
    offline: parseIdset('10-15'),
    torpid: EMPTY_IDSET,
    drains: [],
    waiting: {
      kind: 'known',
      jobs: [],
      total: 0,
      lacksStartable: false,
      unknownRequests: undefined,
    },
    queues: new Map([
      ['batch', { started: true, ranks: undefined }],
      ['debug', { started: true, ranks: undefined }],
    ]),
    failed: [],
    highestJob: undefined,
    fluxion: undefined,
    quorum: 1,
    ...changes,
  }
}

/** The snapshot of this reading, with nothing remembered of earlier ones. `changes` replace its fields. */
export function snapshotOf(changes: Partial<Snapshot> = {}): Snapshot {
  const snapshots = new SnapshotMaker({ patience: { idleGraceMs: 0 }, drains: undefined })
  return { ...snapshots.make(factsOf(changes), 0).snapshot, ...changes }
}
