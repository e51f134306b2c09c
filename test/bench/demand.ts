// Measures the cost of computing sizes from a reading, against the one cost that cannot be avoided: JSON.parse of the answers
// that the reading consists of.
import { join } from 'node:path'
import { PENDING_ATTRIBUTES } from '#flux/calls/job-list-calls.ts'
import { Client } from '#flux/wire/client.ts'
import type { Facts } from '#reading/facts.ts'
import { InstanceReader } from '#reading/instance-reader.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { Instance } from '#simulation/instance.ts'
import { schedStatus } from '../support/broker/resource-answers.ts'
import { type SimulatedBroker, startBroker } from '../support/broker.ts'
import { type Bench, say } from './bench.ts'
import { type Figure, median } from './figures.ts'

const NODES = 10_000
const JOBS = 10_000
const LIMITS = { timeoutMs: 60_000 }

/** The sidecar's request to job-list: pending jobs of all users, with the attributes that decide about their start. */
const LIST = {
  max_entries: JOBS,
  attrs: PENDING_ATTRIBUTES,
  since: 0,
  userid: 0xffffffff,
  states: 14,
  results: 0,
  constraint: { states: [14] },
}

/** A busy machine: every tenth node has a job, the first pending job wants more than is free, the others wait behind it. */
export function busyInstance(pending: number): Instance {
  const instance = new Instance({ maxSize: NODES, coresPerNode: 16, up: NODES / 2 })
  for (let job = 0; job < NODES / 10; job += 1) instance.submit({ cores: 1 + (job % 16) })
  instance.submit({ nodes: NODES })
  for (let job = 1; job < pending; job += 1) {
    if (job % 3 === 0) instance.submit({ nodes: 1 + (job % 64) })
    else instance.submit({ cores: 1 + (job % 48), tasks: 1 + (job % 48) })
  }
  return instance
}

/** The time from a reading of 10,000 nodes and 10,000 pending jobs to its sizes. Nothing is kept from the round before. */
export async function demandFigure(bench: Bench): Promise<Figure> {
  say('demand …')
  const instance = busyInstance(JOBS)
  const broker = await startBroker({ path: join(bench.folder, 'demand'), instance, role: 'guest' })
  try {
    const { facts, answers } = await read(broker, instance)
    const ours: number[] = []
    const ratios: number[] = []
    for (let round = 0; round <= bench.effort.runs; round += 1) {
      const snapshots = new SnapshotMaker({ drains: undefined })
      const draw = time(() => snapshots.make(facts, 0))
      const parse = time(() => answers.map((answer) => JSON.parse(answer)))
      // The first round warms up.
      if (round === 0) continue
      ours.push(draw)
      ratios.push(draw / parse)
    }
    return {
      name: 'sizes of 10,000 nodes, 10,000 pending jobs, against JSON.parse',
      value: median(ratios),
      unit: '×',
      target: { at: 'most', value: 2 },
      detail: `${median(ours).toFixed(1)} ms`,
    }
  } finally {
    await broker.close()
  }
}

/** The facts that the sidecar reads, and the two long answers. */
async function read(
  broker: SimulatedBroker,
  instance: Instance,
): Promise<{ readonly facts: Facts; readonly answers: readonly string[] }> {
  const client = await Client.connect(broker.path, LIMITS)
  try {
    const facts = await (await InstanceReader.open(client, LIMITS)).read(LIMITS)
    const jobs = await client.call('job-list.list', LIST, LIMITS)
    return { facts, answers: [schedStatus(instance, 'core'), jobs].map((it) => JSON.stringify(it)) }
  } finally {
    client.close()
  }
}

function time(run: () => unknown): number {
  const startedAt = performance.now()
  run()
  return performance.now() - startedAt
}
