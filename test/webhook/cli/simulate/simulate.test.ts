import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SIMULATE } from '../../../../webhook/cli/simulate/simulate.ts'
import { createMemoryIo } from '../memory-io.ts'

test('simulate reads the queue of its help', async () => {
  const { io } = createMemoryIo()
  const [, example = ''] = /\n\n( {2}apiVersion:[\s\S]*?)\nExit codes/.exec(SIMULATE.help(io)) ?? []
  assert.match(example, /kind: Queue/)
  const input = createMemoryIo({ input: example })
  assert.equal(await SIMULATE.run([], input.io), 0)
  assert.equal(input.written.err, '')
  assert.match(input.written.out, /recommended +21 +0 +0 /)
})

test('simulate refuses wrong usage', async () => {
  const { io, written } = createMemoryIo()
  assert.equal(await SIMULATE.run(['--drains'], io), 2)
  const lines = [
    "flux-metrics simulate: Unknown option '--drains'",
    'See flux-metrics simulate --help',
    '',
  ]
  assert.deepEqual(written, { out: '', err: lines.join('\n') })
})

test('simulate reports a picture that cannot be written', async () => {
  const queue = `apiVersion: flux-metrics/v1alpha1
kind: Queue
spec: { nodes: { max: 2 }, jobs: [{ nodes: 1, duration: 1s }] }
`
  const { io, written } = createMemoryIo({ input: queue })
  assert.equal(await SIMULATE.run(['--svg', 'missing/queue.svg'], io), 2)
  assert.equal(written.err, 'Cannot write missing/queue.svg: no such file or directory\n')
})
