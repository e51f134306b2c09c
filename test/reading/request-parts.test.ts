// Requests with fewer parts, which ask for the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestPart } from '#flux/calls/jobspec.ts'
import { simplifyRequest } from '#reading/request-parts.ts'
import { isUnknown } from '#reading/unknown.ts'

const SLOT: RequestPart = { nodes: undefined, slots: 1, cores: 1, gpus: 0, exclusive: false }
const NODE: RequestPart = { nodes: 1, slots: 1, cores: 1, gpus: 0, exclusive: false }
const WHOLE: RequestPart = { nodes: 1, slots: 1, cores: 0, gpus: 0, exclusive: true }

function simplified(...parts: readonly RequestPart[]) {
  return simplifyRequest({ ways: [parts], constraint: undefined })
}

const CASES: readonly {
  readonly what: string
  readonly parts: readonly RequestPart[]
  readonly left: readonly RequestPart[]
}[] = [
  { what: 'a part without slots goes', parts: [{ ...SLOT, slots: 0 }, SLOT], left: [SLOT] },
  { what: 'a part without nodes goes', parts: [{ ...NODE, nodes: 0, slots: 0 }], left: [] },
  {
    what: 'slots that are alike add up',
    parts: [SLOT, NODE, SLOT],
    left: [{ ...SLOT, slots: 2 }, NODE],
  },
  {
    what: 'slots that differ stay apart',
    parts: [SLOT, { ...SLOT, gpus: 1 }],
    left: [SLOT, { ...SLOT, gpus: 1 }],
  },
  { what: 'whole nodes add up', parts: [WHOLE, WHOLE], left: [{ ...WHOLE, nodes: 2, slots: 2 }] },
  { what: 'nodes that may be the same stay apart', parts: [NODE, NODE], left: [NODE, NODE] },
]

for (const { what, parts, left } of CASES) {
  test(`simplifyRequest: ${what}`, () => {
    assert.deepEqual(simplified(...parts), { ways: [left], constraint: undefined })
  })
}

test('simplifyRequest does not know a job of very many kinds of parts, but one of many parts that are alike', () => {
  const kinds = Array.from({ length: 17 }, (_, kind) => ({ ...SLOT, cores: 1 + kind }))
  assert.ok(isUnknown(simplified(...kinds)))
  assert.ok(!isUnknown(simplified(...kinds.slice(1))))
  assert.ok(!isUnknown(simplified(...Array.from({ length: 256 }, () => SLOT))))
})
