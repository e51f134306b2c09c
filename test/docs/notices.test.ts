// docs/reference/NOTICES.md has every code of what an explanation says, with its kind and its texts as the code has them, and no other.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { NOTICE_CODES, NOTICE_KINDS } from '#explaining/notice.ts'
import { ROOT } from '../support/imports.ts'
import { readPage } from './pages.ts'

const PAGE = readPage('docs/reference/NOTICES.md')

const ROWS = NOTICE_KINDS.flatMap((kind) => {
  const [, table = ''] =
    new RegExp(`<!-- ${kind}:[^>]*-->\\n([\\s\\S]*?)\\n<!-- /${kind} -->`).exec(PAGE) ?? []
  return [...table.matchAll(/^\| `([a-z-]+)` \| (.+?) \| (.+?) \|$/gm)].map(
    ([, code = '', says = '']) => ({
      kind,
      code,
      texts: [...says.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text),
    }),
  )
})

/** The constant texts of rooms, sentences over several lines in one, with `…` for what is put into them. */
function codeOf(...rooms: readonly string[]): string {
  return rooms
    .flatMap((room) => globSync(`${room}/**/*.ts`, { cwd: ROOT }))
    .filter((file) => !file.endsWith('explaining/notice.ts'))
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n')
    .replaceAll(/['`]\s*\+\s*['`]/g, '')
    .replaceAll(/\$\{[^}]*\}/g, '…')
}

test('every code is in NOTICES.md under its kind, and no other', () => {
  assert.deepEqual(
    ROWS.map(({ code, kind }) => [code, kind]).sort(),
    Object.entries(NOTICE_CODES).sort(),
  )
})

test('every code is given by the sidecar or the gateway', () => {
  const given = codeOf('sidecar/explaining', 'webhook/gateway')
  const unused = Object.keys(NOTICE_CODES).filter((code) => !given.includes(`'${code}'`))
  assert.deepEqual(unused, [])
})

test('each text of NOTICES.md is one of the code', () => {
  const texts = ROWS.flatMap((row) => row.texts)
  assert.ok(texts.length > 50, `only ${texts.length} texts`)
  const code = codeOf('sidecar/explaining', 'sidecar/scaling', 'webhook/gateway')
  const strange = texts.filter((text) =>
    text.split('…').some((part) => part.trim().length > 2 && !code.includes(part.trim())),
  )
  assert.deepEqual(strange, [])
})
