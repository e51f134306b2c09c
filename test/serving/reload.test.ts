import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Reload } from '#serving/reload.ts'

const NEVER_MS = 2 ** 30

/** Something to read that tests set, and all that came of reading it. */
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

test('Reload hands on what is there first, where nothing is in use', async (t) => {
  const { changes, reload } = watch(t)
  await reload.check()
  await reload.check()
  assert.deepEqual(changes, ['one'])
})

test('Reload hands on what differs from what is in use, by its fingerprint', async (t) => {
  const { there, changes, reload } = watch(t, 'one')
  for (const value of ['one', 'ONE', 'two', 'Two', 'one']) {
    there.value = value
    await reload.check()
  }
  assert.deepEqual(changes, ['two', 'one'])
})

test('Reload tells a reason once while it stays the same, and again when it is back', async (t) => {
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

test('Reload looks every two seconds until it is closed', async (t) => {
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
