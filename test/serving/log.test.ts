import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '#serving/log.ts'

function capture() {
  const lines: string[] = []
  return {
    lines,
    stream: {
      write: (line: string) => {
        lines.push(line)
      },
    },
  }
}

test('createLogger writes a JSON line with level, time and message', () => {
  const { lines, stream } = capture()
  createLogger('info', stream).child({ component: 'tls' }).info({ port: 1 }, 'serving')
  const { time, ...rest } = JSON.parse(lines[0] ?? '')
  assert.deepEqual(rest, { level: 'info', component: 'tls', port: 1, msg: 'serving' })
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('createLogger never writes an authorization header', () => {
  const { lines, stream } = capture()
  createLogger('info', stream).info({ headers: { authorization: 'Bearer secret' } }, 'asked')
  assert.doesNotMatch(lines[0] ?? '', /secret/)
})

test('createLogger writes errors with their cause', () => {
  const { lines, stream } = capture()
  const err = new Error('outer', { cause: new Error('inner') })
  createLogger('info', stream).error({ err }, 'failed')
  assert.match(lines[0] ?? '', /outer.*inner/)
})
