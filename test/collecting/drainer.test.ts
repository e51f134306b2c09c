// The two calls of a drain plan to a simulated broker, and the log of refused calls.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Drainer } from '#collecting/drainer.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import { Client } from '#flux/wire/client.ts'
import type { DrainPlan } from '#scaling/drains/drain-before-shrink.ts'
import { Instance } from '#simulation/instance.ts'
import { type BrokerOptions, startBroker } from '../support/broker.ts'
import { memoryLog } from '../support/memory-log.ts'

const LIMITS = { timeoutMs: 10_000 }
const REASON = 'flux-metrics/flux-sample: scale-down to 2'

async function setUp(t: TestContext, options: Partial<BrokerOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'flux-'))
  const path = join(folder, 'local')
  const instance = new Instance({ maxSize: 4 })
  const broker = await startBroker({ path, instance, ...options })
  const client = await Client.connect(path, LIMITS)
  t.after(async () => {
    client.close()
    await broker.close()
    await rm(folder, { recursive: true })
  })
  const notices: string[] = []
  const { log, lines } = memoryLog()
  const drainer = new Drainer({
    instance: 'flux-sample',
    log,
    observer: {
      refreshed: () => assert.fail('a drainer does not report this'),
      failed: () => assert.fail('a drainer does not report this'),
      connected: () => assert.fail('a drainer does not report this'),
      disconnected: () => assert.fail('a drainer does not report this'),
      drained: (what, outcome) => {
        notices.push(`${what} ${outcome}`)
      },
    },
  })
  return {
    ...{ broker, instance, client, notices },
    refusal: () => drainer.refusal,
    carryOut: (plan: Partial<PlanTexts>) => drainer.carryOut(client, planOf(plan), LIMITS),
    reasons: () => instance.nodes.map(({ drain }) => drain?.reason),
    /** The lines that were logged since the last call. */
    logged: () =>
      lines
        .splice(0)
        .map(({ level, ranks, msg, reason }) =>
          [level, msg, ranks, reason].filter(Boolean).join(' '),
        ),
  }
}

interface PlanTexts {
  readonly drain: string
  readonly undrain: string
  readonly preparing: number | undefined
}

function planOf(plan: Partial<PlanTexts>): DrainPlan {
  const { drain, undrain, preparing } = { drain: '', undrain: '', preparing: 2, ...plan }
  const ranks = { drain: parseIdset(drain), undrain: parseIdset(undrain) }
  return { size: 4, ...ranks, preparing, lookAt: undefined }
}

const NOT_OWNER =
  'Flux allows only its owner to drain ranks: run the sidecar with the UID of the broker (annotation ' +
  'flux-metrics/run-as-user)'

test('Drainer drains with a reason that marks its own drains, and undrains', async (t) => {
  const { carryOut, reasons, logged, notices } = await setUp(t)
  await carryOut({ drain: '2-3' })
  assert.deepEqual(reasons(), [undefined, undefined, REASON, REASON])
  assert.deepEqual(logged(), ['info drained ranks 2-3'])
  await carryOut({ undrain: '3' })
  assert.deepEqual(reasons(), [undefined, undefined, REASON, undefined])
  assert.deepEqual(logged(), ['info undrained ranks 3'])
  assert.deepEqual(notices, ['drain ok', 'undrain ok'])
})

test('Drainer undrains first, and then drains', async (t) => {
  const { carryOut, reasons, notices } = await setUp(t)
  await carryOut({ drain: '1' })
  await carryOut({ undrain: '1', drain: '2-3' })
  assert.deepEqual(reasons(), [undefined, undefined, REASON, REASON])
  assert.deepEqual(notices, ['drain ok', 'undrain ok', 'drain ok'])
})

test('Drainer makes no call if nothing is planned', async (t) => {
  const { carryOut, broker } = await setUp(t)
  await carryOut({})
  await carryOut({ drain: '3', preparing: undefined })
  assert.deepEqual([...broker.calls.keys()], [])
})

test('Drainer logs the cure for a guest, once for each call', async (t) => {
  const { carryOut, reasons, logged, notices } = await setUp(t, { role: 'guest' })
  await carryOut({ drain: '3' })
  await carryOut({ drain: '2-3' })
  await carryOut({ undrain: '1' })
  await carryOut({ undrain: '1', drain: '2-3' })
  assert.deepEqual(logged(), [
    `warn cannot drain ranks 3 ${NOT_OWNER}`,
    `warn cannot undrain ranks 1 ${NOT_OWNER}`,
  ])
  assert.deepEqual(reasons(), [undefined, undefined, undefined, undefined])
  assert.equal(notices.filter((notice) => notice.endsWith('failed')).length, 5)
})

test('Drainer has the refusal of the last plan alone', async (t) => {
  const { carryOut, refusal } = await setUp(t, { role: 'guest' })
  await carryOut({ drain: '3' })
  assert.equal(refusal(), NOT_OWNER)
  await carryOut({})
  assert.equal(refusal(), undefined)
})

test('Drainer logs nothing if another client was first, and leaves its drain', async (t) => {
  const { carryOut, instance, reasons, logged, notices } = await setUp(t)
  instance.drain([3], 'maintenance')
  await carryOut({ drain: '2-3' })
  await carryOut({ undrain: '1' })
  assert.deepEqual(reasons(), [undefined, undefined, undefined, 'maintenance'])
  assert.deepEqual(logged(), [])
  assert.deepEqual(notices, ['drain failed', 'undrain failed'])
})

test('Drainer logs another refusal once, and again after a call that worked', async (t) => {
  const { carryOut, logged } = await setUp(t)
  const refused = /^warn cannot drain ranks 3-9 .*idset is out of range/
  await carryOut({ drain: '3-9' })
  await carryOut({ drain: '3-9' })
  const [first, ...others] = logged()
  assert.match(first ?? '', refused)
  assert.deepEqual(others, [])
  await carryOut({ drain: '3' })
  await carryOut({ drain: '3-9' })
  const [worked, again] = logged()
  assert.equal(worked, 'info drained ranks 3')
  assert.match(again ?? '', refused)
})

test('Drainer fails with the connection', async (t) => {
  const { broker, client, carryOut, notices, logged } = await setUp(t)
  await broker.close()
  await client.ended
  await assert.rejects(carryOut({ drain: '3' }), { code: 'FLUX_DISCONNECTED' })
  assert.deepEqual(notices, [])
  assert.deepEqual(logged(), [])
})
