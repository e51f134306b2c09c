import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilDeadline } from '#serving/waiting/until-deadline.ts'

test('work is waited for until a time, and goes on', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  assert.equal(await untilDeadline(promise, performance.now() - 1), undefined)
  resolve('done')
  assert.equal(await untilDeadline(promise, performance.now() + 60_000), 'done')
  const failed = Promise.reject(new Error('failed'))
  await assert.rejects(untilDeadline(failed, performance.now() + 60_000), /failed/)
})
