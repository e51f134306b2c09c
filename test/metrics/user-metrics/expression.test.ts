import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileExpression, type Expression, MAX_LENGTH } from '#metrics/user-metrics/expression.ts'
import { unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { snapshotOf } from '../../support/snapshots.ts'
import { batchJob, requestFor, waiting } from '../../support/waiting.ts'

function compile(text: string): Expression {
  const compiled = compileExpression(text)
  if (compiled.kind === 'refused') assert.fail(`${text}: ${compiled.problem.message}`)
  return compiled.expression
}

function value(text: string, changes: Partial<Snapshot> = {}) {
  return compile(text).evaluate(snapshotOf(changes))
}

function problem(text: string) {
  const compiled = compileExpression(text)
  assert.equal(compiled.kind, 'refused', text)
  return compiled.problem
}

const PRIVATE = { kind: 'unknown', reason: 'Flux hides jobs' } as const

/** Three jobs that differ in every field that expressions read. The last one has only the fields that every job has. */
const THREE = waiting([
  batchJob({ id: 1, queue: 'batch', nnodes: 4, submittedAt: (batchJob().submittedAt ?? 0) - 600 }),
  batchJob({ id: 2, queue: 'debug', nnodes: 1 }),
  batchJob({
    id: 3,
    queue: undefined,
    nnodes: undefined,
    ncores: undefined,
    priority: undefined,
  }),
])

const VALUES: readonly (readonly [expression: string, value: number])[] = [
  ['nodes.up', 10],
  ['cores.free + gpus.free', 45],
  ['double(nodes.allocated) / double(nodes.total)', 7 / 16],
  ['jobs.pending', 301 + 302 + 303],
  ['jobs.running', 304 + 305],
  ['jobs.active', 301 + 302 + 303 + 304 + 305],
  ['queues["debug"].pending + queues.batch.run', 201 + 202 + 203 + 104],
  ['queues.map(name, queues[name].run).max()', 204],
  ['queues.filter(name, queues[name].started).size()', 2],
  ['"debug" in queues ? 1 : 0', 1],
  ['size.desired', 16],
  ['size.demand - size.floor', 9],
  ['pending.size()', 3],
  ['pending.filter(job, has(job.nodes)).map(job, job.nodes).sum()', 5],
  ['pending.map(job, job.waited).max()', 1200],
  ['pending.filter(job, job.waited > 600).size()', 1],
  ['pending.exists(job, has(job.queue) && job.queue.startsWith("deb")) ? 1.5 : 0.0', 1.5],
  ['pending.filter(job, !has(job.nodes) && !has(job.queue) && !has(job.cores)).size()', 1],
  ['pending.all(job, job.state == "SCHED" && job.userid == 1000) ? 1 : 0', 1],
  ['pending.exists_one(job, job.id == "ƒ3") ? 1 : 0', 1],
  ['["batch", "debug"].map(q, pending.filter(j, has(j.queue) && j.queue == q).size()).max()', 1],
  ['int(2.9) + [3, 1, 2].min()', 3],
  ['[0.5, 0.25].sum() + [2.5, 1.0].min()', 1.75],
  ['[].sum()', 0],
  ['[9223372036854775806, 1].sum() == 9223372036854775807 ? 1 : 0', 1],
  ['[-9223372036854775807, -1].sum() + 9223372036854775807 == -1 ? 1 : 0', 1],
  ['nodes.up // more comes here\n  + 1', 11],
]

for (const [expression, expected] of VALUES) {
  test(`the value of ${JSON.stringify(expression)} is ${expected}`, () => {
    assert.equal(value(expression, THREE), expected)
  })
}

const FAILURES: readonly (readonly [expression: string, reason: string])[] = [
  ['nodes.up - 11', 'its expression gives -1, expected a number of 0 or more'],
  ['1.0 / 0.0', 'its expression gives Infinity, expected a number of 0 or more'],
  ['0.0 / 0.0', 'its expression gives NaN, expected a number of 0 or more'],
  ['nodes.up / (nodes.up - 10)', 'its expression fails: division by zero'],
  ['queues["gpu"].run', 'its expression fails: No such key: gpu'],
  ['pending.map(job, job.nodes).sum()', 'its expression fails: No such key: nodes'],
  [
    'pending.filter(job, false).map(job, job.waited).max()',
    'its expression fails: an empty list has no min() and no max()',
  ],
  [
    'pending[3].userid',
    'its expression fails: No such key: index out of bounds, index 3 >= size 3',
  ],
  ['9223372036854775807 + nodes.up', 'its expression fails: integer overflow: 9223372036854775817'],
  [
    '[9223372036854775807, 1].sum()',
    'its expression fails: the sum does not fit into an int of 64 bits',
  ],
  [
    '[-9223372036854775807, -2].sum()',
    'its expression fails: the sum does not fit into an int of 64 bits',
  ],
]

for (const [expression, reason] of FAILURES) {
  test(`the value of ${expression} is not known, with the reason`, () => {
    assert.deepEqual(value(expression, THREE), unknown(reason))
  })
}

const REFUSED: readonly (readonly [expression: string, offset: number, message: string])[] = [
  ['', 0, 'Unexpected token: EOF'],
  ['nodes.up +', 10, 'Unexpected token: EOF'],
  ['nodes.up ) 3', 9, "Unexpected character: ')'"],
  ['1 + nodes.upp', 10, 'No such key: upp'],
  ['pending.filter(job, job.urgency > 1).size()', 24, 'No such key: urgency'],
  [
    '1 + node.up',
    4,
    'Unknown variable: node, expected one of nodes cores gpus jobs queues pending size',
  ],
  ['nodes.up / 2.0', 0, 'no such overload: int / double'],
  ['1 + (nodes.up + "a")', 5, 'no such overload: int + string'],
  ['pending.map(job, job.id).sum()', 0, "found no matching overload for 'list.sum()'"],
  ['nodes.up > 3', 0, 'expected an int or a double, got bool, write "… ? 1 : 0"'],
  ['"a"', 0, 'expected an int or a double, got string'],
  ['pending', 0, 'expected an int or a double, got list<Job>'],
  ['nodes', 0, 'expected an int or a double, got Nodes'],
  ['null', 0, 'expected an int or a double, got null'],
  ['5u', 0, 'expected an int or a double, got uint'],
  [`1${' '.repeat(MAX_LENGTH)}`, 0, 'expected at most 4000 characters, got 4001'],
  [Array(251).fill('1').join('+'), 0, 'Exceeded maxAstNodes (500)'],
  [`${'('.repeat(33)}1`, 32, 'Exceeded maxDepth (32)'],
  [`[${Array(101).fill('1').join()}].sum()`, 201, 'Exceeded maxListElements (100)'],
]

test('compileExpression takes an expression of as many characters as it may have', () => {
  assert.equal(compileExpression(`1${' '.repeat(MAX_LENGTH - 1)}`).kind, 'compiled')
})

for (const [expression, offset, message] of REFUSED) {
  test(`compileExpression refuses ${JSON.stringify(expression.slice(0, 50))}: ${message}`, () => {
    assert.deepEqual(problem(expression), { offset, message })
  })
}

for (const [expression, name] of [
  ['"a".matches("(a+)+$") ? 1 : 0', 'matches'],
  ['cel.bind(x, 1, x + 1)', 'bind'],
  ['dyn(1)', 'dyn'],
  ['1 + nosuch(2)', 'nosuch'],
  ['b"1".json() == 1 ? 1 : 0', 'json'],
] as const) {
  test(`compileExpression refuses the function ${name}`, () => {
    const { offset, message } = problem(expression)
    assert.equal(offset, expression.startsWith('1 +') ? 4 : 0)
    assert.match(
      message,
      new RegExp(`^expected one of the functions all contains .*, got "${name}"$`),
    )
  })
}

test('a value that Flux hides is not known, with the reason; other values are', () => {
  const hidden = { jobs: PRIVATE, waiting: PRIVATE }
  for (const expression of ['jobs.run', 'queues["batch"].run', 'pending.size()', 'size.desired']) {
    assert.deepEqual(value(expression, hidden), unknown('Flux hides jobs'), expression)
  }
  assert.equal(value('nodes.up + cores.up', hidden), 90)
})

test('sizes are not known for the same reason as their metrics', () => {
  const { demand } = snapshotOf()
  assert.ok(demand.kind === 'known')
  const unplaced = {
    demand: { ...demand, unknownPlaces: unknown('their ranks are not known') },
  }
  assert.deepEqual(value('size.demand', unplaced), unknown('their ranks are not known'))
  assert.equal(value('size.floor', unplaced), 7)
})

test('pending jobs are not known while some of them are not listed', () => {
  const cut = waiting([batchJob()], { total: 20_000, lacksStartable: true })
  const reason = '20000 jobs are pending, but the sidecar lists only 1 of them'
  assert.deepEqual(value('pending.size()', cut), unknown(reason))
  assert.deepEqual(value('pending.exists(job, job.userid == 0) ? 1 : 0', cut), unknown(reason))
  assert.equal(value('jobs.sched', cut), 303)
})

const GPUS = requestFor({ nodes: 1, slots: 2, cores: 4, gpus: 3, exclusive: false })

test('GPUs of a job are those of all its slots, and 0 if R has none', () => {
  const jobs = waiting([batchJob({ request: GPUS }), batchJob()])
  assert.equal(value('pending.map(job, job.gpus).sum()', jobs), 6)
})

test('GPUs of jobs are not known if Flux does not show them; other fields are', () => {
  const jobs = waiting([batchJob(), batchJob()], {
    unknownRequests: unknown('guests cannot read them'),
  })
  for (const expression of [
    'pending.map(job, job.gpus).sum()',
    'pending.filter(job, has(job.gpus)).size()',
    'pending.exists(job, job.gpus > 0) ? 1 : 0',
    'pending[1].gpus',
  ]) {
    assert.deepEqual(value(expression, jobs), unknown('guests cannot read them'), expression)
  }
  assert.equal(value('pending.map(job, job.nodes).sum()', jobs), 4)
})

test('GPUs of a job whose jobspec cannot be read are not known, for its own reason', () => {
  const jobs = waiting([batchJob({ request: unknown('an odd shape') })])
  assert.deepEqual(value('pending[0].gpus', jobs), unknown('an odd shape'))
  assert.equal(value('pending[0].nodes', jobs), 2)
})

test('the fields of some jobs are enough if the other jobs cannot change the value', () => {
  const jobs = waiting([batchJob(), batchJob({ request: GPUS })], {
    unknownRequests: unknown('not read yet'),
  })
  assert.equal(value('pending.exists(job, job.gpus > 0) ? 1 : 0', jobs), 1)
  assert.deepEqual(value('pending.all(job, job.gpus > 0) ? 1 : 0', jobs), unknown('not read yet'))
})

test('an expression is evaluated once for each snapshot', () => {
  let reads = 0
  const counted = () => ({
    ...snapshotOf(),
    get nodes() {
      reads += 1
      return { ...snapshotOf().nodes, up: reads }
    },
  })
  const expression = compile('nodes.up')
  const [one, other] = [counted(), counted()]
  const values = [one, one, other, one, other].map((snapshot) => expression.evaluate(snapshot))
  assert.deepEqual([values, reads], [[1, 1, 2, 1, 2], 2])
})

test('an expression that fails is also evaluated once', () => {
  let reads = 0
  const snapshot = {
    ...snapshotOf(),
    get nodes() {
      reads += 1
      return { ...snapshotOf().nodes, up: 0 }
    },
  }
  const expression = compile('1 / nodes.up')
  assert.deepEqual(expression.evaluate(snapshot), expression.evaluate(snapshot))
  assert.equal(reads, 1)
})
