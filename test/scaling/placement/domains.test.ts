// Which ranks jobs may be given: of a queue, and of those a job's constraint accepts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_IDSET, formatIdset, type Idset, parseIdset } from '#flux/sets/idset.ts'
import { Domains } from '../../../sidecar/scaling/placement/domains.ts'
import type { Domain } from '../../../sidecar/scaling/placement/placement.ts'

/** Ranks 0-9, of which 2 is lost, 3 is drained by others, 4 torpid, 5 closed, and 8-9 are of another cluster: 9 is absent. */
function setUp({ budget = 1_000 } = {}) {
  let left = budget
  const ranks = {
    all: parseIdset('0-7'),
    foreignDrained: parseIdset('3'),
    bursted: parseIdset('8-9'),
    burstedOpen: parseIdset('8'),
  }
  const facts = {
    ranks,
    torpid: parseIdset('4'),
    closed: parseIdset('5'),
    lost: parseIdset('2'),
  }
  const domains = new Domains(facts, (steps) => {
    left -= steps
    return left >= 0
  })
  return { domains, queue: domains.ofQueue(parseIdset('1-20')), left: () => left }
}

/** The sets of ranks as texts. */
function texts(domain: Domain | undefined): unknown {
  const sets = Object.entries<Idset>({ ...domain })
  return Object.fromEntries(sets.map(([name, ranks]) => [name, formatIdset(ranks)]))
}

test('a queue has its ranks of R; those that the scheduler gives no job are none of the startable', () => {
  const { queue } = setUp()
  assert.deepEqual(texts(queue), { ranks: '1-9', usable: '1,6-8', startable: '1-2,6-8' })
})

test('a job has those of its queue that its constraint accepts', () => {
  const { domains, queue } = setUp()
  assert.equal(domains.ofJob(queue, undefined), queue)
  const domain = domains.ofJob(queue, parseIdset('0,2-6,30'))
  assert.deepEqual(texts(domain), { ranks: '2-6', usable: '6', startable: '2,6' })
  const none = domains.ofJob(queue, EMPTY_IDSET)
  assert.deepEqual(texts(none), { ranks: '', usable: '', startable: '' })
})

test('jobs that accept the same ranks share a domain, which costs once', () => {
  const { domains, queue, left } = setUp({ budget: 13 })
  const accepted = parseIdset('1,3,6')
  const domain = domains.ofJob(queue, accepted)
  assert.ok(domain)
  // Three sets of one and three ranges each are intersected.
  assert.equal(left(), 1)
  assert.equal(domains.ofJob(queue, accepted), domain)
  assert.equal(domains.ofJob(queue, parseIdset('1')), undefined)
})
