// The workflows of .github/: what they run is pinned, and they may do no more than they need.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import packageJson from '../package.json' with { type: 'json' }
import { ROOT } from './support/imports.ts'

const WORKFLOWS = globSync('.github/workflows/*.yaml', { cwd: ROOT }).sort()

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

test('there are workflows for tests, for a cluster and for releases', () => {
  const names = WORKFLOWS.map((path) => path.replace(/^.*\//, ''))
  assert.deepEqual(names, ['e2e.yaml', 'release.yaml', 'test.yaml'])
})

for (const path of WORKFLOWS) {
  test(`${path} pins every action by its commit, and says which version that is`, () => {
    const uses = [...read(path).matchAll(/uses: (\S+)(.*)/g)]
    assert.ok(uses.length > 0)
    for (const [, action = '', comment = ''] of uses) {
      if (action.startsWith('./')) continue
      assert.match(`${action}${comment}`, /^[\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
    }
  })

  test(`${path} may only read, but for the jobs that say what they write`, () => {
    assert.deepEqual(parse(read(path)).permissions, { contents: 'read' })
  })

  test(`${path} keeps no token in the checkout`, () => {
    const checkouts = read(path).match(/actions\/checkout@/g) ?? []
    const without = read(path).match(/persist-credentials: false/g) ?? []
    assert.equal(without.length, checkouts.length)
  })
}

test('an action has the same commit everywhere', () => {
  const all = WORKFLOWS.flatMap((path) => read(path).match(/[\w.-]+\/[\w.-]+@[0-9a-f]{40}/g) ?? [])
  const actions = new Set(all.map((one) => one.replace(/@.*/, '')))
  assert.equal(new Set(all).size, actions.size)
})

test('every npm script and file that a workflow names is there', () => {
  const text = WORKFLOWS.map(read).join('\n')
  const scripts = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = '']) => name)
  assert.deepEqual(
    scripts.filter((name) => !(name in packageJson.scripts)),
    [],
  )
  const named = [...text.matchAll(/(?:-f |--config )([\w./]+)/g)].map(([, file = '']) => file)
  for (const file of named) assert.ok(read(file).length > 0, file)
})

test('the release pins the bases that the Dockerfiles name', () => {
  const bases = ['Dockerfile.webhook', 'Dockerfile.sidecar'].flatMap((file) =>
    [...read(file).matchAll(/^FROM (?:--platform=\S+ )?(\S+)/gm)].map(([, base = '']) => base),
  )
  const pinned = [...read('.github/workflows/release.yaml').matchAll(/^ +(\S+)=docker-image:/gm)]
  assert.deepEqual(pinned.map(([, name]) => name).sort(), [...new Set(bases)].sort())
})

interface CustomManager {
  readonly managerFilePatterns: readonly string[]
  readonly matchStrings: readonly string[]
}

test('every pattern by which renovate looks for versions finds one', () => {
  const managers: readonly CustomManager[] = JSON.parse(
    read('.github/renovate.json'),
  ).customManagers
  for (const { managerFilePatterns, matchStrings } of managers) {
    const files = managerFilePatterns.map((pattern) => {
      return read(pattern.slice(2, -2).replaceAll('\\', ''))
    })
    for (const pattern of matchStrings) {
      assert.match(files.join('\n'), new RegExp(pattern), pattern)
    }
  }
})
