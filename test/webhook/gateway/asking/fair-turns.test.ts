import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FairTurns } from '../../../../webhook/gateway/asking/fair-turns.ts'

const forever = new AbortController().signal

function name(namespace: string, minicluster = 'flux-sample') {
  return { namespace, minicluster }
}

/** Lets all that can go on go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('the namespaces take turns, and in each the first comes first', async () => {
  const turns = new FairTurns({ total: 1, each: 1, waiting: 20_000 })
  const end = await turns.take(name('flood'), forever)
  const order: string[] = []
  const wait = async (namespace: string, index: number) => {
    const { signal } = new AbortController()
    const done = await turns.take(name(namespace, `mc-${index}`), signal)
    order.push(`${namespace} ${index}`)
    done()
  }
  const all: Promise<void>[] = []
  for (let index = 0; index < 10_000; index += 1) all.push(wait('flood', index))
  for (const index of [0, 1]) all.push(wait('quiet', index))
  assert.deepEqual([turns.running, turns.waiting], [1, 10_002])
  end()
  await Promise.all(all)
  assert.deepEqual(order.slice(0, 5), ['flood 0', 'quiet 0', 'flood 1', 'quiet 1', 'flood 2'])
  assert.deepEqual(order.slice(-1), ['flood 9999'])
  assert.deepEqual([turns.running, turns.waiting], [0, 0])
})

test('one MiniCluster has few places, and keeps others of its namespace from none', async () => {
  const turns = new FairTurns({ total: 10, each: 2, waiting: 100 })
  const ends = await Promise.all([
    turns.take(name('team-a'), forever),
    turns.take(name('team-a'), forever),
  ])
  const third = turns.take(name('team-a'), forever)
  const other = await turns.take(name('team-a', 'other'), forever)
  assert.deepEqual([turns.running, turns.waiting], [3, 1])
  ends[0]?.()
  const end = await third
  for (const done of [end, ends[1], other]) done?.()
  assert.deepEqual([turns.running, turns.waiting], [0, 0])
})

test('sidecars of one namespace that hang leave half of the turns to the others, at once', async () => {
  const turns = new FairTurns({ total: 8, each: 4, waiting: 1_000 })
  for (let index = 0; index < 100; index += 1) void turns.take(name('hangs', `m${index}`), forever)
  assert.deepEqual([turns.running, turns.waiting], [4, 96])
  const ends = await Promise.all([turns.take(name('a'), forever), turns.take(name('b'), forever)])
  assert.equal(turns.running, 6)
  for (const end of ends) end()
  assert.deepEqual([turns.running, turns.waiting], [4, 96])
})

test('who leaves makes room, and nobody else loses a place', async () => {
  const turns = new FairTurns({ total: 1, each: 2, waiting: 100 })
  const end = await turns.take(name('team-a'), forever)
  const controller = new AbortController()
  const left = [1, 2, 3].map(() => turns.take(name('team-a'), controller.signal))
  const stays = turns.take(name('team-a'), forever)
  const away = assert.rejects(Promise.any(left), AggregateError)
  controller.abort()
  await away
  assert.deepEqual([turns.running, turns.waiting], [1, 1])
  end()
  const last = await stays
  last()
  await settle()
  assert.deepEqual([turns.running, turns.waiting], [0, 0])
  await assert.rejects(turns.take(name('team-a'), controller.signal), { name: 'AbortError' })
})

test('when too many wait, a namespace still gets its part', async () => {
  const turns = new FairTurns({ total: 1, each: 1, waiting: 4 })
  const end = await turns.take(name('flood'), forever)
  const waiting = [1, 2, 3, 4].map(() => turns.take(name('flood'), forever))
  await assert.rejects(turns.take(name('flood'), forever), {
    code: 503,
    message:
      'MiniCluster flood/flux-sample: too many requests wait for sidecars: 4 in all, 4 in this namespace',
  })
  const quiet = turns.take(name('quiet'), forever)
  assert.equal(turns.waiting, 5)
  end()
  const pass = async (turn: Promise<() => void>) => (await turn)()
  await Promise.all([...waiting, quiet].map(pass))
})
