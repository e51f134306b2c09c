// README says what the code says: the table of metrics, the help, the commands.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import packageJson from '../package.json' with { type: 'json' }
import { VARIABLES } from '../sidecar/config.ts'
import { SKIP_REASONS } from '../webhook/admission/skip.ts'
import { VARIABLES as WEBHOOK_VARIABLES } from '../webhook/config.ts'
import { ANNOTATION_NAMES } from '../webhook/injection/annotation-rules.ts'
import { catalogTable } from './support/catalog-table.ts'

const README = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')

test('README has the table of metrics that the catalog makes', () => {
  const [, table] = /<!-- metrics[^>]*-->\n([\s\S]*?)\n<!-- \/metrics -->/.exec(README) ?? []
  assert.equal(table, catalogTable())
})

test('README has every variable of --help, with its default and meaning', () => {
  for (const { name, fallback, meaning } of [...VARIABLES, ...WEBHOOK_VARIABLES]) {
    assert.ok(README.includes(`| \`${name}\` | ${fallback} | ${meaning} |`), name)
  }
})

test('README has every annotation and every reason to leave a pod as it is', () => {
  const missing = [
    ...ANNOTATION_NAMES.filter((name) => !README.includes(`\`flux-metrics/${name}\``)),
    ...SKIP_REASONS.filter((reason) => !README.includes(`\`${reason}\``)),
  ]
  assert.deepEqual(missing, [])
})

test('README names every dependency, and why', () => {
  const reasons = README.split('| dependency | why |')[1] ?? ''
  const names = Object.keys({ ...packageJson.dependencies, ...packageJson.devDependencies })
  const missing = names.filter((name) => !reasons.includes(name) && !name.startsWith('@types/'))
  assert.deepEqual(missing, [])
})

test('README names only npm scripts that exist', () => {
  const scripts = new Set<string>(Object.keys(packageJson.scripts))
  const named = [...README.matchAll(/npm (?:run (\S+?)|(start|test))\b/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  )
  assert.deepEqual(
    named.filter((name) => !scripts.has(name)),
    [],
  )
})
