import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Liveness } from '#collecting/liveness.ts'
import { DEFAULT_PACE, waitingTime } from '#collecting/pace.ts'

function create({ maxAgeMs = 30_000 } = {}) {
  const clock = { ms: 1_000_000 }
  const lines: string[] = []
  const log = { info: () => {}, warn: (_: object, message: string) => lines.push(message) }
  const liveness = new Liveness({ pace: { maxAgeMs }, log, now: () => clock.ms })
  return { clock, lines, liveness }
}

/** MAX_AGE, and 40 calls of 10 s. */
const LIMIT_MS = 430_000

for (const ends of ['refreshed', 'failed'] as const) {
  test(`a collector lives as long as attempts end, by ${ends}`, () => {
    const { clock, lines, liveness } = create()
    for (let attempt = 0; attempt < 10; attempt += 1) {
      clock.ms += LIMIT_MS
      assert.equal(liveness.stalled, undefined)
      liveness[ends]()
    }
    assert.deepEqual(lines, [])
  })
}

test('a collector that ends no attempt has died, which is logged once, until it ends one', () => {
  const { clock, lines, liveness } = create()
  clock.ms += LIMIT_MS + 1
  assert.equal(liveness.stalled, 'no attempt to read Flux has ended for 430 s')
  clock.ms += 60_000
  assert.equal(liveness.stalled, 'no attempt to read Flux has ended for 490 s')
  assert.deepEqual(lines, ['the collector has died, please report it'])
  liveness.failed()
  assert.equal(liveness.stalled, undefined)
})

test('a connection alone is no sign of life', () => {
  const { clock, liveness } = create()
  clock.ms += LIMIT_MS + 1
  liveness.connected()
  liveness.disconnected()
  assert.notEqual(liveness.stalled, undefined)
})

test('the longest pause and calls that all end just in time are never too long', () => {
  const ms = fc.double({ min: 0, max: 300_000, noNaN: true })
  fc.assert(
    fc.property(
      fc.integer({ min: 15, max: 3_600 }),
      fc.record({ tookMs: ms, tookBeforeMs: ms, followedMs: ms, streaming: fc.boolean() }),
      (maxAgeSeconds, cost) => {
        const pace = { ...DEFAULT_PACE, maxAgeMs: maxAgeSeconds * 1_000 }
        const { clock, liveness } = create(pace)
        const [, pauseMs] = waitingTime(pace, cost)
        // Connecting, opening, three rounds, details with every jobspec, owner and drains: 36 calls.
        clock.ms += Math.max(pauseMs, 5_000) + 36 * pace.callTimeoutMs
        assert.equal(liveness.stalled, undefined)
      },
    ),
  )
})
