// The two calls of a drain plan, over a simulated broker, and what is said of those that it refuses.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Drainer } from '#collecting/drainer.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import { Client } from '#flux/wire/client.ts'
import type { DrainPlan } from '#scaling/drain-before-shrink.ts'
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
      refreshed: () => assert.fail('not for a drainer to tell'),
      failed: () => assert.fail('not for a drainer to tell'),
      connected: () => assert.fail('not for a drainer to tell'),
      disconnected: () => assert.fail('not for a drainer to tell'),
      drained: (what, outcome) => {
        notices.push(`${what} ${outcome}`)
      },
    },
  })
  return {
    ...{ broker, instance, client, notices },
    carryOut: (plan: Partial<Texts>) => drainer.carryOut(client, planOf(plan), LIMITS),
    reasons: () => instance.nodes.map(({ drain }) => drain?.reason),
    /** What was logged since the last time. */
    said: () => lines.splice(0).map(({ level, ranks, msg }) => `${level} ${msg}: ${ranks}`),
  }
}

interface Texts {
  readonly drain: string
  readonly undrain: string
  readonly preparing: number | undefined
}

function planOf(plan: Partial<Texts>): DrainPlan {
  const { drain, undrain, preparing } = { drain: '', undrain: '', preparing: 2, ...plan }
  const ranks = { drain: parseIdset(drain), undrain: parseIdset(undrain) }
  return { size: 4, ...ranks, preparing, lookAt: undefined }
}

const NOT_OWNER =
  'Flux lets its owner alone drain ranks: run the sidecar with the UID of the broker (annotation ' +
  'flux-metrics/run-as-user)'

test('Drainer drains with a reason by which it knows its drains again, and gives back', async (t) => {
  const { carryOut, reasons, said, notices } = await setUp(t)
  await carryOut({ drain: '2-3' })
  assert.deepEqual(reasons(), [undefined, undefined, REASON, REASON])
  assert.deepEqual(said(), ['info drained ranks: 2-3'])
  await carryOut({ undrain: '3' })
  assert.deepEqual(reasons(), [undefined, undefined, REASON, undefined])
  assert.deepEqual(said(), ['info gave ranks back: 3'])
  assert.deepEqual(notices, ['drain ok', 'undrain ok'])
})

test('Drainer gives back first, and then drains', async (t) => {
  const { carryOut, reasons, notices } = await setUp(t)
  await carryOut({ drain: '1' })
  await carryOut({ undrain: '1', drain: '2-3' })
  assert.deepEqual(reasons(), [undefined, undefined, REASON, REASON])
  assert.deepEqual(notices, ['drain ok', 'undrain ok', 'drain ok'])
})

test('Drainer makes no call where nothing is planned', async (t) => {
  const { carryOut, broker } = await setUp(t)
  await carryOut({})
  await carryOut({ drain: '3', preparing: undefined })
  assert.deepEqual([...broker.calls.keys()], [])
})

test('Drainer tells a guest the way out, once for each call', async (t) => {
  const { carryOut, reasons, said, notices } = await setUp(t, { role: 'guest' })
  await carryOut({ drain: '3' })
  await carryOut({ drain: '2-3' })
  await carryOut({ undrain: '1' })
  await carryOut({ undrain: '1', drain: '2-3' })
  assert.deepEqual(said(), [
    `warn cannot drain: ${NOT_OWNER}: 3`,
    `warn cannot undrain: ${NOT_OWNER}: 1`,
  ])
  assert.deepEqual(reasons(), [undefined, undefined, undefined, undefined])
  assert.equal(notices.filter((notice) => notice.endsWith('failed')).length, 5)
})

test('Drainer says nothing where somebody was faster, and touches no drain of theirs', async (t) => {
  const { carryOut, instance, reasons, said, notices } = await setUp(t)
  instance.drain([3], 'maintenance')
  await carryOut({ drain: '2-3' })
  await carryOut({ undrain: '1' })
  assert.deepEqual(reasons(), [undefined, undefined, undefined, 'maintenance'])
  assert.deepEqual(said(), [])
  assert.deepEqual(notices, ['drain failed', 'undrain failed'])
})

test('Drainer says what else the broker refuses, and again after it had worked', async (t) => {
  const { carryOut, said } = await setUp(t)
  const refused = /^warn cannot drain: .*idset is out of range.*: 3-9$/
  await carryOut({ drain: '3-9' })
  await carryOut({ drain: '3-9' })
  const [first, ...others] = said()
  assert.match(first ?? '', refused)
  assert.deepEqual(others, [])
  await carryOut({ drain: '3' })
  await carryOut({ drain: '3-9' })
  const [worked, again] = said()
  assert.equal(worked, 'info drained ranks: 3')
  assert.match(again ?? '', refused)
})

test('Drainer fails with the connection', async (t) => {
  const { broker, client, carryOut, notices, said } = await setUp(t)
  await broker.close()
  await client.ended
  await assert.rejects(carryOut({ drain: '3' }), { code: 'FLUX_DISCONNECTED' })
  assert.deepEqual(notices, [])
  assert.deepEqual(said(), [])
})
