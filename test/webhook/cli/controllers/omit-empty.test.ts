import assert from 'node:assert/strict'
import { test } from 'node:test'
import { omitEmpty } from '../../../../webhook/cli/controllers/omit-empty.ts'

test('omitEmpty leaves out the values that Go considers empty, and keeps numbers', () => {
  const empty = { a: undefined, b: null, c: '', d: false, e: [], f: {} }
  const filled = { g: 0, h: true, i: [''], j: { k: '' }, l: 'l' }
  assert.deepEqual(omitEmpty({ ...empty, ...filled }), filled)
})
