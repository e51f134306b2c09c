import assert from 'node:assert/strict'
import { test } from 'node:test'
import { introduce } from './screen.ts'

const CLUSTER = {
  uri: 'local:///tmp/local',
  maxSize: 16,
  size: 2,
  killed: 0,
  resize: () => {},
  close: async () => {},
}

test('the first screen names the port and the times that are shorter', () => {
  const text = introduce(9443, CLUSTER).join('\n')
  assert.match(text, /sidecar {4}https:\/\/localhost:9443 \(the real one\)/)
  assert.match(text, /a sync every 3 s \(else 15 s\)/)
  assert.match(text, /idle after 4 s \(60 s: IDLE_GRACE_SECONDS\)/)
})

test('the first screen fits into a terminal, except for the path of the metric', () => {
  const long = introduce(8443, CLUSTER).filter((line) => line.length > 90)
  assert.equal(long.length, 1)
  assert.match(long[0] ?? '', /curl -k https:.*\/node_desired_count$/)
})
