import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocuments } from '../../../../../webhook/cli/input/files/documents.ts'
import { isQueue, readQueue } from '../../../../../webhook/cli/simulate/input/queue-source.ts'

const HEAD = 'apiVersion: flux-metrics/v1alpha1\nkind: Queue\nspec:\n'

function read(spec: string) {
  const [document] = readDocuments(`${HEAD}${spec}`, 'queue.yaml').found
  assert.ok(document !== undefined && isQueue(document))
  return readQueue(document)
}

test('readQueue orders jobs by time, and repeats them', () => {
  const { found, problems } = read(`  nodes: { start: 2, max: 4, cores: 16 }
  until: 1h
  jobs:
    - { at: 1m, every: 30s, count: 3, cores: 4, duration: 90s }
    - { nodes: 2, duration: 5m, urgency: 31 }
`)
  assert.deepEqual(problems, [])
  const [queue] = found
  assert.deepEqual(queue?.nodes, { start: 2, max: 4, cores: 16, gpus: 0 })
  assert.equal(queue?.until, 3_600)
  const small = { cores: 4, duration: 90 }
  assert.deepEqual(queue?.arrivals, [
    { atMs: 0, job: { nodes: 2, duration: 300, urgency: 31 } },
    { atMs: 60_000, job: small },
    { atMs: 90_000, job: small },
    { atMs: 120_000, job: small },
  ])
})

test('readQueue reads the ranks of queues', () => {
  const { found } = read(`  nodes: { max: 6 }
  queues: { batch: 0-3, debug: "4,5" }
  jobs: [{ nodes: 1, duration: 60, queue: debug }]
`)
  assert.deepEqual(found[0]?.queues, { batch: [0, 1, 2, 3], debug: [4, 5] })
})

const JOBS = '  jobs: [{ nodes: 1, duration: 60 }]\n'

const WRONG = {
  'a misspelled key': {
    spec: `  nodes: { max: 4, core: 8 }\n${JOBS}`,
    problem: 'queue.yaml:4:26: spec.nodes.core: unknown field',
  },
  'a malformed duration': {
    spec: '  nodes: { max: 4 }\n  jobs: [{ nodes: 1, duration: long }]\n',
    problem:
      'queue.yaml:5:32: spec.jobs[0].duration: expected a time like 90s, 10m or 1.5h, got "long"',
  },
  'more nodes at the start than the maximum': {
    spec: `  nodes: { start: 5, max: 4 }\n${JOBS}`,
    problem: 'queue.yaml:4:19: spec.nodes.start: expected at most spec.nodes.max, 4',
  },
  'more nodes at the start than can be had': {
    spec: `  nodes: { start: 3, max: 4, available: 2 }\n${JOBS}`,
    problem: 'queue.yaml:4:19: spec.nodes.start: expected at most spec.nodes.available, 2',
  },
  'malformed ranks': {
    spec: `  nodes: { max: 4 }\n  queues: { batch: all }\n${JOBS}`,
    problem: /^queue\.yaml:5:20: spec\.queues\.batch: expected an idset such as 0-3,5, got/,
  },
  'ranks in a list': {
    spec: `  nodes: { max: 4 }\n  queues: { batch: [0, 1] }\n${JOBS}`,
    problem: /^queue\.yaml:5:20: spec\.queues\.batch: expected an idset such as 0-3,5, got a list/,
  },
  'more ranks than could be listed': {
    spec: `  nodes: { max: 4 }\n  queues: { batch: 0-3000000000 }\n${JOBS}`,
    problem: /^queue\.yaml:5:20: spec\.queues\.batch: expected ranks below 10000, got/,
  },
  'a rank with more bits than one has': {
    spec: `  nodes: { max: 4 }\n  queues: { batch: "4294967295" }\n${JOBS}`,
    problem: /^queue\.yaml:5:20: spec\.queues\.batch: expected ranks below 10000, got/,
  },
  'ranks above the maximum': {
    spec: '  nodes: { max: 4 }\n  queues: { batch: 0-4 }\n  jobs: [{ duration: 1, queue: batch }]\n',
    problem:
      'queue.yaml:5:20: spec.queues.batch: expected ranks below spec.nodes.max, 4, got rank 4',
  },
  'an unknown queue': {
    spec: '  nodes: { max: 4 }\n  queues: { batch: 0-3 }\n  jobs: [{ duration: 1, queue: bach }]\n',
    problem: 'queue.yaml:6:10: spec.jobs[0].queue: expected batch, as in spec.queues, got "bach"',
  },
  'too many jobs': {
    spec: '  nodes: { max: 4 }\n  jobs: [{ duration: 1, count: 75000 }, { duration: 1, count: 75000 }]\n',
    problem: 'queue.yaml:5:9: spec.jobs: expected at most 100000 jobs',
  },
} as const

for (const [what, { spec, problem }] of Object.entries(WRONG)) {
  test(`readQueue names the place of ${what}`, () => {
    const { problems } = read(spec)
    assert.equal(problems.length, 1)
    if (typeof problem === 'string') assert.equal(problems[0], problem)
    else assert.match(problems[0] ?? '', problem)
  })
}
