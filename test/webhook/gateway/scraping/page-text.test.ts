import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Page, readPage } from '../../../../webhook/gateway/scraping/page.ts'
import { textsOf } from '../../../../webhook/gateway/scraping/page-text.ts'

function textOf(pages: readonly Page[]): string {
  return [...textsOf(pages)].join('')
}

function pageOf(minicluster: string, text: string) {
  const page = readPage(text, { namespace: 'team', minicluster })
  assert.ok(page !== undefined)
  return page
}

function owned(minicluster: string): string {
  return `{namespace="team",minicluster="${minicluster}"}`
}

test('no pages are no text', () => {
  assert.equal(textOf([]), '')
})

test('each family is there once, with the samples of all pages', () => {
  const first =
    '# TYPE flux_b gauge\nflux_b 1\n# HELP flux_a_total A\n# TYPE flux_a_total counter\nflux_a_total 2\n'
  const second = '# HELP flux_b B\n# TYPE flux_b gauge\nflux_b 3\n# TYPE mine gauge\nmine 4\n'
  const expected = [
    '# HELP flux_a_total A',
    '# TYPE flux_a_total counter',
    `flux_a_total${owned('one')} 2`,
    '# TYPE flux_b gauge',
    `flux_b${owned('one')} 1`,
    `flux_b${owned('two')} 3`,
    '# TYPE mine gauge',
    `mine${owned('two')} 4`,
    '',
  ]
  assert.equal(textOf([pageOf('one', first), pageOf('two', second)]), expected.join('\n'))
})

test('the help is the one that most sidecars have', () => {
  const helps = ['hostile', 'usual', 'usual']
  const pages = helps.map((help, index) =>
    pageOf(`m${index}`, `# HELP flux_a ${help}\n# TYPE flux_a gauge\nflux_a 1\n`),
  )
  assert.match(textOf(pages), /^# HELP flux_a usual$/m)
})
