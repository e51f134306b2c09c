import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, parseDuration } from '../../../../webhook/cli/simulate/duration.ts'

test('parseDuration reads seconds, minutes, hours, and numbers of seconds', () => {
  assert.deepEqual(
    ['90s', '5m', '2h', '1.5h', 30, 0].map(parseDuration),
    [90, 300, 7_200, 5_400, 30, 0],
  )
})

test('parseDuration refuses other values', () => {
  for (const value of ['', '5', '5 m', '5d', '-5m', '1h30m', -1, Number.NaN, null, undefined, {}]) {
    assert.equal(parseDuration(value), undefined, String(value))
  }
})

test('formatDuration chooses the unit by the length', () => {
  const cases = { 0: '0 s', 119: '119 s', 120: '2 min', 7199: '2 h', 7500: '2 h 5 min' }
  for (const [seconds, text] of Object.entries(cases)) {
    assert.equal(formatDuration(Number(seconds)), text)
  }
})
