// Requests out of jobspecs: recorded ones, every shape of the RFCs, and what is none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRequest } from '#flux/calls/jobspec.ts'
import type { CountRange, RequestPart } from '#flux/calls/jobspec-parts.ts'
import { FluxError } from '#flux/errors.ts'
import { isJsonObject } from '#flux/wire/payload.ts'
import { recordedAnswer } from '../../support/recordings.ts'
import { runs } from '../../support/runs.ts'

/** The jobspec that a broker answered. */
function recorded(version: string) {
  const { jobspec } = recordedAnswer(version, 'job-manager-getattr-jobspec', 'job-manager.getattr')
  assert.ok(isJsonObject(jobspec))
  return jobspec
}

/** A part of a request that asks for nothing but what differs. */
function part(changes: Partial<RequestPart>): RequestPart {
  return { nodes: undefined, slots: 0, cores: 0, gpus: 0, exclusive: false, ...changes }
}

function rangeOf(changes: Partial<CountRange>): CountRange {
  const endless = { max: Number.POSITIVE_INFINITY, operator: '+', operand: 1 }
  return { times: 1, min: 1, ...endless, ...changes }
}

/** Nodes, each with one slot that has all that is wanted of the node. */
function onNodes(nodes: number, changes: Partial<RequestPart>): RequestPart {
  return part({ nodes, slots: nodes, ...changes })
}

test('the step of a range is a whole number: another would take without end', () => {
  const core = { type: 'core', count: { min: 1, operator: '*', operand: 1.0000001 } }
  const resources = [{ type: 'slot', count: 1, with: [core] }]
  const cores = rangeOf({ operator: '*', operand: 1 })
  const expected = [[part({ slots: 1, cores: 1, ranges: { cores } })]]
  assert.deepEqual(parseRequest({ resources }).ways, expected)
})

test('parseRequest reads what brokers were recorded to say', () => {
  // flux submit -N3 -n24 -c1
  assert.deepEqual(parseRequest(recorded('0.51.0')).ways, [[onNodes(3, { cores: 8 })]])
  // flux submit -n4 -c2 -g1
  assert.deepEqual(parseRequest(recorded('0.88.0')).ways, [[part({ slots: 4, cores: 2, gpus: 1 })]])
})

interface Vertex {
  readonly type: string
  readonly count: unknown
  readonly exclusive?: unknown
  readonly with?: unknown
}

function vertex(type: string, count: unknown, ...below: readonly Vertex[]): Vertex {
  return { type, count, ...(below.length > 0 && { with: below }) }
}

const CORE = vertex('core', 1)

/** Shapes of RFC 14, and what each needs. The examples of the RFC and of flux-core's own tests are among them. */
const SHAPES: readonly (readonly [
  what: string,
  resources: readonly unknown[],
  ...ways: (readonly RequestPart[])[],
])[] = [
  ['slots (flux submit -n4)', [vertex('slot', 4, CORE)], [part({ slots: 4, cores: 1 })]],
  [
    'slots of several cores (flux batch -n8 -c5)',
    [vertex('slot', 8, vertex('core', 5))],
    [part({ slots: 8, cores: 5 })],
  ],
  [
    'slots of several things',
    [vertex('slot', 4, vertex('core', 3), vertex('gpu', 2), vertex('memory', 7))],
    [part({ slots: 4, cores: 3, gpus: 2 })],
  ],
  [
    'no GPUs, said so',
    [vertex('node', 1, vertex('slot', 1, CORE, vertex('gpu', 0)))],
    [onNodes(1, { cores: 1 })],
  ],
  ['slots on nodes', [vertex('node', 2, vertex('slot', 4, CORE))], [onNodes(2, { cores: 4 })]],
  [
    'whole nodes (--exclusive)',
    [{ ...vertex('node', 2, vertex('slot', 1, CORE)), exclusive: true }],
    [onNodes(2, { cores: 1, exclusive: true })],
  ],
  [
    'nodes that are shared',
    [{ ...vertex('node', 2, vertex('slot', 1, CORE)), exclusive: false }],
    [onNodes(2, { cores: 1 })],
  ],
  [
    'slots or cores that are not shared, which are not whole nodes',
    [{ ...vertex('slot', 2, { ...CORE, exclusive: true }), exclusive: true }],
    [part({ slots: 2, cores: 1 })],
  ],
  [
    'nodes in slots, which are whole (slot=4/node)',
    [vertex('slot', 4, vertex('node', 1))],
    [onNodes(4, { exclusive: true })],
  ],
  [
    'several nodes in each slot',
    [vertex('slot', 4, vertex('node', 3))],
    [onNodes(12, { exclusive: true })],
  ],
  [
    'nodes in slots with fewer cores, which Fluxion shares with no other job (slot=4/node/core=8)',
    [vertex('slot', 4, vertex('node', 1, vertex('core', 8)))],
    [onNodes(4, { cores: 8, exclusive: true })],
  ],
  [
    'nodes of racks that are not shared',
    [{ ...vertex('rack', 2, vertex('node', 3, vertex('slot', 1, CORE))), exclusive: true }],
    [onNodes(6, { cores: 1, exclusive: true })],
  ],
  [
    'whole nodes in slots with slots of their own',
    [
      vertex('slot', 2, vertex('ssd', 1), {
        ...vertex('node', 1, vertex('slot', 1, vertex('core', 5), vertex('gpu', 7))),
        exclusive: true,
      }),
    ],
    [onNodes(2, { cores: 5, gpus: 7, exclusive: true })],
  ],
  [
    'nodes with memory alone, which are whole',
    [vertex('slot', 2, vertex('node', 1, vertex('memory', { min: 4 })))],
    [onNodes(2, { exclusive: true })],
  ],
  [
    'sockets of nodes, by the least of ranges',
    [
      vertex(
        'slot',
        4,
        vertex('node', 1, vertex('socket', { min: 2 }, vertex('core', { min: 4 }))),
      ),
    ],
    [onNodes(4, { cores: 8, exclusive: true })],
  ],
  [
    'slots of different sizes on one node, which add up',
    [vertex('node', 3, vertex('slot', 2, vertex('core', 4)), vertex('slot', 1, vertex('core', 8)))],
    [onNodes(3, { cores: 16 })],
  ],
  [
    'slots of different sizes anywhere',
    [vertex('slot', 2, vertex('core', 4)), vertex('slot', 1, vertex('core', 8))],
    [part({ slots: 2, cores: 4 }), part({ slots: 1, cores: 8 })],
  ],
  [
    'slots of two kinds in two places',
    [
      vertex('cluster', 1, vertex('slot', 2, vertex('node', 1, vertex('ib10g', 1)))),
      vertex('switch', 1, vertex('slot', 2, vertex('node', 1, vertex('core', 2)))),
    ],
    [onNodes(2, { exclusive: true }), onNodes(2, { cores: 2, exclusive: true })],
  ],
  [
    'nodes beside what R does not have',
    [vertex('ssd', 100_000), vertex('node', 1, vertex('slot', 1, CORE))],
    [onNodes(1, { cores: 1 })],
  ],
  [
    'resources above nodes and in slots, multiplied through',
    [
      vertex(
        'rack',
        2,
        vertex('node', 3, vertex('slot', 1, vertex('socket', 2, vertex('core', 4)))),
      ),
    ],
    [onNodes(6, { cores: 8 })],
  ],
  [
    'slots that are alike, which add up',
    [
      ...[2, 3].map((count) => vertex('slot', count, vertex('core', 4))),
      vertex('slot', 0, CORE),
      vertex('slot', 1, CORE),
    ],
    [part({ slots: 5, cores: 4 }), part({ slots: 1, cores: 1 })],
  ],
  [
    'whole nodes that are alike, which add up',
    [vertex('node', 2), vertex('slot', 3, vertex('node', 1))],
    [onNodes(5, { exclusive: true })],
  ],
  [
    'parts of nodes, which may share nodes',
    [1, 2].map((count) => vertex('node', count, vertex('slot', 1, CORE))),
    [onNodes(1, { cores: 1 }), onNodes(2, { cores: 1 })],
  ],
  [
    'ranges as RFC 14 writes them, by the least',
    [vertex('slot', { min: 2, max: 8, operator: '*', operand: 2 }, CORE)],
    [part({ slots: 2, cores: 1 })],
  ],
  [
    'a range of cores of a slot, which is kept',
    [vertex('slot', 6, vertex('core', { min: 2, max: 4, operator: '+', operand: 2 }))],
    [part({ slots: 6, cores: 2, ranges: { cores: rangeOf({ min: 2, max: 4, operand: 2 }) } })],
  ],
  [
    'ranges without an end, and in text, of slots on nodes',
    [vertex('node', 3, vertex('slot', 2, vertex('core', { min: 2 }), vertex('gpu', '1-2')))],
    [
      onNodes(3, {
        ...{ cores: 4, gpus: 2 },
        ranges: { cores: rangeOf({ times: 2, min: 2 }), gpus: rangeOf({ times: 2, min: 1 }) },
      }),
    ],
  ],
  [
    'slots with a range of nodes, of which each takes the most (Fluxion 0.54 waits for 6 idle nodes)',
    [vertex('slot', 3, vertex('node', { min: 1, max: 2, operator: '+', operand: 1 }, CORE))],
    [onNodes(6, { cores: 1, exclusive: true })],
  ],
  [
    'slots with a range of nodes of which none can take more (Fluxion 0.54 starts it on 2 nodes)',
    [vertex('slot', 2, vertex('node', { min: 1, max: 4, operator: '*', operand: 4 }, CORE))],
    [onNodes(2, { cores: 1, exclusive: true })],
  ],
  [
    'one slot with a range of nodes',
    [vertex('slot', 1, vertex('node', { min: 3, max: 5, operator: '+', operand: 1 }, CORE))],
    [onNodes(3, { cores: 1, exclusive: true })],
  ],
  [
    'a range that is one number',
    [vertex('slot', 2, vertex('core', { min: 2, max: 2 }), vertex('gpu', '1'))],
    [part({ slots: 2, cores: 2, gpus: 1 })],
  ],
  [
    'a range of nodes (node=2-4)',
    [vertex('node', '2-4', vertex('slot', 1, CORE))],
    [onNodes(2, { cores: 1 })],
  ],
  [
    'alternatives of slots, each a way',
    [
      vertex('xor_slot', 1, vertex('core', 12)),
      vertex('xor_slot', 2, vertex('core', 4), vertex('gpu', 1)),
    ],
    [part({ slots: 1, cores: 12 })],
    [part({ slots: 2, cores: 4, gpus: 1 })],
  ],
  [
    'alternatives in a node beside what is wanted in any case',
    [
      vertex(
        'node',
        2,
        vertex('slot', 1, CORE),
        vertex('or_slot', 1, vertex('gpu', 1)),
        vertex('or_slot', 1, vertex('core', 4)),
      ),
    ],
    [onNodes(2, { cores: 1, gpus: 1 })],
    [onNodes(2, { cores: 5 })],
  ],
]

for (const [what, resources, ...ways] of SHAPES) {
  test(`parseRequest reads ${what}`, () => {
    const { simpleWays: _, ...request } = parseRequest({ resources })
    assert.deepEqual(request, { ways, constraint: undefined })
  })
}

test('parseRequest reads constraints', () => {
  const attributes = { system: { duration: 0, constraints: { properties: ['gpu'] } } }
  const { constraint } = parseRequest({ resources: [vertex('slot', 1, CORE)], attributes })
  assert.deepEqual(constraint, { kind: 'properties', with: ['gpu'], without: [] })
  const broken = { system: { constraints: ['gpu'] } }
  assert.throws(() => parseRequest({ resources: [vertex('slot', 1, CORE)], attributes: broken }), {
    message: /^Cannot read jobspec at constraints: expected a constraint/,
  })
})

test('parseRequest is bounded in what it reads and in what it makes', () => {
  const slots = (count: number) => Array.from({ length: count }, () => vertex('slot', 1, CORE))
  assert.deepEqual(parseRequest({ resources: slots(128) }).ways, [[part({ slots: 128, cores: 1 })]])
  assert.throws(() => parseRequest({ resources: slots(129) }), /at most 256 resources/)
  const sizes = (count: number) =>
    Array.from({ length: count }, (_, index) => vertex('slot', 1, vertex('core', 1 + index)))
  assert.equal(parseRequest({ resources: sizes(16) }).ways[0]?.length, 16)
  assert.throws(() => parseRequest({ resources: sizes(17) }), /slots of at most 16 sizes, got 17$/)
  const or = (count: number) => Array.from({ length: count }, () => vertex('or_slot', 1, CORE))
  assert.equal(parseRequest({ resources: or(16) }).ways.length, 16)
  assert.throws(() => parseRequest({ resources: or(17) }), /at most 16 alternatives/)
  const product = [vertex('rack', 2 ** 30, vertex('slot', 2 ** 30, CORE))]
  assert.throws(() => parseRequest({ resources: product }), /at most 1099511627776 in all/)
})

/** Counts as texts (RFC 45, RFC 22). */
for (const [text, least] of [
  ['2-5', 2],
  ['2+', 2],
  ['10-40:2:*', 10],
  ['1+:3', 1],
  ['[1-4:2:*]', 1],
  ['[100+]', 100],
  ['7', 7],
  ['[7]', 7],
  ['2,4,8', 2],
] as const) {
  test(`parseRequest starts with the least of "${text}"`, () => {
    const { ways } = parseRequest({ resources: [vertex('slot', text, CORE)] })
    assert.equal(ways[0]?.[0]?.slots, least)
  })
}

const REFUSED: readonly (readonly [jobspec: Readonly<Record<string, unknown>>, message: string])[] =
  [
    [{}, 'at resources: expected a list of resources, got undefined'],
    [
      { resources: { type: 'slot' } },
      'at resources: expected a list of resources, got {"type":"slot"}',
    ],
    [{ resources: [null] }, 'at resources[0]: expected a resource, got null'],
    [{ resources: [CORE, 'core'] }, 'at resources[1]: expected a resource, got "core"'],
    [{ resources: [{ count: 4 }] }, 'at resources[0].type: expected a string, got undefined'],
    ...[
      [],
      [vertex('slot', 0, CORE)],
      [vertex('Node', 4)],
      [vertex('rack', 2, vertex('ssd', 1))],
      [vertex('node', 0), vertex('memory', 4)],
    ].map(
      (resources) =>
        [{ resources }, 'at resources: expected at least one node or slot, got "none"'] as const,
    ),
    [
      { resources: [vertex('slot', 1, CORE), vertex('core', 9)] },
      'at resources[1]: expected a node or a slot, got "core"',
    ],
    [
      { resources: [vertex('rack', 1, vertex('gpu', 1))] },
      'at resources[0].with[0]: expected a node or a slot, got "gpu"',
    ],
    [{ resources: [{ type: 'slot' }] }, 'at resources[0].count: expected a count, got undefined'],
    ...[-1, 1.5, 'many', '', '-3', '3x', '3.5', null, [2], {}, { min: '2' }, { max: 2 }].map(
      (count) =>
        [
          { resources: [vertex('slot', count)] },
          `at resources[0].count: expected a count, got ${JSON.stringify(count)}`,
        ] as const,
    ),
    [
      { resources: [vertex('slot', 2n ** 60n)] },
      'at resources[0].count: expected a count, got "1152921504606846976"',
    ],
    [
      { resources: [vertex('slot', '9007199254740993')] },
      'at resources[0].count: expected a count, got "9007199254740993"',
    ],
    [
      { resources: [vertex('node', 1, { ...vertex('slot', 1), with: { core: 1 } })] },
      'at resources[0].with[0].with: expected a list of resources, got {"core":1}',
    ],
    [
      { resources: [vertex('node', 2, CORE, vertex('node', 1))] },
      'at resources[0].with[1]: expected no node in a node, got "node"',
    ],
  ]

for (const [jobspec, message] of REFUSED) {
  test(`parseRequest refuses ${message}`, () => {
    assert.throws(() => parseRequest(jobspec), {
      name: 'FluxError',
      code: 'FLUX_PROTOCOL',
      message: `Cannot read jobspec ${message}`,
    })
  })
}

test('parseRequest gives up a tree that is deeper than any', () => {
  const levels = (count: number) => {
    let tree = CORE
    for (let level = 2; level <= count; level += 1)
      tree = vertex(level === 2 ? 'slot' : 'rack', 1, tree)
    return { resources: [tree] }
  }
  // Every slot of a nest is searched for nodes, and a wide tree only as far as it can be read.
  const wide = (depth: number): unknown[] =>
    depth === 0
      ? [CORE]
      : Array.from({ length: 9 }, () => ({ ...vertex('slot', 1), with: wide(depth - 1) }))
  assert.throws(() => parseRequest({ resources: wide(6) }), /at most 256 resources/)
  assert.deepEqual(parseRequest(levels(16)).ways, [[part({ slots: 1, cores: 1 })]])
  for (const [count, type] of [
    [17, 'core'],
    [100_000, 'rack'],
  ] as const) {
    assert.throws(() => parseRequest(levels(count)), {
      code: 'FLUX_PROTOCOL',
      message: new RegExp(`: expected at most 16 levels, got "${type}"$`),
    })
  }
})

test('parseRequest looks at a bounded part of a tree that is too large', () => {
  let looked = 0
  const core = {
    ...CORE,
    get type() {
      looked += 1
      return 'core'
    },
  }
  const wide = (level: number): readonly Vertex[] =>
    level === 0 ? [core] : Array.from({ length: 200 }, () => vertex('rack', 1, ...wide(level - 1)))
  assert.throws(() => parseRequest({ resources: [vertex('slot', 1, ...wide(2))] }), {
    code: 'FLUX_PROTOCOL',
  })
  assert.ok(looked < 5_000, `${looked} vertices are looked at`)
})

test('parseRequest reads anything, or refuses it with FLUX_PROTOCOL', () => {
  const { resources } = fc.letrec<{ resources: unknown; vertex: unknown }>((tie) => ({
    resources: fc.oneof(
      { depthSize: 'small' },
      fc.anything(),
      fc.array(tie('vertex'), { maxLength: 3 }),
    ),
    vertex: fc.record(
      {
        type: fc.constantFrom('node', 'slot', 'xor_slot', 'core', 'gpu', 'rack'),
        count: fc.oneof(fc.nat(4), fc.anything(), fc.bigInt()),
        exclusive: fc.anything(),
        with: tie('resources'),
      },
      { requiredKeys: ['type', 'count'] },
    ),
  }))
  fc.assert(
    fc.property(resources, (value) => {
      try {
        parseRequest({ resources: value })
      } catch (error) {
        if (!(error instanceof FluxError)) throw error
        assert.equal(error.code, 'FLUX_PROTOCOL')
      }
    }),
    { numRuns: runs(1000) },
  )
})
