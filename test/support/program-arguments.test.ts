import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

function run(program: string, ...args: readonly string[]) {
  const file = join(import.meta.dirname, '..', program, 'main.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args])
  return { status, out: String(stdout), err: String(stderr) }
}

for (const program of ['bench', 'soak']) {
  test(`npm run ${program} -- --help prints its usage and measures nothing`, () => {
    const { status, out, err } = run(program, '--help')
    assert.deepEqual([status, err], [0, ''])
    assert.match(out, new RegExp(`^Usage: npm run ${program} -- .*--short`))
  })

  test(`npm run ${program} refuses wrong arguments, and says which are right`, () => {
    const option = run(program, '--shrt')
    assert.equal(option.status, 2)
    assert.match(option.err, /^Unknown option '--shrt'\n\nUsage: /)
    const name = run(program, 'nonsense')
    assert.equal(name.status, 2)
    assert.match(name.err, /^expected one of "\w+".*, got "nonsense"\n\nUsage: /)
  })
}

test('npm run bench refuses a hostile queue that there is not', () => {
  const { status, err } = run('bench', 'hostile', '--queue', 'nonsense')
  assert.equal(status, 2)
  assert.match(err, /^--queue: expected a part of the name of a hostile queue, got "nonsense"\n/)
})
