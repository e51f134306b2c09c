// The reference in docs/ says what the code says: its tables are made from the code, or name all that the code has.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SKIP_REASONS } from '../../webhook/admission/skip.ts'
import { ANNOTATION_NAMES } from '../../webhook/objects/annotation-rules.ts'
import { ROOT } from '../support/imports.ts'
import { MADE_TABLES, madeTableIn } from '../support/made-tables.ts'

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The code of the programs, without the command line. */
function sources(): string {
  return globSync('{sidecar,webhook}/**/*.ts', { cwd: ROOT })
    .filter((path) => !path.startsWith('webhook/cli/') && !path.startsWith('sidecar/simulation/'))
    .map(read)
    .join('\n')
}

for (const { page, name, make } of MADE_TABLES) {
  test(`${page} has the table "${name}" as node test/support/made-tables.ts makes it`, () => {
    assert.equal(madeTableIn(read(page), name), make())
  })
}

test('every annotation is in ANNOTATIONS.md, and no other', () => {
  const [, settings = ''] =
    /\| annotation \| value \| default \|\n([\s\S]*?)\n\n/.exec(
      read('docs/reference/ANNOTATIONS.md'),
    ) ?? []
  const named = [...settings.matchAll(/`flux-metrics\/([a-z-]+)`/g)].map(([, name]) => name)
  assert.deepEqual(new Set(named), new Set(ANNOTATION_NAMES))
})

test('every reason to leave a pod as it is is in EVENTS.md', () => {
  const page = read('docs/reference/EVENTS.md')
  assert.deepEqual(
    SKIP_REASONS.filter((reason) => !page.includes(`\`${reason}\``)),
    [],
  )
})

test('every Event is in EVENTS.md, and no other', () => {
  const [, table = ''] =
    /<!-- events[^>]*-->\n([\s\S]*?)\n<!-- \/events -->/.exec(read('docs/reference/EVENTS.md')) ??
    []
  const named = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  const written = [...sources().matchAll(/'(Metrics[A-Z]\w*)'/g)].map(([, name]) => name)
  assert.ok(named.length > 5)
  assert.deepEqual(new Set(named), new Set(written))
})

test('every gauge and counter is in MONITORING.md, and no other', () => {
  const page = read('docs/how-to/MONITORING.md')
  const written = [...sources().matchAll(/['`](flux_[a-z_]+[a-z])['`]/g)].map(([, name]) => name)
  const named = [...page.matchAll(/\b(flux_[a-z_]+[a-z])\b/g)].map(([, name]) => name)
  assert.ok(new Set(written).size > 30)
  assert.deepEqual(new Set(named), new Set(written))
})
