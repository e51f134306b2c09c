// One odd field in an otherwise whole reading: what needs it is unknown, with the reason, and everything else is still read.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ERRNO } from '#flux/errors.ts'
import { formatIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { METRICS } from '#metrics/catalog.ts'
import { UNAVAILABLE_NODES } from '#metrics/gateway-metrics.ts'
import type { Facts } from '#reading/facts.ts'
import { InstanceReader } from '#reading/instance-reader.ts'
import { isUnknown } from '#reading/unknown.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { type Answer, connectToCannedBroker } from '../support/canned-broker.ts'

const LIMITS = { timeoutMs: 10_000 }

function nodes(ranks: string): JsonObject {
  return { version: 1, execution: { R_lite: [{ rank: ranks, children: { core: '0-3' } }] } }
}

const STATS = {
  job_states: { depend: 0, priority: 0, sched: 2, run: 1, cleanup: 0, inactive: 3, total: 6 },
  ...{ successful: 1, failed: 2, canceled: 0, timeout: 0, inactive_purged: 0, queues: [] },
}

const PENDING = {
  id: 1,
  state: 8,
  userid: 7,
  priority: 16,
  t_submit: 1,
  ntasks: 2,
  nnodes: 2,
  ncores: 8,
}
const RUNNING = { id: 2, userid: 7, ranks: '2', expiration: 0 }
const FAILED = { id: 3, t_inactive: Date.now() / 1000, exception_type: 'exec' }

/** Eight nodes of four cores, of which four are up: a job on rank 2, two pending jobs of two nodes, two failed jobs. */
function answers(
  lists: { readonly pending?: object; readonly failed?: object; readonly running?: object } = {},
): Record<string, Answer> {
  const { pending = {}, failed = {}, running = {} } = lists
  return {
    'attr.get': [{ value: '0.88.0' }, { value: '1' }],
    'state-machine.get': { state: 'run', duration: 1 },
    'resource.sched-status': { all: nodes('0-7'), allocated: nodes('2'), down: nodes('4-7') },
    'resource.status': { offline: '4-7', drain: {}, exclude: '' },
    'job-list.job-stats': STATS,
    'job-list.list': [
      { jobs: [PENDING, { ...PENDING, ...pending }] },
      { jobs: [FAILED, { ...FAILED, ...failed }] },
      { jobs: [{ ...RUNNING, ...running }] },
    ],
    'job-manager.queue-status': { enable: true, start: true },
    'job-manager.getattr': ERRNO.EPERM,
    'config.get': {},
  }
}

async function readOne(t: TestContext, given: Record<string, Answer>): Promise<Facts> {
  const { client } = await connectToCannedBroker(t, given)
  const instance = await InstanceReader.open(client, LIMITS)
  return instance.read(LIMITS)
}

/** These are not known from a whole reading either: Flux gives no estimate, and pods are the gateway's to know. */
const NEVER_KNOWN = ['job_start_seconds', UNAVAILABLE_NODES]

/** The metrics of a reading that are not known. */
function unknownIn(facts: Facts): readonly string[] {
  const { snapshot } = new SnapshotMaker({ drains: undefined }).make(facts, 0)
  return [...METRICS.values()]
    .filter((metric) => isUnknown(metric.value(snapshot, {})))
    .map(({ name }) => name)
    .filter((name) => !NEVER_KNOWN.includes(name))
}

test('a whole reading leaves no metric unknown', async (t) => {
  const facts = await readOne(t, answers())
  assert.deepEqual(unknownIn(facts), [])
  assert.equal(
    METRICS.get('node_desired_count')?.value(
      new SnapshotMaker({ drains: undefined }).make(facts, 0).snapshot,
      {},
    ),
    5,
  )
})

const SIZES = [
  'node_desired_count',
  'node_desired_compensated_count',
  'node_floor_count',
  'node_demand_count',
]
const OF_PENDING = ['node_pending_count', 'node_cores_pending_count']
const OF_DEMAND = [
  ...SIZES,
  ...OF_PENDING,
  'node_gpus_pending_count',
  ...['node_stranded_count', 'job_held_count', 'job_infeasible_count'],
  ...['job_refused_count', 'job_unsatisfiable_count', 'job_unhelped_count'],
  ...['job_wait_seconds_max', 'job_wait_seconds_p90'],
]

const OF_COUNTS = [...METRICS.keys()].filter((name) =>
  /^job_(queue_state_\w+|pending|active|successful|failed|canceled|timeout)_count$/.test(name),
)

/** Answers with one odd part, and the metrics that need it. */
const CASES: readonly (readonly [
  what: string,
  given: Record<string, Answer>,
  unknown: readonly string[],
])[] = [
  ['a pending job without a user', answers({ pending: { userid: null } }), []],
  ['a pending job with an odd time limit', answers({ pending: { duration: '1h' } }), []],
  [
    'a pending job without a time of submission',
    answers({ pending: { t_submit: undefined } }),
    ['job_wait_seconds_max', 'job_wait_seconds_p90'],
  ],
  ['a pending job with an odd number of nodes', answers({ pending: { nnodes: '2' } }), OF_PENDING],
  ['a pending job with an odd state', answers({ pending: { state: 'SCHED' } }), OF_DEMAND],
  [
    'a failed job with an odd end',
    answers({ failed: { t_inactive: 'now' } }),
    ['job_refused_count', 'job_unsatisfiable_count'],
  ],
  ['a running job without a user', answers({ running: { userid: 'root', expiration: [] } }), []],
  ['a running job with odd ranks', answers({ running: { ranks: 'all' } }), OF_DEMAND],
  [
    'a missing count of canceled jobs',
    { ...answers(), 'job-list.job-stats': { ...STATS, canceled: null } },
    ['job_canceled_count'],
  ],
  [
    'a missing count of failed jobs',
    { ...answers(), 'job-list.job-stats': { ...STATS, failed: undefined } },
    ['job_failed_count', 'job_refused_count', 'job_unsatisfiable_count'],
  ],
  ...[{ sched: undefined }, { depend: -1 }, { total: 1 }].map(
    (odd) =>
      [
        `job counts with ${JSON.stringify(odd)}`,
        {
          ...answers(),
          'job-list.job-stats': { ...STATS, job_states: { ...STATS.job_states, ...odd } },
        },
        [...OF_DEMAND, ...OF_COUNTS],
      ] as const,
  ),
  [
    'job counts without states',
    { ...answers(), 'job-list.job-stats': {} },
    [...OF_DEMAND, ...OF_COUNTS],
  ],
  [
    'a queue of which Flux does not say whether it is started',
    { ...answers(), 'job-manager.queue-status': { start: 'yes' } },
    OF_DEMAND,
  ],
  [
    'parameters of Fluxion of another shape',
    { ...answers(), 'sched-fluxion-qmanager.params': { params: { 'queue-policy': 1 } } },
    [],
  ],
]

for (const [what, given, unknown] of CASES) {
  test(`InstanceReader with ${what} leaves ${unknown.length} metrics unknown`, async (t) => {
    const facts = await readOne(t, given)
    assert.deepEqual(new Set(unknownIn(facts)), new Set(unknown))
    assert.deepEqual([facts.nodes.up, formatIdset(facts.offline)], [4, '4-7'])
  })
}

test('a pending job of which a guest cannot read the nodes counts with every rank that it may be given', async (t) => {
  const facts = await readOne(t, answers({ pending: { nnodes: '2' } }))
  const { snapshot } = new SnapshotMaker({ drains: undefined }).make(facts, 0)
  assert.equal(METRICS.get('node_desired_count')?.value(snapshot, {}), 8)
})

test('failed jobs that are not read because the job counts are odd say so, not that Flux hides them', async (t) => {
  const { failed } = await readOne(t, { ...answers(), 'job-list.job-stats': {} })
  assert.ok(isUnknown(failed))
  assert.match(failed.reason, /job-list\.job-stats/)
})
