import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocuments } from '../../../../webhook/cli/input/documents.ts'
import { HpaController } from '../../../../webhook/cli/simulate/hpa-controller/controller.ts'
import { isHpa, readHpa } from '../../../../webhook/cli/simulate/hpa-source.ts'

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
      'hpa.yaml:14:13: spec.metrics[1].type: expected "Object" or "External", got "Resource"',
  },
  {
    what: 'a target of utilization',
    from: 'type: Value',
    to: 'type: Utilization',
    problem:
      'hpa.yaml:17:25: spec.metrics[1].external.target.type: expected "Value" or "AverageValue", got "Utilization"',
  },
] as const

for (const { what, from, to, problem } of WRONG) {
  test(`readHpa names the place of ${what}`, () => {
    assert.deepEqual(read(GOOD.replace(from, to)).problems, [problem])
  })
}
