import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arithmeticOf } from '../../../../webhook/cli/hpa-controller/arithmetic.ts'
import { HpaController } from '../../../../webhook/cli/hpa-controller/controller.ts'
import type { MetricSpec } from '../../../../webhook/cli/hpa-controller/spec.ts'

const TENTH = { scaleUp: 0.1, scaleDown: 0.1 }
const HIGHEST = 2 ** 31 - 1
const LOWEST = -(2 ** 31)

for (const [minor, up] of [
  [32, false],
  [33, true],
  [undefined, true],
] as const) {
  test(`1.${minor}: a tenth less is ignored, a tenth more ${up ? 'too' : 'is not'}`, () => {
    const { isWithin } = arithmeticOf(minor)
    const ratios = [0.89, 0.9, 1, 1.09, 1.1, 1.11]
    const expected = [false, true, true, true, up, false]
    assert.deepEqual(
      ratios.map((ratio) => isWithin(ratio, TENTH)),
      expected,
    )
  })
}

for (const [minor, total, average, value] of [
  [32, -1, LOWEST, LOWEST],
  [33, -1, LOWEST, LOWEST],
  [34, 2 ** 63, HIGHEST, LOWEST],
  [35, 2 ** 63, HIGHEST, HIGHEST],
  [undefined, 2 ** 63, HIGHEST, HIGHEST],
] as const) {
  test(`1.${minor}: what becomes of a negative total, and of more than 32 bits`, () => {
    const { totalOf, byAverage, byValue } = arithmeticOf(minor)
    assert.deepEqual([totalOf(-1), byAverage(2 ** 31), byValue(2 ** 31)], [total, average, value])
    assert.deepEqual([totalOf(1), byAverage(7), byValue(7)], [1, 7, 7])
  })
}

const EXTERNAL: MetricSpec = {
  type: 'External',
  external: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '1' } },
}

for (const [minor, replicas] of [
  [33, 2],
  [34, 64],
] as const) {
  test(`an HPA of 1.${minor} on an External metric beyond 32 bits goes to ${replicas} nodes`, () => {
    const spec = { minReplicas: 2, maxReplicas: 64, metrics: [EXTERNAL] }
    const hpa = new HpaController(spec, { minor, downscaleStabilizationSeconds: 0 })
    const sizes = { replicas: 32, statusReplicas: 32, readyPods: undefined }
    const decide = (now: number) => hpa.decide({ now, ...sizes, metrics: [3e9] }).replicas
    // The size at the start counts in the window of the first sync.
    decide(0)
    assert.equal(decide(15_000), replicas)
  })
}
