import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Circuit } from '../../../../webhook/gateway/upstream/circuit.ts'

/** A circuit whose pauses are as long as they may be, after failures. */
function circuitAfter(failures: number): Circuit {
  const circuit = new Circuit({ random: () => 1 })
  for (let index = 0; index < failures; index += 1) {
    assert.ok(circuit.admits(0))
    circuit.failed(0)
  }
  return circuit
}

test('two failures change nothing', () => {
  const circuit = circuitAfter(2)
  assert.deepEqual([circuit.admits(0), circuit.admits(0)], [true, true])
})

test('after three failures nothing is admitted for a pause, and then one at a time', () => {
  const circuit = circuitAfter(3)
  assert.deepEqual(
    [0, 249, 250, 250, 9_999].map((now) => circuit.admits(now)),
    [false, false, true, false, false],
  )
  circuit.failed(300)
  assert.deepEqual(
    [300, 799, 800, 801].map((now) => circuit.admits(now)),
    [false, false, true, false],
  )
  circuit.succeeded()
  assert.deepEqual([circuit.admits(801), circuit.admits(801)], [true, true])
})

test('pauses grow up to 5 s', () => {
  const circuit = circuitAfter(3)
  let now = 0
  const pauses = Array.from({ length: 8 }, () => {
    const since = now
    while (!circuit.admits(now)) now += 10
    circuit.failed(now)
    return now - since
  })
  assert.deepEqual(pauses, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000])
})

test('failures of requests that were under way together are one', () => {
  const circuit = circuitAfter(0)
  for (let index = 0; index < 50; index += 1) circuit.failed(0)
  assert.deepEqual([circuit.admits(249), circuit.admits(250)], [false, true])
})

test('a try that is abandoned makes room for another', () => {
  const circuit = circuitAfter(3)
  assert.ok(circuit.admits(250))
  circuit.abandoned()
  assert.ok(circuit.admits(250))
})
