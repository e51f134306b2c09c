// Calls of the client that are answered once, and the end of its connection.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from '#flux/wire/client.ts'
import { FLAG } from '#flux/wire/message.ts'
import { loadRecording } from '../../support/recordings.ts'
import { connectToScript, frameBytes, startScriptedBroker } from '../../support/scripted-broker.ts'

const LIMITS = { timeoutMs: 10_000 }

test('call sends the bytes that brokers understand', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('attr.get'), { value: '4' })
    assert.equal(
      peer.received.toString('hex'),
      '1200eeff0000003000' +
        '08617474722e676574' +
        '107b226e616d65223a2273697a65227d00' +
        '148e01010bffffffff00000000ffffffff00000001',
    )
  })
  await client.call('attr.get', { name: 'size' }, LIMITS)
})

test('call without arguments sends no payload, but the rank that must answer', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('resource.status')
    const { flags, payload, nodeid, matchtag } = request
    assert.deepEqual(
      { flags, payload, nodeid, matchtag },
      { flags: FLAG.topic | FLAG.route, payload: undefined, nodeid: 0, matchtag: 1 },
    )
    peer.respond(request, {})
  })
  await client.call('resource.status', undefined, { ...LIMITS, nodeid: 0 })
})

test('call returns the object that the broker answers', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('attr.get'), { value: '4', flags: 1 })
  })
  const answer = await client.call('attr.get', { name: 'size' }, LIMITS)
  assert.deepEqual(answer, { value: '4', flags: 1 })
})

test('call returns an empty object for an answer without payload', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('resource.drain'))
  })
  assert.deepEqual(await client.call('resource.drain', { targets: '1' }, LIMITS), {})
})

test('call returns job ids beyond 2^53 as bigint', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('job-list.list'), { jobs: [{ id: 2n ** 53n + 1n }] })
  })
  const answer = await client.call('job-list.list', {}, LIMITS)
  assert.deepEqual(answer, { jobs: [{ id: 9007199254740993n }] })
})

test('call returns a large answer whole, and the small answers beside it, also when the broker then hangs up', async (t) => {
  const jobs = Array.from({ length: 5_000 }, (_, index) => ({ id: 2n ** 53n + BigInt(index) }))
  const client = await connectToScript(t, async (peer) => {
    const list = await peer.expect('job-list.list')
    const attribute = await peer.expect('attr.get')
    peer.respond(list, { jobs })
    peer.respond(attribute, { value: '4' })
    peer.hangUp()
  })
  const [list, attribute] = await Promise.all([
    client.call('job-list.list', {}, LIMITS),
    client.call('attr.get', { name: 'size' }, LIMITS),
  ])
  assert.deepEqual(list, { jobs })
  assert.deepEqual(attribute, { value: '4' })
})

test('call fails with EMSGSIZE for an answer that is larger than there is memory for, and goes on', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    for (const note of ['x'.repeat(20 * 2 ** 20), 'x'.repeat(2_000), 'short']) {
      peer.respond(await peer.expect('job-list.list'), { note })
    }
  })
  const options = { timeoutMs: 60_000, maxBytes: 1_000 }
  const tooLarge = { code: 'FLUX_REMOTE', errnum: 90, topic: 'job-list.list' }
  await assert.rejects(client.call('job-list.list', {}, { timeoutMs: 60_000 }), tooLarge)
  await assert.rejects(client.call('job-list.list', {}, options), tooLarge)
  assert.deepEqual(await client.call('job-list.list', {}, options), { note: 'short' })
  assert.equal(client.matchtagsInUse, 0)
})

test('call returns the recorded answer of a real broker', async (t) => {
  const { s2c } = loadRecording('0.88.0', 'getattr-minimal-routes')
  const client = await connectToScript(t, async (peer) => {
    await peer.expect('attr.get')
    peer.send(s2c.bytes)
  })
  const answer = await client.call('attr.get', { name: 'size' }, LIMITS)
  assert.deepEqual(answer, { value: '4', flags: 1 })
})

test('requests and control messages of a broker are ignored', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('a.b')
    for (const type of [1, 8]) {
      peer.send(frameBytes({ type, flags: 0, topic: 'a.b', aux2: request.matchtag }))
    }
    peer.respond(request, { n: 1 })
  })
  assert.deepEqual(await client.call('a.b', {}, LIMITS), { n: 1 })
})

test('call fails with errnum, topic and text of an error answer', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.fail(await peer.expect('job-manager.list'), 1, 'Request requires owner credentials')
  })
  await assert.rejects(client.call('job-manager.list', {}, LIMITS), {
    code: 'FLUX_REMOTE',
    errnum: 1,
    topic: 'job-manager.list',
    message: '"job-manager.list" failed: EPERM (Request requires owner credentials)',
  })
})

test('call fails with errnum and topic of an error answer without text', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.fail(await peer.expect('a.b'), 38)
  })
  await assert.rejects(client.call('a.b', {}, LIMITS), {
    code: 'FLUX_REMOTE',
    errnum: 38,
    message: '"a.b" failed: ENOSYS',
  })
})

test('an answer that is not a JSON object fails only its own call', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const first = await peer.expect('a.b')
    peer.send(peer.response(first, '[1]\0'))
    peer.respond(await peer.expect('c.d'), { n: 1 })
  })
  await assert.rejects(client.call('a.b', {}, LIMITS), { code: 'FLUX_PROTOCOL', topic: 'a.b' })
  assert.deepEqual(await client.call('c.d', {}, LIMITS), { n: 1 })
})

test('arguments that cannot be encoded as JSON fail the call and leave neither matchtag nor timer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('a.b'), {})
  })
  const circle: Record<string, unknown> = {}
  circle.self = circle
  await assert.rejects(client.call('a.b', circle, LIMITS), TypeError)
  assert.equal(client.matchtagsInUse, 0)
  t.mock.timers.tick(LIMITS.timeoutMs)
  await client.call('a.b', {}, LIMITS)
})

test('call fails when its deadline passes', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const client = await connectToScript(t, async (peer) => {
    await peer.expect('a.b')
    t.mock.timers.tick(500)
  })
  await assert.rejects(client.call('a.b', {}, { timeoutMs: 500 }), {
    code: 'FLUX_TIMEOUT',
    topic: 'a.b',
    message: 'No answer to "a.b" in 500 ms',
  })
})

test('call with an aborted signal sends nothing', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('c.d'))
  })
  const signal = AbortSignal.abort(new Error('shutting down'))
  await assert.rejects(client.call('a.b', {}, { ...LIMITS, signal }), {
    code: 'FLUX_CANCELLED',
    topic: 'a.b',
    cause: signal.reason,
  })
  assert.equal(client.matchtagsInUse, 0)
  await client.call('c.d', {}, LIMITS)
})

test('call fails when its signal is aborted while it waits, and drops the answer', async (t) => {
  const controller = new AbortController()
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('a.b')
    controller.abort()
    peer.respond(request, { n: 'late' })
    peer.respond(await peer.expect('c.d'), { n: 1 })
  })
  const { signal } = controller
  await assert.rejects(client.call('a.b', {}, { ...LIMITS, signal }), { code: 'FLUX_CANCELLED' })
  assert.deepEqual(await client.call('c.d', {}, LIMITS), { n: 1 })
  assert.equal(client.matchtagsInUse, 0)
})

test('an abort after the answer does nothing', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('a.b'))
    peer.respond(await peer.expect('c.d'))
    assert.deepEqual(peer.unexpected, [])
  })
  const controller = new AbortController()
  await client.call('a.b', {}, { ...LIMITS, signal: controller.signal })
  controller.abort()
  await client.call('c.d', {}, LIMITS)
})

test('all pending calls fail with the reason when the broker hangs up', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    await peer.expect('a.b')
    await peer.expect('c.d')
    peer.hangUp()
  })
  const calls = [client.call('a.b', {}, LIMITS), client.call('c.d', {}, LIMITS)]
  const reasons = (await Promise.allSettled(calls)).map((call) =>
    call.status === 'rejected' ? call.reason : 'answered',
  )
  const reason = await client.ended
  assert.equal(reason.code, 'FLUX_DISCONNECTED')
  assert.deepEqual(reasons, [reason, reason])
  assert.equal(client.matchtagsInUse, 0)
})

test('a call after the end fails with the reason of the end', async (t) => {
  const client = await connectToScript(t, (peer) => peer.hangUp())
  const reason = await client.ended
  await assert.rejects(client.call('a.b', {}, LIMITS), reason)
})

test('close fails pending calls', async (t) => {
  const client = await connectToScript(t, (peer) => peer.expectEnd())
  const call = client.call('a.b', {}, LIMITS)
  client.close()
  await assert.rejects(call, { code: 'FLUX_CANCELLED' })
})

test('garbage ends one connection with FLUX_PROTOCOL, and the next connection works', async (t) => {
  const path = await startScriptedBroker(
    t,
    async (peer) => {
      peer.accept()
      await peer.expect('a.b')
      peer.send(Buffer.from('garbage, and not even 12 00 ee ff'))
      await peer.expectEnd()
    },
    async (peer) => {
      peer.accept()
      peer.respond(await peer.expect('a.b'), { n: 1 })
    },
  )
  const broken = await Client.connect(path, LIMITS)
  t.after(() => broken.close())
  await assert.rejects(broken.call('a.b', {}, LIMITS), { code: 'FLUX_PROTOCOL' })
  const next = await Client.connect(path, LIMITS)
  t.after(() => next.close())
  assert.deepEqual(await next.call('a.b', {}, LIMITS), { n: 1 })
})

test('connect fails with the error of the connection', async (t) => {
  const path = await startScriptedBroker(t, (peer) => {
    peer.send(Buffer.from([1]))
    peer.hangUp()
  })
  await assert.rejects(Client.connect(path, LIMITS), { code: 'FLUX_CONNECT', errnum: 1 })
})
