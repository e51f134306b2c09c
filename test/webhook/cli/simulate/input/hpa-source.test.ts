import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HpaController } from '../../../../../webhook/cli/hpa-controller/controller.ts'
import { readDocuments } from '../../../../../webhook/cli/input/files/documents.ts'
import { isHpa, readHpa } from '../../../../../webhook/cli/simulate/input/hpa-source.ts'

const GOOD = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: flux-sample }
spec:
  scaleTargetRef: { apiVersion: flux-framework.org/v1alpha2, kind: MiniCluster, name: flux-sample }
  minReplicas: 1
  maxReplicas: 8
  metrics:
    - type: Object
      object:
        describedObject: { kind: MiniCluster, name: flux-sample }
        metric: { name: node_desired_count, selector: { matchLabels: { queue: debug } } }
        target: { type: AverageValue, averageValue: "1" }
    - type: External
      external:
        metric: { name: node_demand_count }
        target: { type: Value, value: 500m }
  behavior:
    scaleDown: { tolerance: 0, policies: [{ type: Percent, value: 50, periodSeconds: 60 }] }
`

function read(text: string) {
  const [document] = readDocuments(text, 'hpa.yaml').found
  assert.ok(document !== undefined && isHpa(document))
  return readHpa(document)
}

test('readHpa reads an HPA for our controller', () => {
  const { found, problems } = read(GOOD)
  assert.deepEqual(problems, [])
  const [hpa] = found
  assert.equal(hpa?.name, 'flux-sample')
  assert.ok(hpa !== undefined)
  const observation = { now: 0, replicas: 2, statusReplicas: 2, readyPods: 2, metrics: [5, 0.5] }
  assert.equal(new HpaController(hpa.spec).decide(observation).replicas, 5)
})

const WRONG = [
  {
    what: 'another version',
    from: 'autoscaling/v2',
    to: 'autoscaling/v2beta2',
    problem: 'hpa.yaml:1:13: expected autoscaling/v2, got autoscaling/v2beta2',
  },
  {
    what: 'no maxReplicas',
    from: '  maxReplicas: 8\n',
    to: '',
    problem: 'hpa.yaml:5:3: spec.maxReplicas: expected a value, got none',
  },
  {
    what: 'a metric of pods',
    from: 'type: External',
    to: 'type: Resource',
    problem:
      'hpa.yaml:14:13: spec.metrics[1].type: expected Object or External, got Resource: the usage of pods is not simulated',
  },
  {
    what: 'an unknown type of metric',
    from: 'type: External',
    to: 'type: external',
    problem:
      'hpa.yaml:14:13: spec.metrics[1].type: expected "Object" or "External", got "external"',
  },
  {
    what: 'a target of 0',
    from: '500m',
    to: '0',
    problem:
      'hpa.yaml:17:39: spec.metrics[1].external.target.value: expected a quantity above 0 such as 4, 1.5 or 500m, got 0',
  },
  {
    what: 'a target that is no quantity',
    from: '500m',
    to: 'many',
    problem:
      'hpa.yaml:17:39: spec.metrics[1].external.target.value: expected a quantity above 0 such as 4, 1.5 or 500m, got "many"',
  },
  {
    what: 'a negative tolerance',
    from: 'tolerance: 0',
    to: 'tolerance: -100m',
    problem:
      'hpa.yaml:19:29: spec.behavior.scaleDown.tolerance: expected a quantity of at least 0 such as 0.1 or 50m, got "-100m"',
  },
  {
    what: 'an empty list of policies',
    from: '[{ type: Percent, value: 50, periodSeconds: 60 }]',
    to: '[]',
    problem:
      'hpa.yaml:19:42: spec.behavior.scaleDown.policies: expected at least one item, got none',
  },
  {
    what: 'a misspelled field',
    from: 'scaleDown:',
    to: 'scaledown:',
    problem: 'hpa.yaml:19:16: spec.behavior.scaledown: unknown field',
  },
] as const

for (const { what, from, to, problem } of WRONG) {
  test(`readHpa names the place of ${what}`, () => {
    assert.deepEqual(read(GOOD.replace(from, to)).problems, [problem])
  })
}

test('readHpa takes null for a field that is not there, as the API server does', () => {
  const nulls = GOOD.replace('behavior:', 'behavior:\n    scaleUp:').replace(
    'selector: { matchLabels: { queue: debug } }',
    'selector: null',
  )
  assert.deepEqual(read(nulls).problems, [])
})

test('readHpa names an HPA whose name the API server would make', () => {
  const { found } = read(
    GOOD.replace('metadata: { name: flux-sample }', 'metadata: { generateName: a- }'),
  )
  assert.equal(found[0]?.name, 'a-*')
  assert.deepEqual(read(GOOD.replace('metadata: { name: flux-sample }', 'metadata: {}')).problems, [
    'hpa.yaml:3:11: metadata.name: expected a value, got none',
  ])
})

test('readHpa refuses an HPA without metrics, which follows the CPU', () => {
  const { problems } = read(GOOD.replace(/ {2}metrics:[\s\S]*(?= {2}behavior)/, ''))
  assert.deepEqual(problems, [
    'hpa.yaml:5:3: spec.metrics: expected Object or External, got none, which follows the CPU: the usage of pods is not simulated',
  ])
})
