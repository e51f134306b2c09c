// The ranks of a queue, from the configuration (RFC 33) and the properties of R.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { ranksOfQueue } from '#reading/jobs/queue-ranks.ts'
import { recordedAnswer } from '../../support/recordings.ts'

const PROPERTIES = new Map([
  ['batch', parseIdset('0-5')],
  ['fast', parseIdset('4-9')],
  ['+hosts', parseIdset('2-3')],
])

const CASES: readonly (readonly [what: string, queues: JsonObject, ranks: string | undefined])[] = [
  ['a queue that requires nothing has all', { q: {} }, undefined],
  ['a queue that requires an empty list has all', { q: { requires: [] } }, undefined],
  ['a queue that is not configured has all', {}, undefined],
  ['a queue has the ranks with its property', { q: { requires: ['batch'] } }, '0-5'],
  [
    'a queue has the ranks with all of its properties',
    { q: { requires: ['batch', 'fast'] } },
    '4-5',
  ],
  ['a property that no rank has', { q: { requires: ['batch', 'slow'] } }, ''],
  ['a queue of hosts has a property of its own', { hosts: { hosts: 'a[0-1]' } }, '2-3'],
  [
    'a virtual queue has the ranks of its parent',
    { q: { parent: 'p' }, p: { requires: ['fast'] } },
    '4-9',
  ],
  [
    'a virtual queue also requires its own properties',
    { q: { parent: 'p', requires: ['batch'] }, p: { parent: 'r' }, r: { requires: ['fast'] } },
    '4-5',
  ],
  ['a parent that is not there', { q: { parent: 'p', requires: ['batch'] } }, '0-5'],
  ['parents in a circle', { q: { parent: 'p' }, p: { parent: 'q', requires: ['fast'] } }, '4-9'],
  ['requirements of another shape', { q: { requires: 'batch' } }, undefined],
  ['requirements that are no names', { q: { requires: [1, null, 'fast'] } }, '4-9'],
  ['a queue of another shape', { q: ['batch'] }, undefined],
]

for (const [what, queues, ranks] of CASES) {
  test(`ranksOfQueue: ${what}`, () => {
    const name = queues.hosts === undefined ? 'q' : 'hosts'
    const found = ranksOfQueue(name, { queues }, PROPERTIES)
    assert.equal(found && formatIdset(found), ranks)
  })
}

test('ranksOfQueue finds no requirement in a configuration without queues', () => {
  assert.equal(ranksOfQueue('q', {}, PROPERTIES), undefined)
  assert.equal(ranksOfQueue('q', { queues: [] }, PROPERTIES), undefined)
  for (const name of ['__proto__', 'constructor', 'toString']) {
    assert.equal(ranksOfQueue(name, { queues: {} }, PROPERTIES), undefined)
  }
})

test('ranksOfQueue reads a recorded configuration', () => {
  const config = recordedAnswer('0.88.0', 'config-get', 'config.get')
  const properties = new Map([
    ['batch', parseIdset('0-2')],
    ['debug', parseIdset('3')],
  ])
  const ranks = ['batch', 'debug'].map((name) => ranksOfQueue(name, config, properties))
  assert.deepEqual(
    ranks.map((set) => set && formatIdset(set)),
    ['0-2', '3'],
  )
})
