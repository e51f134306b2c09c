// docs/reference/ERRORS.md explains the errors of the sidecar: its tables have their texts as the code has them, and leave out no reason for
// which a number is not known.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/imports.ts'
import { readPage } from './pages.ts'

const [, TABLES = ''] =
  /<!-- sidecar[^>]*-->\n([\s\S]*?)\n<!-- \/sidecar -->/.exec(
    readPage('docs/reference/ERRORS.md'),
  ) ?? []

/** The texts of the first column. */
const TEXTS = [...TABLES.matchAll(/^\| (`.+?`) \| /gm)].flatMap(([, cell = '']) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
)

/** The constant texts of the sidecar, sentences over several lines in one, with `…` for what is put into them. */
const CODE = globSync('sidecar/**/*.ts', { cwd: ROOT })
  .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  .join('\n')
  .replaceAll(/['`]\s*\+\s*['`]/g, '')
  .replaceAll(/\$\{[^}]*\}/g, '…')

function partsOf(text: string): readonly string[] {
  return text.split('…').filter((part) => part.trim().length > 2)
}

test('each text of the tables is one of the code', () => {
  assert.ok(TEXTS.length > 30, `only ${TEXTS.length} texts`)
  const strange = TEXTS.filter((text) =>
    partsOf(text).some((part) => !CODE.includes(part.trim().replace(/^: /, ''))),
  )
  assert.deepEqual(strange, [])
})

test('each reason for which a number is not known is in the tables', () => {
  const reasons = [...CODE.matchAll(/\bunknown\(\s*(['`])(.+?)\1/g)].map(([, , text = '']) => text)
  assert.ok(reasons.length > 20, `only ${reasons.length} reasons`)
  const missing = reasons.filter(
    (reason) => !TEXTS.some((text) => partsOf(text).every((part) => reason.includes(part.trim()))),
  )
  assert.deepEqual(missing, [])
})
