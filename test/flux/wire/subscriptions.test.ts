// Subscriptions to events, over a socket.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FLAG } from '#flux/wire/message.ts'
import { loadRecording } from '../../support/recordings.ts'
import { connectToScript, frameBytes } from '../../support/scripted-broker.ts'

const LIMITS = { timeoutMs: 10_000 }

test('events are read with and without routes, with and without payload', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('event.subscribe'))
    peer.publish('heartbeat.pulse')
    peer.publish('heartbeat.pulse', { n: 2 }, ['eba9c218-2665-46f5-83cd-12ff1d37ccdb', 'hop'])
    peer.hangUp()
  })
  const events = await client.subscribe('heartbeat', LIMITS)
  const seen: unknown[] = []
  const watch = async () => {
    for await (const event of events) seen.push(event)
  }
  await assert.rejects(watch, { code: 'FLUX_DISCONNECTED' })
  assert.deepEqual(seen, [
    { topic: 'heartbeat.pulse', payload: {} },
    { topic: 'heartbeat.pulse', payload: { n: 2 } },
  ])
})

for (const version of ['0.51.0', '0.88.0']) {
  test(`the recorded heartbeats of ${version} are two events`, async (t) => {
    const { s2c } = loadRecording(version, 'event-heartbeat')
    const client = await connectToScript(t, async (peer) => {
      await peer.expect('event.subscribe')
      peer.send(s2c.bytes)
      peer.hangUp()
    })
    const seen: string[] = []
    const watch = async () => {
      for await (const { topic } of await client.subscribe('heartbeat.pulse', LIMITS)) {
        seen.push(topic)
      }
    }
    await assert.rejects(watch, { code: 'FLUX_DISCONNECTED' })
    assert.deepEqual(seen, ['heartbeat.pulse', 'heartbeat.pulse'])
  })
}

test('a subscription receives only the events of its prefix', async (t) => {
  const done = Promise.withResolvers<void>()
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('event.subscribe'))
    peer.publish('job-purge-inactive', { jobs: [] })
    peer.publish('heartbeat.pulse')
    await peer.expect('event.unsubscribe')
    done.resolve()
  })
  for await (const { topic } of await client.subscribe('heart', LIMITS)) {
    assert.equal(topic, 'heartbeat.pulse')
    break
  }
  await done.promise
})

test('leaving a subscription unsubscribes without asking for an answer', async (t) => {
  const done = Promise.withResolvers<void>()
  const client = await connectToScript(t, async (peer) => {
    const subscribe = await peer.expect('event.subscribe')
    assert.equal(`${subscribe.payload}`, '{"topic":"heartbeat"}\0')
    peer.respond(subscribe)
    peer.publish('heartbeat.pulse')
    const { payload, flags, matchtag } = await peer.expect('event.unsubscribe')
    assert.equal(`${payload}`, '{"topic":"heartbeat"}\0')
    assert.deepEqual([flags & FLAG.noresponse, matchtag], [FLAG.noresponse, 0])
    peer.publish('heartbeat.pulse')
    done.resolve()
  })
  for await (const _ of await client.subscribe('heartbeat', LIMITS)) break
  await done.promise
  assert.equal(client.matchtagsInUse, 0)
})

test('a refused subscription fails with the error of the broker', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.fail(await peer.expect('event.subscribe'), 38)
  })
  await assert.rejects(client.subscribe('heartbeat', LIMITS), { code: 'FLUX_REMOTE', errnum: 38 })
})

test('an event that is not a JSON object fails its subscription, and unsubscribes', async (t) => {
  const done = Promise.withResolvers<void>()
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('event.subscribe'))
    peer.send(frameBytes({ type: 4, flags: 0, topic: 'heartbeat.pulse', payload: '[1]\0' }))
    await peer.expect('event.unsubscribe')
    done.resolve()
  })
  const watch = async () => {
    for await (const _ of await client.subscribe('heartbeat', LIMITS));
  }
  await assert.rejects(watch, { code: 'FLUX_PROTOCOL' })
  await done.promise
})

test('a subscription fails with the reason when the connection ends', async (t) => {
  const client = await connectToScript(t, async (peer) => {
    peer.respond(await peer.expect('event.subscribe'))
    peer.hangUp()
  })
  const watch = async () => {
    for await (const _ of await client.subscribe('', LIMITS));
  }
  await assert.rejects(watch, { code: 'FLUX_DISCONNECTED' })
})
