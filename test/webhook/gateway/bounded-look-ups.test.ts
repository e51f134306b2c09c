import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BoundedLookUps } from '../../../webhook/gateway/bounded-look-ups.ts'

const SOON = () => performance.now() + 10_000

function lookUp(key: string, namespace = 'default') {
  return { namespace, key }
}

/** A look-up that ends when it is told. */
function held() {
  const { promise, resolve } = Promise.withResolvers<string>()
  let begun = 0
  const look = () => {
    begun += 1
    return promise
  }
  return { look, resolve, begun: () => begun }
}

test('those who ask for the same share a look-up, and its answer is remembered for a while', async () => {
  const lookUps = new BoundedLookUps<string>({ lifeMs: 30 })
  const { look, resolve, begun } = held()
  const askers = [1, 2, 3].map(() => lookUps.find(lookUp('a'), SOON(), look))
  resolve('known')
  for (const asker of askers) assert.deepEqual(await asker, { kind: 'found', answer: 'known' })
  await lookUps.find(lookUp('a'), SOON(), look)
  assert.equal(begun(), 1)
  await sleep(40)
  await lookUps.find(lookUp('a'), SOON(), look)
  assert.equal(begun(), 2)
})

test('who cannot wait is told so, and the look-up goes on for the next asker', async () => {
  const lookUps = new BoundedLookUps<string>({ lifeMs: 1_000 })
  const { look, resolve, begun } = held()
  assert.deepEqual(await lookUps.find(lookUp('a'), performance.now(), look), { kind: 'late' })
  resolve('known')
  const found = await lookUps.find(lookUp('a'), SOON(), look)
  assert.deepEqual(found, { kind: 'found', answer: 'known' })
  assert.equal(begun(), 1)
})

test('a namespace has its part of those at once, and gets it back', async () => {
  const limits = { lifeMs: 0, maxUnderway: 3, maxOfNamespace: 2 }
  const lookUps = new BoundedLookUps<string>(limits)
  const { look, resolve } = held()
  const [first, second] = ['a', 'b'].map((key) => lookUps.find(lookUp(key), SOON(), look))
  const refused = { kind: 'refused' }
  assert.deepEqual(await lookUps.find(lookUp('c'), SOON(), look), refused)
  const other = lookUps.find(lookUp('d', 'other'), SOON(), look)
  assert.deepEqual(await lookUps.find(lookUp('e', 'third'), SOON(), look), refused)
  resolve('known')
  await Promise.all([first, second, other])
  const again = await lookUps.find(lookUp('c'), SOON(), look)
  assert.deepEqual(again, { kind: 'found', answer: 'known' })
})

test('one namespace leaves most of the rate to the others', async () => {
  const lookUps = new BoundedLookUps<string>({ lifeMs: 0 })
  const ask = (key: string, namespace: string) =>
    lookUps.find(lookUp(key, namespace), SOON(), async () => 'known')
  const greedy = await Promise.all(Array.from({ length: 100 }, (_, at) => ask(`${at}`, 'greedy')))
  const found = greedy.filter(({ kind }) => kind === 'found')
  assert.ok(found.length >= 20 && found.length <= 25, `${found.length}`)
  assert.equal((await ask('other', 'modest')).kind, 'found')
})
