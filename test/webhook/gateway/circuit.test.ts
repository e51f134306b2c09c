import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Circuit } from '../../../webhook/gateway/circuit.ts'

class Unreachable extends Error {}

/** A circuit whose clock the test sets, and whose pauses are as long as they may be. */
function setup() {
  const time = { now: 0 }
  const circuit = new Circuit({
    clock: () => time.now,
    random: () => 1,
    whyFailed: (error) => (error instanceof Unreachable ? error.message : undefined),
  })
  const fail = async (failure: Error = new Unreachable('does not answer')) => {
    await assert.rejects(
      circuit.run(() => Promise.reject(failure)),
      failure,
    )
  }
  return { time, circuit, fail, succeed: () => circuit.run(async () => 'an answer') }
}

test('a server is not asked for a while after three failures in a row', async () => {
  const { time, circuit, fail } = setup()
  await fail()
  await fail()
  assert.equal(circuit.refusal, undefined)
  await fail()
  assert.match(
    circuit.refusal ?? '',
    /^does not answer; so it is since \d{4}-.*Z, and it is tried again within 10 s$/,
  )
  time.now = 999
  assert.ok(circuit.refusal)
  time.now = 1_000
  assert.equal(circuit.refusal, undefined)
})

test('an answer between failures forgets them', async () => {
  const { circuit, fail, succeed } = setup()
  await fail()
  await fail()
  await succeed()
  await fail()
  await fail()
  assert.equal(circuit.isOpen, false)
})

test('errors that tell nothing about the server are no failures', async () => {
  const { circuit, fail } = setup()
  for (let times = 0; times < 5; times += 1) await fail(new Error('the asker left'))
  assert.equal(circuit.isOpen, false)
})

test('after the pause there is one trial at a time, and its answer closes the circuit', async () => {
  const { time, circuit, fail } = setup()
  for (let times = 0; times < 3; times += 1) await fail()
  time.now = 1_000
  const { promise, resolve } = Promise.withResolvers<string>()
  const trial = circuit.run(() => promise)
  assert.ok(circuit.refusal)
  resolve('an answer')
  await trial
  assert.equal(circuit.refusal, undefined)
  assert.equal(circuit.isOpen, false)
})

test('the pauses double up to ten seconds', async () => {
  const { time, circuit, fail } = setup()
  for (let times = 0; times < 3; times += 1) await fail()
  const pauses: number[] = []
  for (let times = 0; times < 6; times += 1) {
    const from = time.now
    while (circuit.refusal !== undefined) time.now += 100
    pauses.push(time.now - from)
    await fail()
  }
  assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
})
