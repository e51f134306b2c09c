// AnswerStream alone, and the streaming calls of the client over a socket.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FluxError } from '#flux/errors.ts'
import { FLAG } from '#flux/wire/message.ts'
import { AnswerStream } from '#flux/wire/stream.ts'
import { loadRecording } from '../../support/recordings.ts'
import { connectToScript, type ScriptedPeer } from '../../support/scripted-broker.ts'

const LIMITS = { timeoutMs: 10_000 }
const JOURNAL = 'job-manager.events-journal'
const JOURNAL_CANCEL = 'job-manager.events-journal-cancel'
const REASON = new FluxError('FLUX_DISCONNECTED', 'Gone')

/** A stream, and how often it was abandoned. */
function createStream() {
  const stream = new AnswerStream<number>()
  const abandoned = { times: 0 }
  stream.onAbandon = () => {
    abandoned.times += 1
  }
  return { stream, abandoned }
}

async function collect<T>(answers: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(answers)
}

test('a stream yields the answers from before and during the loop, in order', async () => {
  const { stream, abandoned } = createStream()
  stream.push(1)
  stream.push(2)
  const all = collect(stream)
  stream.push(3)
  stream.end()
  assert.deepEqual(await all, [1, 2, 3])
  assert.equal(abandoned.times, 0)
})

test('a stream yields the answers before an error, then throws the error once', async () => {
  const { stream } = createStream()
  stream.push(1)
  stream.fail(REASON)
  assert.deepEqual(await stream.next(), { done: false, value: 1 })
  await assert.rejects(stream.next(), REASON)
  assert.deepEqual(await stream.next(), { done: true, value: undefined })
})

test('a stream fails a waiting loop', async () => {
  const { stream } = createStream()
  const waiting = stream.next()
  stream.fail(REASON)
  await assert.rejects(waiting, REASON)
})

test('a stream answers several waiting readers in order, and ends all of them', async () => {
  const { stream } = createStream()
  const waiting = [stream.next(), stream.next(), stream.next()]
  stream.push(1)
  stream.end()
  assert.deepEqual(await Promise.all(waiting), [
    { done: false, value: 1 },
    { done: true, value: undefined },
    { done: true, value: undefined },
  ])
})

test('a stream accepts nothing after its end', async () => {
  const { stream } = createStream()
  stream.end()
  stream.push(1)
  stream.fail(REASON)
  assert.deepEqual(await collect(stream), [])
})

test('a stream left by break is abandoned once, and yields nothing more', async () => {
  const { stream, abandoned } = createStream()
  for (const answer of [1, 2, 3, 4]) stream.push(answer)
  for await (const answer of stream) if (answer === 3) break
  stream.push(5)
  await stream.return()
  assert.deepEqual(await stream.next(), { done: true, value: undefined })
  assert.equal(abandoned.times, 1)
})

test('a stream left after its failure is ended, and not abandoned', async () => {
  const { stream, abandoned } = createStream()
  stream.fail(REASON)
  await stream.return()
  assert.deepEqual(await stream.next(), { done: true, value: undefined })
  assert.equal(abandoned.times, 0)
})

test('a stream with more than 65,536 unread answers fails and is abandoned', async () => {
  const { stream, abandoned } = createStream()
  for (let answer = 0; answer <= 65_536; answer += 1) stream.push(answer)
  stream.push(70_000)
  assert.equal(abandoned.times, 1)
  await assert.rejects(collect(stream), {
    code: 'FLUX_CANCELLED',
    message: 'Cancelled a stream: 65536 answers were not read',
  })
})

test('a stream continues if its loop is always some answers behind', async () => {
  const { stream, abandoned } = createStream()
  for (let answer = 0; answer < 10; answer += 1) stream.push(answer)
  for (let answer = 10; answer < 100_000; answer += 1) {
    stream.push(answer)
    assert.equal((await stream.next()).value, answer - 10)
  }
  assert.equal(abandoned.times, 0)
})

/** Answers one ping. A test sends it to be sure that everything before it has been handled. */
async function answerPing(peer: ScriptedPeer): Promise<void> {
  peer.respond(await peer.expect('broker.ping'))
}

test('stream sends the streaming flag, yields each answer and ends on ENODATA', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('job-list.list')
    assert.equal(request.flags, FLAG.topic | FLAG.payload | FLAG.route | FLAG.streaming)
    peer.stream(request, { n: 1 }, { n: 2 })
    peer.endStream(request)
  })
  assert.deepEqual(await collect(client.stream('job-list.list', {}, LIMITS)), [{ n: 1 }, { n: 2 }])
  assert.equal(client.matchtagsInUse, 0)
})

test('stream fails on any other errnum, after the answers before it', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect(JOURNAL)
    peer.stream(request, { n: 1 })
    peer.fail(request, 1, 'Request requires owner credentials')
  })
  const answers: unknown[] = []
  const watch = async () => {
    for await (const answer of client.stream(JOURNAL, {}, LIMITS)) answers.push(answer)
  }
  await assert.rejects(watch, { code: 'FLUX_REMOTE', errnum: 1, topic: JOURNAL })
  assert.deepEqual(answers, [{ n: 1 }])
  assert.equal(client.matchtagsInUse, 0)
})

test('a stream left by break sends the cancel request that real clients send', async (t) => {
  const recorded = loadRecording('0.88.0', 'stream-journal-cancel').c2s.twin.at(-1)
  assert.equal(recorded?.topic, JOURNAL_CANCEL)
  const done = Promise.withResolvers<void>()
  const client = await connectToScript(t, async (peer) => {
    peer.stream(await peer.expect(JOURNAL), { n: 1 })
    const { topic, flags, nodeid, matchtag, payload } = await peer.expect(JOURNAL_CANCEL)
    assert.deepEqual(
      { topic, flags, nodeid, matchtag, payload: JSON.parse(`${payload}`.slice(0, -1)) },
      {
        topic: recorded.topic,
        flags: recorded.flags,
        nodeid: recorded.nodeid,
        matchtag: recorded.matchtag,
        payload: recorded.payload,
      },
    )
    done.resolve()
  })
  for await (const _ of client.stream(JOURNAL, {}, { ...LIMITS, nodeid: 0 })) break
  await done.promise
})

test('a stream left by break frees its matchtag after the last answer, not before', async (t) => {
  const gate = Promise.withResolvers<void>()
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect(JOURNAL)
    peer.stream(request, { n: 1 })
    await peer.expect(JOURNAL_CANCEL)
    peer.stream(request, { n: 'late' }, { n: 'later' })
    await answerPing(peer)
    await gate.promise
    peer.endStream(request)
    await answerPing(peer)
  })
  for await (const _ of client.stream(JOURNAL, {}, LIMITS)) break
  await client.call('broker.ping', {}, LIMITS)
  assert.equal(client.matchtagsInUse, 1)
  gate.resolve()
  await client.call('broker.ping', {}, LIMITS)
  assert.equal(client.matchtagsInUse, 0)
})

for (const [topic, cancelTopic] of [
  ['resource.journal', 'resource.journal-cancel'],
  ['job-info.eventlog-watch', 'job-info.eventlog-watch-cancel'],
  ['kvs-watch.lookup', 'kvs-watch.cancel'],
] as const) {
  test(`leaving ${topic} sends ${cancelTopic}`, async (t) => {
    const done = Promise.withResolvers<void>()
    const client = await connectToScript(t, async (peer) => {
      peer.stream(await peer.expect(topic), {})
      await peer.expect(cancelTopic)
      done.resolve()
    })
    for await (const _ of client.stream(topic, {}, LIMITS)) break
    await done.promise
  })
}

test('the matchtag of a stream without a cancel topic stays retired, and answers to it are dropped', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect('groups.get')
    peer.stream(request, { members: '0' })
    await answerPing(peer)
    peer.stream(request, { members: '0-1' })
    await answerPing(peer)
    assert.deepEqual(peer.unexpected, [])
  })
  for await (const _ of client.stream('groups.get', { name: 'broker.online' }, LIMITS)) break
  await client.call('broker.ping', {}, LIMITS)
  await client.call('broker.ping', {}, LIMITS)
  assert.equal(client.matchtagsInUse, 1)
})

test('a broker that echoes the streaming flag and answers once leaves the stream open', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const client = await connectToScript(t, async (peer) => {
    peer.stream(await peer.expect('job-list.job-stats'), { n: 1 })
    await answerPing(peer)
    peer.hangUp()
  })
  const answers = client.stream('job-list.job-stats', {}, LIMITS)[Symbol.asyncIterator]()
  assert.deepEqual(await answers.next(), { done: false, value: { n: 1 } })
  const next = assert.rejects(answers.next(), { code: 'FLUX_DISCONNECTED' })
  t.mock.timers.tick(LIMITS.timeoutMs * 2)
  await client.call('broker.ping', {}, LIMITS)
  await next
})

test('stream fails and cancels if there is no first answer in time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const done = Promise.withResolvers<void>()
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect(JOURNAL)
    t.mock.timers.tick(500)
    await peer.expect(JOURNAL_CANCEL)
    peer.endStream(request)
    await answerPing(peer)
    done.resolve()
  })
  await assert.rejects(collect(client.stream(JOURNAL, {}, { timeoutMs: 500 })), {
    code: 'FLUX_TIMEOUT',
  })
  await client.call('broker.ping', {}, LIMITS)
  await done.promise
  assert.equal(client.matchtagsInUse, 0)
})

test('stream with an aborted signal sends nothing', async (t) => {
  const client = await connectToScript(t, answerPing)
  const options = { ...LIMITS, signal: AbortSignal.abort() }
  await assert.rejects(collect(client.stream(JOURNAL, {}, options)), { code: 'FLUX_CANCELLED' })
  await client.call('broker.ping', {}, LIMITS)
  assert.equal(client.matchtagsInUse, 0)
})

test('stream fails when its signal is aborted while it is open, and cancels', async (t) => {
  const controller = new AbortController()
  const done = Promise.withResolvers<void>()
  const client = await connectToScript(t, async (peer) => {
    peer.stream(await peer.expect(JOURNAL), { n: 1 })
    await peer.expect(JOURNAL_CANCEL)
    done.resolve()
  })
  const watch = async () => {
    for await (const _ of client.stream(JOURNAL, {}, { ...LIMITS, signal: controller.signal })) {
      controller.abort()
    }
  }
  await assert.rejects(watch, { code: 'FLUX_CANCELLED', topic: JOURNAL })
  await done.promise
})

test('an answer that is not a JSON object fails the stream, and cancels it', async (t) => {
  const done = Promise.withResolvers<void>()
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect(JOURNAL)
    peer.send(peer.response(request, '[1]\0'))
    await peer.expect(JOURNAL_CANCEL)
    peer.endStream(request)
    await answerPing(peer)
    done.resolve()
  })
  await assert.rejects(collect(client.stream(JOURNAL, {}, LIMITS)), { code: 'FLUX_PROTOCOL' })
  await client.call('broker.ping', {}, LIMITS)
  await done.promise
  assert.equal(client.matchtagsInUse, 0)
})

test('an abandoned stream ignores a later abort of its signal', async (t) => {
  const controller = new AbortController()
  const client = await connectToScript(t, async (peer) => {
    peer.stream(await peer.expect(JOURNAL), {})
    await peer.expect(JOURNAL_CANCEL)
    await answerPing(peer)
    assert.deepEqual(peer.unexpected, [])
  })
  const options = { ...LIMITS, signal: controller.signal }
  for await (const _ of client.stream(JOURNAL, {}, options)) break
  controller.abort()
  await client.call('broker.ping', {}, LIMITS)
})

test('an open stream fails with the reason when the broker hangs up', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.stream(await peer.expect('groups.get'), { members: '0' })
    peer.hangUp()
  })
  const watch = collect(client.stream('groups.get', {}, LIMITS))
  await assert.rejects(watch, { code: 'FLUX_DISCONNECTED' })
  assert.equal(client.matchtagsInUse, 0)
})

test('the recorded stream of 300 pending jobs yields 300 answers', async (t) => {
  const { s2c } = loadRecording('0.88.0', 'big-job-list-pending-stream-300')
  const client = await connectToScript(t, async (peer) => {
    await peer.expect('job-list.list')
    peer.send(s2c.bytes)
  })
  const answers = await collect(client.stream('job-list.list', {}, LIMITS))
  assert.deepEqual([answers.length, client.matchtagsInUse], [300, 0])
})
