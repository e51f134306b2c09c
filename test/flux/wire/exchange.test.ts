// Matchtags as they are given out. What requests and answers mean to callers is seen in client.test.ts, over a socket.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextMatchtag } from '#flux/wire/exchange.ts'

test('nextMatchtag counts up, and begins again at 1 after the largest', () => {
  const none = new Map()
  assert.deepEqual(
    [0, 1, 0x7ffffffe, 0x7fffffff].map((last) => nextMatchtag(last, none)),
    [1, 2, 0x7fffffff, 1],
  )
})

test('nextMatchtag passes over those in use, around the end too', () => {
  const inUse = new Map([0x7fffffff, 1, 2].map((tag) => [tag, 'call']))
  assert.equal(nextMatchtag(0x7ffffffe, inUse), 3)
})
