import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSince, parseServerVersion } from '../../../webhook/kubernetes/server-version.ts'

for (const [text, major, minor] of [
  ['1.35', 1, 35],
  ['v1.28.3', 1, 28],
  ['1.29+', 1, 29],
  ['v1.33.1-gke.100', 1, 33],
] as const) {
  test(`parseServerVersion reads ${text}`, () => {
    assert.deepEqual(parseServerVersion(text), { major, minor })
  })
}

for (const text of ['', '1', 'new', '1.x', '1.35 ', '12345.1']) {
  test(`parseServerVersion takes "${text}" for none`, () => {
    assert.equal(parseServerVersion(text), undefined)
  })
}

test('isSince compares numbers, the major first', () => {
  const since = { major: 1, minor: 35 }
  const versions = ['1.9', '1.34', '1.35', '1.100', '2.0', '0.99'].filter((text) => {
    const version = parseServerVersion(text)
    return version !== undefined && isSince(version, since)
  })
  assert.deepEqual(versions, ['1.35', '1.100', '2.0'])
})
