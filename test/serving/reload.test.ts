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
