// Ranks on which the scheduler and the resource module disagree, as releases before 0.61 answer: what a reading makes of them.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ERRNO } from '#flux/errors.ts'
import { EMPTY_IDSET, formatIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Facts } from '#reading/facts.ts'
import { InstanceReader } from '#reading/instance-reader.ts'
import { type Answer, connectToCannedBroker } from '../../support/canned-broker.ts'
import { recordedAnswer } from '../../support/recordings.ts'

const LIMITS = { timeoutMs: 10_000 }

/** Whole nodes of four cores. */
function nodes(ranks: string): JsonObject {
  const entries = ranks === '' ? [] : [{ rank: ranks, children: { core: '0-3' } }]
  return { version: 1, execution: { R_lite: entries } }
}

/** An instance of eight nodes without jobs, of a release before 0.61. `down` is what the scheduler says. */
function answersOf(
  down: string | readonly string[],
  status: { readonly offline?: string; readonly drain?: JsonObject; readonly exclude?: string },
): Record<string, Answer> {
  const sched = [down].flat().map((ranks) => ({
    all: nodes('0-7'),
    allocated: null,
    down: ranks === '' ? null : nodes(ranks),
  }))
  return {
    'attr.get': [{ value: '0.51.0' }, { value: '0' }],
    'state-machine.get': { state: 'run', duration: 1 },
    'resource.sched-status': ERRNO.ENOSYS,
    'sched.resource-status': sched,
    'resource.status': { offline: '', drain: {}, exclude: '', ...status },
    'job-list.job-stats': recordedAnswer('0.51.0', 'job-stats', 'job-list.job-stats'),
    'job-list.list': { jobs: [] },
    'config.get': {},
    'job-manager.queue-status': { enable: true, start: true },
  }
}

/** Several readings over one connection. */
async function readings(
  t: TestContext,
  answers: Record<string, Answer>,
  count: number,
): Promise<{ readonly facts: readonly Facts[]; readonly asked: readonly string[] }> {
  const broker = await connectToCannedBroker(t, answers)
  const instance = await InstanceReader.open(broker.client, LIMITS)
  const facts: Facts[] = []
  for (let index = 0; index < count; index += 1) facts.push(await instance.read(LIMITS))
  return { facts, asked: broker.asked }
}

function summary({ nodes: { up, down }, closed, untracked }: Facts): unknown {
  const text = (ranks = EMPTY_IDSET) => formatIdset(ranks)
  return { up, down, closed: text(closed), untracked: text(untracked) }
}

test('InstanceReader believes the resource module about offline ranks that Fluxion lost track of', async (t) => {
  const { facts, asked } = await readings(t, answersOf('6-7', { offline: '4-7' }), 2)
  assert.deepEqual(facts.map(summary), [
    { up: 4, down: 4, closed: '', untracked: '' },
    { up: 4, down: 4, closed: '', untracked: '4-5' },
  ])
  // Fluxion's answer takes up to a second of the scheduler: it is not repeated.
  assert.equal(asked.filter((topic) => topic === 'sched.resource-status').length, 2)
})

test('InstanceReader finds ranks that are down for the scheduler alone, e.g. excluded while it ran', async (t) => {
  const { facts } = await readings(t, answersOf('2,7', { offline: '7', exclude: '2' }), 2)
  assert.deepEqual(facts.map(summary), [
    { up: 6, down: 2, closed: '', untracked: '' },
    { up: 6, down: 2, closed: '2', untracked: '' },
  ])
})

test('InstanceReader does not take a rank that joins between two answers for one that the scheduler does not use', async (t) => {
  const { facts } = await readings(t, answersOf(['6-7', '7'], { offline: '7' }), 3)
  assert.deepEqual(
    facts.map(({ closed }) => formatIdset(closed ?? EMPTY_IDSET)),
    ['', '', ''],
  )
})

test('InstanceReader refuses a drained rank that the scheduler may still use, and names rank and cure', async (t) => {
  const drain = { '3': { timestamp: 1, reason: 'broker was unresponsive' } }
  await assert.rejects(readings(t, answersOf('', { drain }), 1), {
    code: 'FLUX_PROTOCOL',
    message:
      "Cannot trust Flux's answers: rank 3 is both drained and up; if this lasts, reload the scheduler (flux module reload)",
  })
})
