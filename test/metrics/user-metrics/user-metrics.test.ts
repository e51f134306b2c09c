import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_METRICS, MAX_STEPS, readUserMetrics } from '#metrics/user-metrics/user-metrics.ts'
import { snapshotOf } from '../../support/snapshots.ts'

function read(text: string) {
  const reading = readUserMetrics(text, 'metrics.yaml')
  if (reading.kind === 'unreadable') assert.fail(reading.problem)
  return reading
}

function namesIn({ metrics }: ReturnType<typeof read>) {
  return metrics.map(({ name }) => name)
}

interface Row {
  readonly name?: string
  readonly expression?: string
}

/** A file with one metric in each line, the first in line 2. */
function fileOf(...rows: readonly Row[]): string {
  const lines = rows.map(({ name = 'mine', expression = 'nodes.up' }) => {
    const fields = { name, help: 'Mine', unit: 'nodes', expression }
    return `  - ${JSON.stringify(fields)}`
  })
  return ['metrics:', ...lines, ''].join('\n')
}

const FILE = `
metrics:
  - name: free_cores
    help: >
      Cores that
      are free
    unit: cores
    expression: cores.free
  - name: share_in_use
    help: Allocated nodes of those that are up
    unit: '1'
    expression: |
      nodes.up == 0
        ? 0.0
        : double(nodes.allocated) / double(nodes.up)
`

test('readUserMetrics makes gauges without labels', () => {
  const { metrics, problems } = read(FILE)
  assert.deepEqual(problems, [])
  assert.deepEqual(
    metrics.map(({ value, ...metric }) => ({ ...metric, value: value(snapshotOf(), {}) })),
    [
      {
        name: 'free_cores',
        help: 'Cores that are free',
        unit: 'cores',
        kind: 'gauge',
        labels: [],
        value: 36,
      },
      {
        name: 'share_in_use',
        help: 'Allocated nodes of those that are up',
        unit: '1',
        kind: 'gauge',
        labels: [],
        value: 0.7,
      },
    ],
  )
})

test('readUserMetrics reads no metrics from an empty list', () => {
  assert.deepEqual(read('metrics: []'), { kind: 'metrics', metrics: [], problems: [] })
})

test('readUserMetrics leaves out an invalid metric, and keeps the others', () => {
  const reading = read(
    fileOf(
      { name: 'first' },
      { name: 'second', expression: 'nodes.upp' },
      { name: 'third' },
      { name: 'Fourth' },
      { name: 'fifth' },
    ),
  )
  assert.deepEqual(namesIn(reading), ['first', 'third', 'fifth'])
  assert.deepEqual(reading.problems, [
    'metrics.yaml:3:71: metric "second": No such key: upp',
    'metrics.yaml:5:14: metrics[3].name: expected 1 to 63 lower-case letters, digits and "_", a letter first',
  ])
})

for (const name of ['a', 'a1_b', 'x'.repeat(63), 'job_flux_count']) {
  test(`readUserMetrics accepts the name ${name}`, () => {
    assert.deepEqual(namesIn(read(fileOf({ name }))), [name])
  })
}

for (const name of ['', '1a', '_a', 'aB', 'a-b', 'a:b', 'a.b', 'a b', 'ä', 'x'.repeat(64), '*']) {
  test(`readUserMetrics refuses the name ${JSON.stringify(name)}`, () => {
    const { metrics, problems } = read(fileOf({ name }))
    assert.deepEqual([metrics.length, problems.length], [0, 1])
    assert.match(problems[0] ?? '', /^metrics\.yaml:2:14: metrics\[0\]\.name: expected 1 to 63 /)
  })
}

for (const [name, message] of [
  ['node_up_count', 'the name is taken by the sidecar'],
  ['node_desired_count', 'the name is taken by the sidecar'],
  ['explain', 'the name is taken by the sidecar'],
  ['flux_nodes', 'names that begin with "flux_" are reserved for the sidecar'],
  ['http_requests', 'names that begin with "http_" are reserved for the sidecar'],
  ['process_count', 'names that begin with "process_" are reserved for the sidecar'],
  ['nodejs_version', 'names that begin with "nodejs_" are reserved for the sidecar'],
] as const) {
  test(`readUserMetrics refuses the name ${name}, which is taken`, () => {
    const { metrics, problems } = read(fileOf({ name }))
    assert.deepEqual(metrics, [])
    assert.deepEqual(problems, [`metrics.yaml:2:14: metric "${name}": ${message}`])
  })
}

test('readUserMetrics keeps the first of two metrics with the same name', () => {
  const { metrics, problems } = read(
    fileOf({ name: 'mine', expression: '1' }, { name: 'mine', expression: '2' }),
  )
  assert.deepEqual(
    metrics.map(({ value }) => value(snapshotOf(), {})),
    [1],
  )
  assert.deepEqual(problems, ['metrics.yaml:3:14: metric "mine": the name is defined twice'])
})

test('readUserMetrics reports where an expression is wrong in the text as the user wrote it', () => {
  const { problems } = read(`
metrics:
  - name: folded
    help: Over several lines
    unit: nodes
    expression: >-
      nodes.up
        + nodes.upp
  - name: quoted
    help: With escapes
    unit: jobs
    expression: "queues[\\"a\\"].run + x"
  - name: unfinished
    help: Without an end
    unit: jobs
    expression: |
      jobs.run +
`)
  assert.deepEqual(problems, [
    'metrics.yaml:8:17: metric "folded": No such key: upp',
    'metrics.yaml:12:38: metric "quoted": Unknown variable: x, expected one of nodes cores gpus jobs queues pending size',
    'metrics.yaml:17:17: metric "unfinished": Unexpected token: EOF',
  ])
})

test('readUserMetrics reports everything that is wrong with the shape of a metric', () => {
  const { metrics, problems } = read(`
metrics:
  - name: 5
    help: ' '
    unit: nodes
    query: nodes.up
  - nodes.up
`)
  assert.deepEqual(metrics, [])
  assert.deepEqual(problems, [
    'metrics.yaml:3:11: metrics[0].name: expected a string, got 5',
    'metrics.yaml:4:12: metrics[0].help: expected some words, got none',
    'metrics.yaml:3:5: metrics[0].expression: missing',
    'metrics.yaml:6:12: metrics[0].query: unknown key',
    'metrics.yaml:7:5: metrics[1]: expected a map, got "nodes.up"',
  ])
})

test('readUserMetrics accepts 50 metrics, and reports the place of the first one over the limit', () => {
  const rows = Array.from({ length: MAX_METRICS + 2 }, (_, index) => ({ name: `m${index}` }))
  const { metrics, problems } = read(fileOf(...rows))
  assert.deepEqual([metrics.length, metrics.at(-1)?.name], [50, 'm49'])
  assert.deepEqual(problems, ['metrics.yaml:52:5: expected at most 50 metrics, got 52'])
  assert.deepEqual(read(fileOf(...rows.slice(0, MAX_METRICS))).problems, [])
})

test('readUserMetrics refuses a metric that takes more steps than the metrics before it leave', () => {
  const expression = `pending${'.map(job, 1)'.repeat(18)}.size()`
  const steps = 18 * 10_000 + 20
  const names = ['one', 'two', 'three', 'four', 'five', 'six']
  const { metrics, problems } = read(
    fileOf(...names.map((name) => ({ name, expression })), { name: 'cheap' }),
  )
  assert.deepEqual(
    metrics.map(({ name }) => name),
    ['one', 'two', 'three', 'four', 'five', 'cheap'],
  )
  assert.deepEqual(problems, [
    `metrics.yaml:7:62: metric "six": with 10000 pending jobs it takes up to ${steps} steps, ` +
      `expected at most ${MAX_STEPS - 5 * steps}`,
  ])
})

test('readUserMetrics refuses a metric that alone would hold all others up', () => {
  const expression = `pending${'.map(job, 1)'.repeat(26)}.size()`
  const { metrics, problems } = read(fileOf({ expression }))
  assert.deepEqual(metrics, [])
  assert.match(problems.join(), /it takes up to 260028 steps, expected at most 250000$/)
})

test('readUserMetrics refuses a comprehension over pending jobs inside another one', () => {
  const expression = 'pending.filter(a, pending.exists(b, b.id < a.id)).size()'
  const { metrics, problems } = read(fileOf({ expression }))
  assert.deepEqual(metrics, [])
  assert.match(problems.join(), /^metrics\.yaml:2:63: metric "mine": with 10000 pending jobs it/)
})

for (const [text, problem] of [
  ['', '1:1: expected a map, got null'],
  ['metrics:', '1:9: metrics: expected a list, got null'],
  ['metrics: {}', '1:10: metrics: expected a list, got a map'],
  ['- name: x', '1:1: metrics: missing'],
  ['a: 5', '1:1: metrics: missing'],
  ['metrics: []\nversion: 1', '2:10: version: unknown key'],
  [
    'metrics: [',
    '1:11: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
] as const) {
  test(`readUserMetrics cannot read ${JSON.stringify(text)}`, () => {
    assert.deepEqual(readUserMetrics(text, 'metrics.yaml'), {
      kind: 'unreadable',
      problem: `metrics.yaml:${problem}`,
    })
  })
}
