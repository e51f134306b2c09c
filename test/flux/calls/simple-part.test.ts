// Numbers out of jobspecs as sched-simple reads them. What the shapes need was seen on brokers of 0.88: with one rank less a job
// waits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequest } from '#flux/calls/jobspec.ts'
import type { RequestPart } from '#flux/calls/jobspec-parts.ts'
import { parseSimplePart } from '#flux/calls/simple-part.ts'

interface Vertex {
  readonly type: string
  readonly count: unknown
  readonly exclusive?: boolean
  readonly with?: readonly Vertex[]
}

function vertex(type: string, count: unknown, ...below: readonly Vertex[]): Vertex {
  return { type, count, ...(below.length > 0 && { with: below }) }
}

function exclusive(one: Vertex): Vertex {
  return { ...one, exclusive: true }
}

function part(changes: Partial<RequestPart>): RequestPart {
  return { nodes: undefined, slots: 0, cores: 0, gpus: 0, exclusive: false, ...changes }
}

const CORE = vertex('core', 1)
const CORES = vertex('core', 2)

const SHAPES: readonly (readonly [
  what: string,
  resources: readonly Vertex[],
  part: RequestPart | undefined,
])[] = [
  ['slots', [vertex('slot', 4, CORES, vertex('gpu', 1))], part({ slots: 4, cores: 2, gpus: 1 })],
  [
    'slots on nodes',
    [vertex('node', 3, vertex('slot', 2, CORES, vertex('gpu', 1)))],
    part({ nodes: 3, slots: 3, cores: 4, gpus: 2 }),
  ],
  [
    'sockets in slots: they are looked through',
    [vertex('slot', 4, vertex('socket', 2, CORES))],
    part({ slots: 4, cores: 2 }),
  ],
  [
    'slots in sockets: they are looked through',
    [vertex('socket', 2, vertex('slot', 4, CORES))],
    part({ slots: 4, cores: 2 }),
  ],
  [
    'sockets between node and slot: they are looked through',
    [vertex('node', 3, vertex('socket', 2, vertex('slot', 1, vertex('core', 4))))],
    part({ nodes: 3, slots: 3, cores: 4 }),
  ],
  [
    'several levels between slot and core',
    [vertex('node', 2, vertex('slot', 1, vertex('numanode', 2, vertex('L3cache', 2, CORE))))],
    part({ nodes: 2, slots: 2, cores: 1 }),
  ],
  [
    'racks: they multiply nodes',
    [vertex('rack', 2, vertex('node', 3, vertex('slot', 1, CORE)))],
    part({ nodes: 6, slots: 6, cores: 1 }),
  ],
  [
    'nodes in a slot: it multiplies them, and is on each of them',
    [vertex('slot', 2, vertex('node', 1, CORE))],
    part({ nodes: 2, slots: 2, cores: 2 }),
  ],
  [
    'an exclusive slot: a whole node for each',
    [exclusive(vertex('slot', 4, CORE))],
    part({ nodes: 4, slots: 4, cores: 1, exclusive: true }),
  ],
  [
    'an exclusive slot on a node: the whole node',
    [vertex('node', 3, exclusive(vertex('slot', 2, CORE)))],
    part({ nodes: 3, slots: 3, cores: 2, exclusive: true }),
  ],
  [
    'an exclusive node in a slot',
    [vertex('slot', 3, exclusive(vertex('node', 1, CORE)))],
    part({ nodes: 3, slots: 3, cores: 3, exclusive: true }),
  ],
  [
    'whole nodes with GPUs: a node must have those of one slot',
    [exclusive(vertex('node', 2, vertex('slot', 3, CORE, vertex('gpu', 2))))],
    part({ nodes: 2, slots: 2, cores: 3, gpus: 6, exclusive: true, leastGpus: 2 }),
  ],
  [
    'exclusive cores and sockets: that does not count',
    [exclusive(vertex('socket', 2, vertex('slot', 6, exclusive(CORE))))],
    part({ slots: 6, cores: 1 }),
  ],
  [
    'several slots: the last one counts',
    [vertex('slot', 6, CORE), vertex('slot', 5, CORES)],
    part({ slots: 5, cores: 2 }),
  ],
  [
    'slots in slots: the last one counts',
    [vertex('slot', 2, vertex('slot', 5, CORE))],
    part({ slots: 5, cores: 1 }),
  ],
  [
    'several nodes: the last one counts',
    [vertex('rack', 2, vertex('node', 4, vertex('slot', 3, CORES))), vertex('node', 2)],
    part({ nodes: 2, slots: 2, cores: 6 }),
  ],
  [
    'cores twice: the last ones count',
    [vertex('slot', 5, vertex('core', 3), CORE)],
    part({ slots: 5, cores: 1 }),
  ],
  [
    'ranges: the least counts',
    [vertex('rack', '2-3', vertex('node', '2+', vertex('slot', { min: 3, max: 4 }, CORES)))],
    part({ nodes: 4, slots: 4, cores: 6 }),
  ],
  ['no slot: refused', [vertex('node', 3, CORE)], undefined],
  ['no cores: refused', [vertex('slot', 3, vertex('memory', 1))], undefined],
  ['a count of 0: refused', [vertex('slot', 2, CORE, vertex('gpu', 0))], undefined],
]

for (const [what, resources, expected] of SHAPES) {
  test(`parseSimplePart reads ${what}`, () => {
    assert.deepEqual(parseSimplePart(resources), expected)
  })
}

test('parseSimplePart reads exclusive slots as flux-core does since 0.84', () => {
  const resources = [exclusive(vertex('slot', 4, CORE))]
  assert.deepEqual(parseSimplePart(resources, '0.83.1'), part({ slots: 4, cores: 1 }))
  assert.equal(parseSimplePart(resources, '0.84.0')?.nodes, 4)
  const whole = [exclusive(vertex('node', 2, vertex('slot', 1, CORE)))]
  assert.equal(parseSimplePart(whole, '0.51.0')?.exclusive, true)
})

test('parseSimplePart multiplies nodes as flux-core does since 0.73', () => {
  const resources = [vertex('slot', 4, vertex('node', 1, CORES))]
  assert.equal(parseSimplePart(resources, '0.72.0')?.nodes, 1)
  assert.equal(parseSimplePart(resources, '0.73.0')?.nodes, 4)
})

test('parseSimplePart refuses what is too large, and what is no tree', () => {
  const refused = (resources: unknown, message: RegExp) =>
    assert.throws(() => parseSimplePart(resources), { code: 'FLUX_PROTOCOL', message })
  let deep = CORE
  for (let level = 1; level < 17; level += 1) deep = vertex('core', 1, deep)
  refused([deep], /at most 16 levels/)
  refused(
    Array.from({ length: 257 }, () => CORE),
    /at most 256 resources, got 257$/,
  )
  refused([vertex('slot', 2 ** 30, CORE), vertex('node', 1, vertex('core', 2 ** 30))], /in all/)
  refused([vertex('rack', 2 ** 30, vertex('node', 2 ** 30, vertex('slot', 1, CORE)))], /in all/)
  refused([{ type: 'core', count: 1, with: {} }], /at resources\[0\]\.with: expected a list/)
  refused([vertex('slot', 1, CORE), null], /at resources\[1\]: expected a resource, got null$/)
  refused([vertex('slot', 'x', CORE)], /at resources\[0\]\.count: expected a count, got "x"$/)
})

test('parseRequest keeps what sched-simple reads only where that is something else', () => {
  const ways = (...resources: readonly Vertex[]) => parseRequest({ resources }).simpleWays
  assert.equal(ways(vertex('slot', 4, CORES)), undefined)
  assert.equal(ways(vertex('node', 2, vertex('slot', 4, CORE))), undefined)
  assert.equal(ways(vertex('slot', 3, vertex('memory', 1))), undefined)
  const sockets = [vertex('slot', 4, vertex('socket', 2, CORES))]
  assert.deepEqual(ways(...sockets), [[part({ slots: 4, cores: 2 })]])
  const several = [vertex('slot', 6, CORE), vertex('slot', 5, CORES)]
  assert.deepEqual(ways(...several), [[part({ slots: 5, cores: 2 })]])
  const old = parseRequest({ resources: [exclusive(vertex('slot', 4, CORE))] }, '0.83.0')
  assert.equal(old.simpleWays, undefined)
})
