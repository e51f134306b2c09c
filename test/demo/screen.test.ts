import assert from 'node:assert/strict'
import { test } from 'node:test'
import { introduce, reason } from './screen.ts'

const CLUSTER = {
  uri: 'local:///tmp/local',
  maxSize: 16,
  size: 2,
  killed: 0,
  resize: () => {},
  close: async () => {},
}

/** As long as they are. */
const PAGE = `http://127.0.0.1:41234/${'x'.repeat(32)}/`

test('the first screen names the port and the times that are shorter', () => {
  const text = introduce({ port: 9443, page: PAGE, cluster: CLUSTER }).join('\n')
  assert.match(text, /sidecar {4}https:\/\/localhost:9443 \(the real one\)/)
  assert.match(text, /page {7}http:\/\/127\.0\.0\.1:41234\/x+\/ \(open it\)/)
  assert.match(text, /a sync every\n +3 s \(else 15 s\)/)
  assert.match(text, /idle after\n +4 s \(60 s: IDLE_GRACE_SECONDS\)/)
})

test('the first screen fits into a terminal of 80 columns, except for the path of the metric', () => {
  const long = introduce({ port: 8443, page: PAGE, cluster: CLUSTER }).filter(
    (line) => line.length > 80,
  )
  assert.equal(long.length, 1)
  assert.match(long[0] ?? '', /curl -k https:.*\/node_desired_count$/)
})

test('a reason is broken to fit into a terminal, and is one line without one', () => {
  const why = 'desired 4: 1 pending job needs 4 nodes'
  assert.deepEqual(reason(why, 30), ['         desired 4: 1 pending', '         job needs 4 nodes'])
  assert.deepEqual(reason(why), [`         ${why}`])
})
