// What jobs need. Where they are placed is in demand.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { needOf } from '#scaling/need.ts'
import { waitingJob } from '../support/waiting.ts'

test('needOf returns the request of a jobspec unchanged', () => {
  const request = { nodes: 2, slots: 4, cores: 3, gpus: 1, exclusive: true }
  assert.deepEqual(needOf(waitingJob({ nnodes: 9, ncores: 9, request })), request)
})

test('needOf reads a number of nodes without cores as whole nodes', () => {
  const need = { nodes: 3, slots: 3, cores: 0, gpus: 0, exclusive: true }
  assert.deepEqual(needOf(waitingJob({ nnodes: 3, ncores: undefined })), need)
})

test('needOf never returns less than a job asks for, and only integers', () => {
  const count = fc.integer({ min: 1, max: 500 })
  const maybe = fc.option(count, { nil: undefined })
  fc.assert(
    fc.property(maybe, count, maybe, (nnodes, ncores, ntasks) => {
      const need = needOf(waitingJob({ nnodes, ncores, ntasks }))
      assert.equal(need.nodes, nnodes)
      assert.ok(Number.isInteger(need.cores) && Number.isInteger(need.slots))
      assert.ok(need.slots * need.cores >= ncores)
      if (nnodes === undefined) assert.equal(need.slots * need.cores, ncores)
    }),
  )
})
