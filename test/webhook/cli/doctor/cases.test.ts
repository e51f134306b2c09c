// One thing broken in a cluster is one finding, and every code has a case.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CODES } from '../../../../webhook/cli/doctor/finding.ts'
import { CASES } from './cases.ts'
import { healthyObjects, reportOf } from './cluster.ts'

for (const { codes, what, act } of CASES) {
  test(`doctor says ${codes[0]} if ${what}, and nothing else`, async () => {
    const objects = healthyObjects()
    act(objects)
    const { findings } = await reportOf(objects)
    assert.deepEqual(
      findings.map(({ code }) => code),
      codes,
      JSON.stringify(findings, undefined, 1),
    )
    for (const { subject, message, fix } of findings) {
      assert.ok(
        [subject, message, fix].every(
          (text) => text.length > 3 && !/undefined|null|NaN/.test(text),
        ),
      )
      // A pod or a MiniCluster that is created again: whoever does it must know the price.
      if (/\bpod again|MiniCluster again|delete (?:the|its) pod/.test(fix)) {
        assert.match(fix, /which ends (?:its|the) jobs/)
      }
    }
  })
}

test('every code has a case', () => {
  const seen = new Set<string>(CASES.flatMap(({ codes }) => codes))
  assert.deepEqual(
    Object.keys(CODES).filter((code) => !seen.has(code)),
    [],
  )
})
