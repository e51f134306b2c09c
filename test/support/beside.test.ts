import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBeside } from './beside.ts'

test('runBeside tells what a command has printed, and whether it passed', async () => {
  const program = `console.log('out'); console.error('err'); process.exitCode = Number(process.argv[1])`
  const run = (code: string) => runBeside(process.execPath, ['-e', program, code])
  assert.deepEqual(await run('0'), { passed: true, output: 'out\nerr\n' })
  assert.deepEqual(await run('3'), { passed: false, output: 'out\nerr\n' })
})

test('runBeside: a command that is not there has not passed, and says so', async () => {
  const { passed, output } = await runBeside('/no/such/command', [])
  assert.equal(passed, false)
  assert.match(output, /\/no\/such\/command/)
})
