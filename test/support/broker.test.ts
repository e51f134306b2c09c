// The simulated broker, through the real client.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createConnection } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ERRNO, FluxError } from '#flux/errors.ts'
import { Client } from '#flux/wire/client.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { Instance } from '#simulation/instance.ts'
import { type BrokerOptions, type SimulatedBroker, startBroker } from './broker.ts'
import { createSocketPath } from './socket-path.ts'

const LIMITS = { timeoutMs: 5_000, nodeid: 0 }

interface Setup {
  readonly broker: SimulatedBroker
  readonly instance: Instance
  readonly client: Client
  call(topic: string, args?: JsonObject): Promise<JsonObject>
}

async function setUp(t: TestContext, options: Partial<BrokerOptions> = {}): Promise<Setup> {
  const path = await createSocketPath(t)
  const instance = options.instance ?? new Instance({ maxSize: 4, coresPerNode: 4 })
  const broker = await startBroker({ path, instance, ...options })
  t.after(() => broker.close())
  const client = await Client.connect(broker.path, LIMITS)
  t.after(() => client.close())
  const call = (topic: string, args?: JsonObject) => client.call(topic, args, LIMITS)
  return { broker, instance, client, call }
}

function refusal(errnum: number, text?: string) {
  return (error: unknown) => {
    assert.ok(error instanceof FluxError)
    assert.equal(error.errnum, errnum)
    if (text !== undefined) assert.ok(error.message.includes(text), error.message)
    return true
  }
}

test('the broker counts calls and connections', async (t) => {
  const { broker, call } = await setUp(t)
  await call('broker.ping', {})
  await call('broker.ping', {})
  assert.deepEqual(
    [broker.calls.get('broker.ping'), broker.connections, broker.accepted],
    [2, 1, 1],
  )
})

test('garbage ends its own connection, and no other', async (t) => {
  const { broker, call } = await setUp(t)
  const socket = createConnection(broker.path)
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\n\r\n')
  await once(socket.resume(), 'close')
  assert.equal((await call('attr.get', { name: 'size' })).value, '4')
})

test('the broker replaces an old socket file', async (t) => {
  const { broker, client } = await setUp(t)
  await broker.kill()
  assert.equal((await client.ended).code, 'FLUX_DISCONNECTED')
  assert.ok(existsSync(broker.path))
  await assert.rejects(Client.connect(broker.path, LIMITS), (error) => {
    return error instanceof FluxError && /ECONNREFUSED/.test(String(error.cause))
  })
  const next = await startBroker({ path: broker.path, instance: broker.instance })
  t.after(() => next.close())
  const again = await Client.connect(broker.path, LIMITS)
  again.close()
})

test('a clean end removes the socket file', async (t) => {
  const { broker, client } = await setUp(t)
  await broker.close()
  await client.ended
  assert.equal(existsSync(broker.path), false)
})

test('a topic that hangs is not answered, other topics are', async (t) => {
  const { broker, client, call } = await setUp(t)
  broker.faults.hang('resource.status')
  await assert.rejects(client.call('resource.status', undefined, { ...LIMITS, timeoutMs: 20 }), {
    code: 'FLUX_TIMEOUT',
  })
  await call('broker.ping', {})
})

test('a topic with an error fails until it is healed', async (t) => {
  const { broker, call } = await setUp(t)
  broker.faults.fail('resource.status', ERRNO.ENOENT, 'no luck')
  await assert.rejects(call('resource.status'), refusal(ERRNO.ENOENT, 'no luck'))
  broker.faults.heal()
  await call('resource.status')
})

test('a late answer is sent when the test releases it', async (t) => {
  const { broker, call } = await setUp(t)
  const release = broker.faults.answerLate('attr.get')
  const answer = call('attr.get', { name: 'rank' })
  await call('broker.ping', {})
  release()
  assert.deepEqual(await answer, { value: '0', flags: 1 })
})

test('malformed bytes reach the clients', async (t) => {
  const { broker, client } = await setUp(t)
  broker.sendGarbage()
  assert.equal((await client.ended).code, 'FLUX_PROTOCOL')
})

test('groups.get streams each change of the online group, until silenceStreams', async (t) => {
  const { broker, instance, client, call } = await setUp(t)
  const group = client.stream('groups.get', { name: 'broker.online' }, LIMITS)
  const answers = group[Symbol.asyncIterator]()
  assert.deepEqual((await answers.next()).value, { members: '0-3' })
  instance.down(3)
  assert.deepEqual((await answers.next()).value, { members: '0-2' })
  broker.silenceStreams()
  instance.up(3)
  const silent = answers.next()
  await call('broker.ping', {})
  assert.equal(await Promise.race([silent, 'nothing']), 'nothing')
})

test('job-list.job-stats streams one answer for several changes', async (t) => {
  const { instance, client } = await setUp(t)
  const stats = client.stream('job-list.job-stats', {}, LIMITS)[Symbol.asyncIterator]()
  await stats.next()
  for (let job = 0; job < 3; job += 1) instance.submit()
  const { value } = await stats.next()
  assert.deepEqual(value?.job_states, {
    depend: 0,
    priority: 0,
    sched: 0,
    run: 3,
    cleanup: 0,
    inactive: 0,
    total: 3,
  })
})

test('a cancelled journal of resources ends', async (t) => {
  const { client } = await setUp(t)
  const events: unknown[] = []
  for await (const answer of client.stream('resource.journal', undefined, LIMITS)) {
    events.push(answer.events)
    if (events.length === 4) break
  }
  assert.deepEqual(events[3], [])
  await client.call('broker.ping', {}, LIMITS)
  assert.equal(client.matchtagsInUse, 0)
})

test('job ids beyond 2^53 arrive with all their digits', async (t) => {
  const instance = new Instance({ maxSize: 1, now: new Date(0) })
  instance.tick(7 * 24 * 3600 * 1000)
  const job = instance.submit()
  const { call } = await setUp(t, { instance })
  const states = { userid: 0xffffffff, states: 0, results: 0 }
  assert.deepEqual(await call('job-list.list', { max_entries: 0, attrs: ['state'], ...states }), {
    jobs: [{ id: job.id, state: 16 }],
  })
})

test('before the state run, the answers depend on the state of the instance', async (t) => {
  const { broker, call } = await setUp(t, { phase: 'join' })
  assert.equal((await call('state-machine.get')).state, 'join')
  await assert.rejects(call('resource.status'), refusal(ERRNO.EAGAIN, 'Try again later'))
  broker.setPhase('init')
  await assert.rejects(call('resource.status'), refusal(ERRNO.ENOSYS, 'No service matching'))
  broker.setPhase('quorum')
  await assert.rejects(call('resource.status'), refusal(ERRNO.ENOENT))
  await assert.rejects(call('resource.sched-status'), refusal(ERRNO.EINVAL, 'No such file'))
  await assert.rejects(call('sched.resource-status'), refusal(ERRNO.ENOSYS))
  await call('job-list.job-stats', {})
  broker.setPhase('run')
  await call('sched.resource-status')
  broker.setPhase('finalize')
  await assert.rejects(call('attr.get', { name: 'size' }), refusal(ERRNO.ENOSYS))
})

test('guests may not call the newer sched-simple, drain, or read counts in private mode', async (t) => {
  const { call } = await setUp(t, { role: 'guest', privateMode: true })
  const owner = refusal(ERRNO.EPERM, 'Request requires owner credentials')
  await assert.rejects(call('sched.resource-status'), owner)
  await assert.rejects(call('resource.drain', { targets: '1' }), owner)
  await assert.rejects(call('job-list.job-stats', {}), refusal(ERRNO.EPERM))
  await call('resource.sched-status')
})

test('a refused client gets EPERM', async (t) => {
  const instance = new Instance({ maxSize: 1 })
  await assert.rejects(setUp(t, { instance, role: 'refused' }), refusal(ERRNO.EPERM))
})

test('resource.drain drains all of its targets or none', async (t) => {
  const { instance, call } = await setUp(t)
  await call('resource.drain', { targets: 'flux-sample-[1-2]', reason: 'scale down' })
  await assert.rejects(
    call('resource.drain', { targets: '0-1' }),
    refusal(ERRNO.EEXIST, 'rank 1 already drained'),
  )
  await assert.rejects(
    call('resource.drain', { targets: '7' }),
    refusal(ERRNO.EINVAL, 'idset is out of range'),
  )
  const { drain } = await call('resource.status')
  assert.deepEqual(drain, { '1-2': { timestamp: instance.now / 1000, reason: 'scale down' } })
})

test('resource.undrain undrains all of its targets or none', async (t) => {
  const { instance, call } = await setUp(t)
  instance.drain([1])
  await assert.rejects(
    call('resource.undrain', { targets: '0-1' }),
    refusal(ERRNO.EEXIST, 'rank 0 not drained'),
  )
  await call('resource.undrain', { targets: '1' })
  assert.deepEqual((await call('resource.status')).drain, {})
})

test('a subscriber gets heartbeats', async (t) => {
  const { client } = await setUp(t, { heartbeatMs: 5 })
  for await (const { topic } of await client.subscribe('heartbeat', LIMITS)) {
    assert.equal(topic, 'heartbeat.pulse')
    break
  }
})
