// Snapshots for tests: a small instance in which every number differs, so that a mix-up shows.
import type { JobCounts, Snapshot } from '#metrics/snapshot.ts'

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

/** A snapshot of 16 nodes with 8 cores and 2 GPUs each and two queues; `changes` replace whole parts. */
export function snapshotOf(changes: Partial<Snapshot> = {}): Snapshot {
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
    ...changes,
  }
}
