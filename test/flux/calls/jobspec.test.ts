// Requests of jobspecs: recorded jobspecs, every form of the RFCs, and malformed jobspecs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseSlotRequest } from '#flux/calls/jobspec.ts'
import { FluxError } from '#flux/errors.ts'
import { isJsonObject } from '#flux/wire/payload.ts'
import { recordedAnswer } from '../../support/recordings.ts'

/** The jobspec that a broker answered. */
function recorded(version: string) {
  const { jobspec } = recordedAnswer(version, 'job-manager-getattr-jobspec', 'job-manager.getattr')
  assert.ok(isJsonObject(jobspec))
  return jobspec
}

const NOTHING = { nodes: undefined, slots: 0, cores: 0, gpus: 0, exclusive: false }

test('parseSlotRequest reads recorded jobspecs', () => {
  // flux submit -N3 -n24 -c1
  const nodes = { nodes: 3, slots: 24, cores: 1, gpus: 0, exclusive: false }
  assert.deepEqual(parseSlotRequest(recorded('0.51.0')), nodes)
  // flux submit -n4 -c2 -g1
  const gpus = { nodes: undefined, slots: 4, cores: 2, gpus: 1, exclusive: false }
  assert.deepEqual(parseSlotRequest(recorded('0.88.0')), gpus)
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

const SHAPES: readonly (readonly [
  what: string,
  resources: readonly unknown[],
  request: Partial<ReturnType<typeof parseSlotRequest>>,
])[] = [
  ['no resources', [], {}],
  ['no slots', [vertex('slot', 0, CORE)], { cores: 1 }],
  ['slots', [vertex('slot', 4, CORE)], { slots: 4, cores: 1 }],
  [
    'slots of several things',
    [vertex('slot', 4, vertex('core', 3), vertex('gpu', 2), vertex('memory', 7))],
    { slots: 4, cores: 3, gpus: 2 },
  ],
  [
    'slots on nodes',
    [vertex('node', 2, vertex('slot', 4, CORE))],
    { nodes: 2, slots: 8, cores: 1 },
  ],
  [
    'whole nodes',
    [{ ...vertex('node', 2, vertex('slot', 1, CORE)), exclusive: true }],
    { nodes: 2, slots: 2, cores: 1, exclusive: true },
  ],
  [
    'nodes that are shared',
    [{ ...vertex('node', 2, vertex('slot', 1, CORE)), exclusive: false }],
    { nodes: 2, slots: 2, cores: 1 },
  ],
  [
    'slots or cores that are not shared, which are not whole nodes',
    [{ ...vertex('slot', 2, { ...CORE, exclusive: true }), exclusive: true }],
    { slots: 2, cores: 1 },
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
    { nodes: 6, slots: 6, cores: 8 },
  ],
  ['cores outside of slots, which are nobody’s', [vertex('core', 9)], {}],
  [
    'ranges as RFC 14 writes them, by the least',
    [vertex('slot', { min: 2, max: 8, operator: '*', operand: 2 }, CORE)],
    { slots: 2, cores: 1 },
  ],
]

for (const [what, resources, request] of SHAPES) {
  test(`parseSlotRequest reads ${what}`, () => {
    assert.deepEqual(parseSlotRequest({ resources }), { ...NOTHING, ...request })
  })
}

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
  test(`parseSlotRequest uses the smallest number of "${text}"`, () => {
    const { slots } = parseSlotRequest({ resources: [vertex('slot', text, CORE)] })
    assert.equal(slots, least)
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
      { resources: [vertex('slot', 2, CORE, vertex('node', 1))] },
      'at resources[0].with[1]: expected no node in a slot, got {"type":"node","count":1}',
    ],
  ]

for (const [jobspec, message] of REFUSED) {
  test(`parseSlotRequest refuses ${message}`, () => {
    assert.throws(() => parseSlotRequest(jobspec), {
      name: 'FluxError',
      code: 'FLUX_PROTOCOL',
      message: `Cannot read jobspec ${message}`,
    })
  })
}

test('parseSlotRequest refuses a tree that is deeper than any real one', () => {
  const levels = (count: number) => {
    let tree = CORE
    for (let level = 2; level <= count; level += 1)
      tree = vertex(level === 2 ? 'slot' : 'rack', 1, tree)
    return { resources: [tree] }
  }
  assert.deepEqual(parseSlotRequest(levels(16)), { ...NOTHING, slots: 1, cores: 1 })
  for (const [count, type] of [
    [17, 'core'],
    [100_000, 'rack'],
  ] as const) {
    assert.throws(() => parseSlotRequest(levels(count)), {
      code: 'FLUX_PROTOCOL',
      message: new RegExp(`: expected at most 16 levels, got "${type}"$`),
    })
  }
})

test('parseSlotRequest reads any value, or refuses it with FLUX_PROTOCOL', () => {
  const { resources } = fc.letrec<{ resources: unknown; vertex: unknown }>((tie) => ({
    resources: fc.oneof(
      { depthSize: 'small' },
      fc.anything(),
      fc.array(tie('vertex'), { maxLength: 3 }),
    ),
    vertex: fc.record(
      {
        type: fc.constantFrom('node', 'slot', 'core', 'gpu', 'rack'),
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
        parseSlotRequest({ resources: value })
      } catch (error) {
        if (!(error instanceof FluxError)) throw error
        assert.equal(error.code, 'FLUX_PROTOCOL')
      }
    }),
    { numRuns: 1000 },
  )
})
