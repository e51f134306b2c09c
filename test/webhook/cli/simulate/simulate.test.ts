import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SIMULATE } from '../../../../webhook/cli/simulate/simulate.ts'
import { createMemoryIo } from '../memory-io.ts'

test('simulate reads the queue of its help', async () => {
  const { io } = createMemoryIo()
  const [, example = ''] = /\n\n( {2}apiVersion:[\s\S]*?)\nExit codes/.exec(SIMULATE.help(io)) ?? []
  assert.match(example, /kind: Queue/)
  const input = createMemoryIo({ input: example })
  assert.equal(await SIMULATE.run([], input.io), 0)
  assert.equal(input.written.err, '')
  assert.match(input.written.out, /recommended +21 +0 +0 /)
})

test('simulate refuses wrong usage', async () => {
  const { io, written } = createMemoryIo()
  assert.equal(await SIMULATE.run(['--drains'], io), 2)
  const lines = [
    "flux-metrics simulate: Unknown option '--drains'",
    'See flux-metrics simulate --help',
    '',
  ]
  assert.deepEqual(written, { out: '', err: lines.join('\n') })
})

test('simulate says how to name a file', async () => {
  const { io, written } = createMemoryIo()
  assert.equal(await SIMULATE.run(['queue.yaml'], io), 2)
  assert.match(
    written.err,
    /^flux-metrics simulate: Unexpected argument 'queue.yaml': name a file with -f\n/,
  )
})

test('simulate reports a picture that cannot be written before it runs', async () => {
  const queue = `apiVersion: flux-metrics/v1alpha1
kind: Queue
spec: { nodes: { max: 2 }, jobs: [{ nodes: 1, duration: 1s }] }
`
  const { io, written } = createMemoryIo({ input: queue })
  assert.equal(await SIMULATE.run(['--svg', 'missing/queue.svg'], io), 2)
  const err = 'Cannot write missing/queue.svg: no such file or directory\n'
  assert.deepEqual(written, { out: '', err })
})

const NODES = (spec: string) => `apiVersion: flux-metrics/v1alpha1
kind: Queue
spec: { nodes: { max: 2, cores: 4 }, ${spec} }
`

async function simulate(files: Readonly<Record<string, string>>) {
  const { io, written } = createMemoryIo({ files })
  const code = await SIMULATE.run(
    Object.keys(files).flatMap((name) => ['-f', name]),
    io,
  )
  return { code, ...written }
}

test('simulate says which jobs it does not show: those after the end, and those that fit nowhere', async () => {
  const jobs =
    '{ nodes: 1, duration: 1s }, { nodes: 3, duration: 1s }, { at: 1m, cores: 1, duration: 1s }'
  const { code, err } = await simulate({ 'q.yaml': NODES(`until: 1m, jobs: [${jobs}]`) })
  assert.equal(code, 0)
  assert.deepEqual(err.split('\n'), [
    'warning: 1 of 3 jobs are submitted after 60 s, when the run ends',
    'warning: 1 of 3 jobs need more than the MiniCluster can have: the scheduler refuses them',
    '',
  ])
})

test('simulate cancels the jobs that were canceled before they ran', async () => {
  const jobs = [
    { t_submit: 1, t_run: 1, t_cleanup: 601, nnodes: 2 },
    { t_submit: 1, t_inactive: 121, nnodes: 2 },
  ]
  const { out, err } = await simulate({
    'q.yaml': NODES('jobs: []'),
    'jobs.json': JSON.stringify({ jobs }),
  })
  assert.equal(err, '')
  const [, completed, killed, unfinished, canceled, mean] =
    /recommended +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) s/.exec(out) ?? []
  assert.deepEqual([completed, killed, unfinished, canceled], ['1', '0', '0', '1'])
  // The first waits for its nodes, the second until it is canceled.
  assert.ok(Number(mean) > 60 && Number(mean) < 75, mean)
})

test('simulate refuses recorded jobs of queues that the Queue does not have, and puts all into one without queues', async () => {
  const jobs = [{ t_submit: 1, t_run: 1, t_cleanup: 2, nnodes: 1, queue: 'long' }]
  const recording = `{\n "jobs": ${JSON.stringify(jobs)}}`
  const named = await simulate({
    'q.yaml': NODES('queues: { batch: 0-1 }'),
    'jobs.json': recording,
  })
  assert.equal(named.code, 2)
  assert.equal(
    named.err,
    `jobs.json:2: queue: expected batch, as in the Queue's spec.queues, got "long"\n`,
  )
  const one = await simulate({ 'q.yaml': NODES('jobs: []'), 'jobs.json': recording })
  assert.deepEqual([one.code, one.err], [0, ''])
})

test('simulate refuses an HPA that the MiniCluster of the queue cannot follow', async () => {
  const hpa = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: large }
spec:
  scaleTargetRef: { apiVersion: flux-framework.org/v1alpha2, kind: MiniCluster, name: large }
  maxReplicas: 3
  metrics:
    - type: External
      external: { metric: { name: cpu }, target: { type: Value, value: 1x } }
`
  const queue = NODES('jobs: [{ nodes: 1, duration: 1s }]')
  const quantity = await simulate({ 'q.yaml': queue, 'hpa.yaml': hpa })
  assert.deepEqual(quantity, {
    code: 2,
    out: '',
    err: 'hpa.yaml:9:72: spec.metrics[0].external.target.value: expected a quantity above 0 such as 4, 1.5 or 500m, got "1x"\n',
  })
  const { code, err } = await simulate({ 'q.yaml': queue, 'hpa.yaml': hpa.replace('1x', '1') })
  assert.equal(code, 2)
  assert.deepEqual(err.split('\n'), [
    "hpa.yaml:6:16: spec.maxReplicas: expected at most the Queue's spec.nodes.max, 2, got 3",
    'hpa.yaml:9:35: spec.metrics[0].external.metric.name: expected a metric of ours, got "cpu"',
    '',
  ])
})

test('simulate counts canceled, timed-out and refused jobs, and a job that never starts waits to the end', async () => {
  const jobs = [
    { t_submit: 1, t_run: 1, t_cleanup: 61, nnodes: 1 },
    { t_submit: 1, t_run: 1, t_cleanup: 101, nnodes: 1, duration: 100 },
    { t_submit: 1, t_inactive: 2, nnodes: 2 },
    { t_submit: 1, t_run: 2, t_cleanup: 3, nnodes: 3 },
  ]
  const { out } = await simulate({
    'q.yaml': NODES('until: 10m, jobs: [{ nodes: 1, duration: 2m, timeLimit: 1m }]'),
    'jobs.json': JSON.stringify({ jobs }),
  })
  const [head = '', row = ''] = out.trimEnd().split('\n').slice(-2)
  assert.deepEqual(head.trim().split(/ {2,}/).slice(1, 7), [
    'completed',
    'killed',
    'unfinished',
    'canceled',
    'timed out',
    'refused',
  ])
  assert.deepEqual(row.trim().split(/ +/).slice(1, 7), ['2', '0', '0', '1', '1', '1'])
  // The refused job.
  assert.match(row, / (\d) min .* \1 min|\d+ s +\d+ min/)
})

test('simulate refuses wide jobs only if the Queue says so', async () => {
  const wide = 'jobs: [{ nodes: 2, duration: 10s }]'
  const waits = await simulate({ 'q.yaml': NODES(wide) })
  assert.match(waits.out, /recommended +1 +0 +0 +\d/)
  assert.equal(waits.err, '')
  const refused = await simulate({ 'q.yaml': NODES(`refuseWide: true, ${wide}`) })
  assert.match(refused.out, /recommended +0 +0 +0 +1 +\d/)
  assert.equal(
    refused.err,
    'warning: 1 of 1 jobs need more than the MiniCluster has: the scheduler refuses them\n',
  )
})

test('simulate shows what becomes of jobs if there are fewer nodes than they ask for', async () => {
  const spec = (passAbsent: boolean) => `apiVersion: flux-metrics/v1alpha1
kind: Queue
spec:
  nodes: { max: 4, available: 2 }
  passAbsent: ${passAbsent}
  until: 30m
  jobs: [{ nodes: 4, duration: 10s }, { at: 1s, nodes: 1, duration: 10s, count: 3 }]
`
  // HPA, completed, killed, canceled or timed out, unfinished.
  assert.match((await simulate({ 'q.yaml': spec(false) })).out, /recommended +0 +0 +4 /)
  assert.match((await simulate({ 'q.yaml': spec(true) })).out, /recommended +3 +0 +1 /)
})

for (const columns of [60, 80, 200]) {
  test(`simulate fits a terminal of ${columns} columns`, async () => {
    const jobs = Array.from({ length: 3 }, () => '{ nodes: 1, duration: 3m }').join(', ')
    const { io, written } = createMemoryIo({
      input: NODES(`jobs: [${jobs}]`),
      outIsTerminal: true,
      columns,
    })
    assert.equal(await SIMULATE.run([], io), 0)
    const lines = written.out.split('\n')
    const widest = Math.max(...lines.map((line) => line.length))
    assert.ok(widest <= columns, `${widest} columns`)
    // The axis uses the width.
    assert.ok(lines.some((line) => line.length > columns - 20 && line.includes('───')))
  })
}

test('simulate shows how far it is on a terminal, and clears that line', async (t) => {
  // A second passes at each look at the clock: each report is due.
  let nowMs = 0
  t.mock.method(performance, 'now', () => {
    nowMs += 1_000
    return nowMs
  })
  const jobs = 'jobs: [{ at: 0s, every: 1s, count: 30, cores: 1, duration: 20s }]'
  const { io, written } = createMemoryIo({ input: NODES(jobs), errIsTerminal: true })
  assert.equal(await SIMULATE.run([], io), 0)
  const [first, ...lines] = written.err.split('\r\u001b[K')
  assert.deepEqual([first, lines.at(-1)], ['', ''])
  assert.match(lines[0] ?? '', /^HPA 1 of 1, recommended: \d+ % of the jobs have ended$/)
})

test('simulate says that there are two Queues', async () => {
  const queue = `apiVersion: flux-metrics/v1alpha1
kind: Queue
spec: { nodes: { max: 2 }, jobs: [{ nodes: 1, duration: 1s }] }
`
  const { io, written } = createMemoryIo({ input: `${queue}---\n${queue}` })
  assert.equal(await SIMULATE.run([], io), 2)
  const err = '<stdin>: expected one Queue of flux-metrics/v1alpha1, found 2\n'
  assert.deepEqual(written, { out: '', err })
})

test('simulate refuses a count that is not exact', async () => {
  const input = `apiVersion: flux-metrics/v1alpha1
kind: Queue
spec: { nodes: { max: 2 }, jobs: [{ nodes: 1e18, duration: 1s }] }
`
  const { io, written } = createMemoryIo({ input })
  assert.equal(await SIMULATE.run([], io), 2)
  assert.match(
    written.err,
    /^<stdin>:3:\d+: spec\.jobs\[0\]\.nodes: expected at most 9007199254740991, /,
  )
})
