// Matchtags: how they are chosen, how answers find their calls, and when a matchtag is free again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextMatchtag } from '#flux/wire/pending-calls.ts'
import { connectToScript } from '../../support/scripted-broker.ts'

const LIMITS = { timeoutMs: 10_000 }

test('nextMatchtag counts up, and starts again at 1 after the largest matchtag', () => {
  const none = new Map()
  assert.deepEqual(
    [0, 1, 0x7ffffffe, 0x7fffffff].map((last) => nextMatchtag(last, none)),
    [1, 2, 0x7fffffff, 1],
  )
})

test('nextMatchtag skips matchtags in use, also after it has started again at 1', () => {
  const inUse = new Map([0x7fffffff, 1, 2].map((tag) => [tag, 'call']))
  assert.equal(nextMatchtag(0x7ffffffe, inUse), 3)
})

test('answers in another order reach their calls', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const requests = [await peer.expect('a.b'), await peer.expect('a.b'), await peer.expect('a.b')]
    for (const request of requests.toReversed()) peer.respond(request, { tag: request.matchtag })
  })
  const calls = [1, 2, 3].map(() => client.call('a.b', {}, LIMITS))
  assert.deepEqual(await Promise.all(calls), [{ tag: 1 }, { tag: 2 }, { tag: 3 }])
  assert.equal(client.matchtagsInUse, 0)
})

test('two answers in one chunk reach their calls', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const first = await peer.expect('a.b')
    const second = await peer.expect('c.d')
    peer.send(
      Buffer.concat([peer.response(first, '{"n":1}\0'), peer.response(second, '{"n":2}\0')]),
    )
  })
  const calls = [client.call('a.b', {}, LIMITS), client.call('c.d', {}, LIMITS)]
  assert.deepEqual(await Promise.all(calls), [{ n: 1 }, { n: 2 }])
})

test('an answer to an unknown matchtag is ignored', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('a.b')
    peer.respond({ ...request, matchtag: 77 }, { n: 'wrong' })
    peer.respond({ ...request, matchtag: 0 }, { n: 'wrong' })
    peer.respond(request, { n: 'right' })
  })
  assert.deepEqual(await client.call('a.b', {}, LIMITS), { n: 'right' })
})

test('a retired matchtag still owns its bytes: a late answer never reaches the next call', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const client = await connectToScript(t, async (peer) => {
    const late = await peer.expect('a.b')
    t.mock.timers.tick(500)
    const next = await peer.expect('a.b')
    assert.notEqual(next.matchtag, late.matchtag)
    peer.respond(late, { n: 'late' })
    peer.respond(next, { n: 'next' })
  })
  await assert.rejects(client.call('a.b', {}, { timeoutMs: 500 }), { code: 'FLUX_TIMEOUT' })
  assert.deepEqual(await client.call('a.b', {}, LIMITS), { n: 'next' })
})

test('a matchtag is in use until its answer arrives, also after the deadline', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const client = await connectToScript(t, async (peer) => {
    const late = await peer.expect('a.b')
    t.mock.timers.tick(500)
    const next = await peer.expect('c.d')
    peer.respond(late)
    peer.respond(next)
  })
  await assert.rejects(client.call('a.b', {}, { timeoutMs: 500 }), { code: 'FLUX_TIMEOUT' })
  assert.equal(client.matchtagsInUse, 1)
  await client.call('c.d', {}, LIMITS)
  assert.equal(client.matchtagsInUse, 0)
})
