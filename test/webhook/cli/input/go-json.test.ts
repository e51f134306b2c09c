import assert from 'node:assert/strict'
import { test } from 'node:test'
import { omitEmpty } from '../../../../webhook/cli/input/minicluster-source.ts'

test('omitEmpty leaves out what Go takes for empty, and keeps numbers', () => {
  const empty = { a: undefined, b: null, c: '', d: false, e: [], f: {} }
  const filled = { g: 0, h: true, i: [''], j: { k: '' }, l: 'l' }
  assert.deepEqual(omitEmpty({ ...empty, ...filled }), filled)
})
