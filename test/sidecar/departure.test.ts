import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Departure } from '../../sidecar/departure.ts'

const ABSENT_MS = 60_000

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'departure-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'local')
  const world = { now: 0, gone: 0 }
  const departure = new Departure({
    path,
    onGone: () => {
      world.gone += 1
    },

    now: () => world.now,
  })
  const failAt = (now: number) => {
    world.now = now
    departure.failed()
  }
  return { departure, world, failAt, path }
}

test('Departure reports once, when the socket of a known broker has been absent for a minute', (t) => {
  const { departure, world, failAt } = setUp(t)
  departure.connected()
  failAt(0)
  failAt(ABSENT_MS - 1)
  assert.equal(world.gone, 0)
  failAt(ABSENT_MS)
  failAt(2 * ABSENT_MS)
  assert.equal(world.gone, 1)
})

test('Departure does not report a broker that was never connected', (t) => {
  const { world, failAt } = setUp(t)
  failAt(0)
  failAt(100 * ABSENT_MS)
  assert.equal(world.gone, 0)
})

test('Departure does not report a crash: a crash leaves the socket behind', (t) => {
  const { departure, world, failAt, path } = setUp(t)
  departure.connected()
  writeFileSync(path, '')
  failAt(0)
  failAt(100 * ABSENT_MS)
  assert.equal(world.gone, 0)
})

test('Departure measures again after each new connection', (t) => {
  const { departure, world, failAt } = setUp(t)
  departure.connected()
  failAt(0)
  departure.connected()
  failAt(ABSENT_MS)
  failAt(2 * ABSENT_MS - 1)
  assert.equal(world.gone, 0)
})
