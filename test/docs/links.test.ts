// Every relative link of the documentation leads to a file that is there, and to a heading in it.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/imports.ts'
import { anchorsOf, PAGES, readPage, relativeLinks } from './pages.ts'

/** Why the target of a link is wrong; `undefined` if it is right. */
function problemOf(page: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : normalize(join(dirname(page), path))
  if (!existsSync(join(ROOT, file))) return `${target}: no file ${file}`
  if (anchor === undefined) return undefined
  return anchorsOf(readPage(file)).has(anchor) ? undefined : `${target}: no heading`
}

test('there are pages, and they have links', () => {
  assert.ok(PAGES.length > 25)
  assert.ok(relativeLinks(readPage('README.md')).length > 20)
})

for (const page of PAGES) {
  test(`every link of ${page} leads somewhere`, () => {
    const problems = relativeLinks(readPage(page)).flatMap(
      (target) => problemOf(page, target) ?? [],
    )
    assert.deepEqual(problems, [])
  })
}

test('every page of docs/ is in its table of contents', () => {
  const listed = new Set(
    relativeLinks(readPage('docs/README.md')).map((target) =>
      normalize(join('docs', target.split('#')[0] ?? '')),
    ),
  )
  const pages = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
  assert.deepEqual(
    pages.filter((page) => !listed.has(page)),
    [],
  )
})

test('a heading with code and a link has the anchor that GitHub gives it', () => {
  const text = '# From `a/b` to [the gateway](x.md): why?\n'
  assert.deepEqual([...anchorsOf(text)], ['from-ab-to-the-gateway-why'])
})
