import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Reload } from '#serving/reload.ts'

const NEVER_MS = 2 ** 30

/** A value that tests set, and all that was reported about it. */
function watch(t: TestContext, current?: string) {
  const there: { value: string | Error } = { value: current ?? 'one' }
  const changes: string[] = []
  const refusals: unknown[] = []
  const reload = new Reload({
    read: async () => {
      if (there.value instanceof Error) throw there.value
      return there.value
    },
    fingerprint: (value) => value.toLowerCase(),
    current,
    onChange: (value) => changes.push(value),
    onRefused: (err) => refusals.push(err),
    intervalMs: NEVER_MS,
  })
  t.after(() => reload.close())
  return { there, changes, refusals, reload }
}

test('Reload passes on the first value if none is in use', async (t) => {
  const { changes, reload } = watch(t)
  await reload.check()
  await reload.check()
  assert.deepEqual(changes, ['one'])
})

test('Reload passes on a value whose fingerprint differs from the one in use', async (t) => {
  const { there, changes, reload } = watch(t, 'one')
  for (const value of ['one', 'ONE', 'two', 'Two', 'one']) {
    there.value = value
    await reload.check()
  }
  assert.deepEqual(changes, ['two', 'one'])
})

test('Reload reports a reason once while it stays the same, and again when it returns', async (t) => {
  const { there, changes, refusals, reload } = watch(t, 'one')
  for (const value of [
    new Error('gone'),
    new Error('gone'),
    new Error('broken'),
    'one',
    new Error('gone'),
  ]) {
    there.value = value
    await reload.check()
  }
  assert.deepEqual(changes, [])
  const messages = refusals.map((err) => (err instanceof Error ? err.message : err))
  assert.deepEqual(messages, ['gone', 'broken', 'gone'])
})

test('Reload reads every two seconds until it is closed', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let looks = 0
  const reload = new Reload({
    read: async () => {
      looks += 1
      return ''
    },
    fingerprint: String,
    current: '',
    onChange: () => {},
    onRefused: () => {},
  })
  t.mock.timers.tick(6_000)
  assert.equal(looks, 3)
  reload.close()
  t.mock.timers.tick(6_000)
  assert.equal(looks, 3)
})

/** A reload whose reads end when the test says so. */
function slowReload(t: TestContext, current: string) {
  const reads: PromiseWithResolvers<string>[] = []
  const changes: string[] = []
  const refusals: string[] = []
  const reload = new Reload({
    read: () => {
      const read = Promise.withResolvers<string>()
      reads.push(read)
      return read.promise
    },
    fingerprint: String,
    current,
    onChange: (value) => changes.push(value),
    onRefused: (err) => refusals.push(String(err)),
  })
  t.after(() => reload.close())
  return { reads, changes, refusals, reload }
}

test('Reload brings nothing old back when a read that began earlier ends later', async (t) => {
  const { reads, changes, refusals, reload } = slowReload(t, 'one')
  const checks = [reload.check(), reload.check(), reload.check()]
  reads[1]?.resolve('two')
  await checks[1]
  reads[0]?.resolve('one')
  await checks[0]
  assert.deepEqual(changes, ['two'])
  reads[2]?.resolve('three')
  await checks[2]
  const failed = reload.check()
  const renewed = reload.check()
  reads[4]?.resolve('four')
  await renewed
  reads[3]?.reject(new Error('half written'))
  await failed
  assert.deepEqual([changes, refusals], [['two', 'three', 'four'], []])
})

test('Reload tries a value again that its listener could not use, and reports the reason once', async (t) => {
  const used: string[] = []
  const refusals: string[] = []
  let fails = true
  const reload = new Reload({
    read: async () => 'two',
    fingerprint: String,
    current: 'one',
    onChange: (value) => {
      if (fails) throw new Error('OpenSSL refuses it')
      used.push(value)
    },
    onRefused: (err) => refusals.push(String(err)),
    intervalMs: NEVER_MS,
  })
  t.after(() => reload.close())
  await reload.check()
  await reload.check()
  fails = false
  await reload.check()
  await reload.check()
  assert.deepEqual([used, refusals], [['two'], ['Error: OpenSSL refuses it']])
})

test('Reload passes the old value on again if it returns after its listener has failed', async (t) => {
  const used: string[] = []
  let value = 'two'
  const reload = new Reload({
    read: async () => value,
    fingerprint: String,
    current: 'one',
    onChange: (changed) => {
      used.push(changed)
      if (changed === 'two') throw new Error('half used')
    },
    onRefused: () => {},
    intervalMs: NEVER_MS,
  })
  t.after(() => reload.close())
  await reload.check()
  value = 'one'
  await reload.check()
  assert.deepEqual(used, ['two', 'one'])
})

test('Reload goes on after its listener for problems has failed', async (t) => {
  const used: string[] = []
  const values = [new Error('gone'), 'two']
  const reload = new Reload({
    read: async () => {
      const value = values.shift()
      if (value instanceof Error) throw value
      return value ?? 'two'
    },
    fingerprint: String,
    current: 'one',
    onChange: (value) => used.push(value),
    onRefused: () => {
      throw new Error('cannot log')
    },
    intervalMs: NEVER_MS,
  })
  t.after(() => reload.close())
  await assert.rejects(reload.check(), { message: 'cannot log' })
  await reload.check()
  assert.deepEqual(used, ['two'])
})

test('Reload begins no more reads while three hang, reports that once, and goes on when they end', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { reads, changes, refusals } = slowReload(t, 'one')
  t.mock.timers.tick(60_000)
  assert.deepEqual([reads.length, refusals], [3, ['Error: the last 3 reads have not ended']])
  for (const read of reads) read.resolve('two')
  await new Promise(setImmediate)
  assert.deepEqual(changes, ['two'])
  t.mock.timers.tick(2_000)
  assert.equal(reads.length, 4)
})
