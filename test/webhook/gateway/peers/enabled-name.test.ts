import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toEnabledName } from '../../../../webhook/gateway/peers/enabled-name.ts'
import { miniCluster } from '../../../support/lead-broker.ts'

const NAME = { namespace: 'hpc', minicluster: 'lammps' }

/** A map with the annotation, of which nothing else may be read. */
function annotations(enabled: unknown): object {
  const unread = {
    enumerable: true,
    get(): never {
      throw new Error('it was read')
    },
  }
  return Object.defineProperty({ 'flux-metrics/enabled': enabled }, 'other', unread)
}

test('of the maps of a MiniCluster only one key is read', () => {
  const object = miniCluster()
  const metadata = { ...object.metadata, annotations: annotations('false') }
  const spec = { pod: { annotations: annotations('true') }, containers: annotations('x') }
  assert.deepEqual(toEnabledName(Object.assign({}, object, { metadata, spec })), NAME)
})

test('what says neither true nor false says nothing', () => {
  const object = miniCluster()
  for (const pod of [undefined, null, 1, {}, { annotations: null }, { annotations: [] }])
    assert.deepEqual(toEnabledName({ ...object, spec: { pod } }), NAME)
  for (const value of ['yes', '', 'TRUE', 'true ']) {
    const spec = { pod: { annotations: { 'flux-metrics/enabled': value } } }
    assert.deepEqual(toEnabledName({ ...object, spec }), NAME)
  }
})

test('fields of another type hide no MiniCluster, and no conditions but one end it', () => {
  const object = miniCluster()
  const ended = { type: 'JobFinished', status: 'True' }
  for (const status of [null, 1, 'x', { conditions: 1 }, { conditions: [1, null, {}] }])
    assert.deepEqual(toEnabledName({ ...object, status, spec: 'x' }), NAME)
  const strange = { conditions: [null, { type: 'JobRunning', status: 'True' }, ended] }
  assert.equal(toEnabledName({ ...object, status: strange }), undefined)
})

test('without a name or a namespace it is nobody', () => {
  const { annotations: asking = {} } = miniCluster().metadata
  for (const metadata of [{}, { name: 'lammps' }, { namespace: 'hpc' }]) {
    const object = { ...miniCluster(), metadata: { ...metadata, annotations: asking } }
    assert.equal(toEnabledName(object), undefined)
  }
})
