// Nodes and queues from the options.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNamedQueues, createNodes, createQueue } from '#simulation/instance-options.ts'

test('createNodes has 8 cores and no GPU per node, all nodes up, unless the options say otherwise', () => {
  const [node] = createNodes({ maxSize: 1 }, 0)
  assert.deepEqual([node?.host, node?.cores.size, node?.gpus.size], ['flux-sample-0', 8, 0])
  assert.equal(node?.online, true)
  const options = { maxSize: 2, coresPerNode: 4, gpusPerNode: 2, up: 1, hostPrefix: 'lammps' }
  const other = createNodes(options, 0)[1]
  assert.deepEqual([other?.host, other?.cores.size, other?.gpus.size], ['lammps-1', 4, 2])
  assert.equal(other?.online, false)
})

test('queues have no excluded nodes, and are filled from the end that the options name', () => {
  const queues = { batch: [0, 1, 2], debug: [3] }
  const options = { maxSize: 4, exclude: [0], queues }
  const nodes = createNodes(options, 0)
  const ranksOf = (queue: ReturnType<typeof createQueue>) => queue.nodes.map(({ rank }) => rank)
  assert.deepEqual(ranksOf(createQueue('', nodes, options)), [1, 2, 3])
  assert.deepEqual(ranksOf(createQueue('', nodes, { ...options, fill: 'highest' })), [3, 2, 1])
  assert.deepEqual(
    [...createNamedQueues(options, nodes)].map(([name, queue]) => [name, ranksOf(queue)]),
    [
      ['batch', [1, 2]],
      ['debug', [3]],
    ],
  )
})

test('createNodes has the nodes of a bursted cluster above maxSize, up, and takes the hosts that it is given', () => {
  const nodes = createNodes({ maxSize: 2, up: 1, bursted: 2, hosts: ['flux-sample-1'] }, 0)
  assert.deepEqual(
    nodes.map(({ host, bursted, online }) => [host, bursted, online]),
    [
      ['flux-sample-1', false, true],
      ['flux-sample-1', false, false],
      ['burst-0-0', true, true],
      ['burst-0-1', true, true],
    ],
  )
})
