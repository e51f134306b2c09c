import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Page, PageLines, readPage } from '../../../../webhook/gateway/scraping/page.ts'
import { textsOf } from '../../../../webhook/gateway/scraping/page-text.ts'
import { STALE, serveApp } from '../../../support/app.ts'
import { runs } from '../../../support/runs.ts'
import { readExposition } from './exposition.ts'

function textOf(pages: readonly Page[]): string {
  return [...textsOf(pages)].join('')
}

const NAME = { namespace: 'team', minicluster: 'flux' }
const OWNER = 'namespace="team",minicluster="flux"'

function pageOf(...lines: readonly string[]): Page {
  const page = readPage(lines.map((line) => `${line}\n`).join(''), NAME)
  assert.ok(page !== undefined, 'the page was refused')
  return page
}

/** The samples that are left of a page, and how many of its lines were dropped. */
function left(...lines: readonly string[]): readonly [samples: readonly string[], dropped: number] {
  const { families, dropped } = pageOf(...lines)
  const samples = [...families.values()].flatMap(({ samples }) => samples.trimEnd().split('\n'))
  return [samples, dropped]
}

test('the page of a sidecar has its gauges and counters, with the labels of its MiniCluster', async (t) => {
  const app = await serveApp(t)
  const page = readPage((await app.get('/metrics')).text, NAME)
  assert.equal(page?.dropped, 0)
  const families = readExposition(textOf([page]))
  for (const [name, { help, samples }] of families) {
    assert.match(name, /^flux_/)
    assert.ok(help !== undefined, name)
    for (const { labels } of samples) {
      assert.equal(labels.namespace, 'team')
      assert.equal(labels.minicluster, 'flux')
    }
  }
  const nodes = families.get('flux_nodes')
  assert.equal(nodes?.type, 'gauge')
  assert.deepEqual(nodes.samples[0], { labels: { ...NAME, state: 'total' }, value: 16 })
  assert.ok(families.has('flux_desired_nodes'))
  assert.equal(families.get('flux_reconnects_total')?.type, 'counter')
})

test('a sidecar that knows nothing new has no sizes', async (t) => {
  const app = await serveApp(t, { source: { reading: () => STALE } })
  const page = readPage((await app.get('/metrics')).text, NAME)
  assert.ok(page !== undefined && !page.families.has('flux_desired_nodes'))
  assert.equal(
    page.families.get('flux_snapshot_fresh')?.samples,
    `flux_snapshot_fresh{${OWNER}} 0\n`,
  )
})

test('a user metric keeps its name', () => {
  const lines = ['# HELP gpus_wanted GPUs', '# TYPE gpus_wanted gauge', 'gpus_wanted 12.5']
  assert.deepEqual(left(...lines), [[`gpus_wanted{${OWNER}} 12.5`], 0])
})

test('labels of the sidecar are kept, escapes included', () => {
  const sample = 'flux_jobs{state="run",queue="a\\"b\\\\\\n{}, x=\\"1\\""} 3'
  const kept = sample.replace('{', `{${OWNER},`)
  assert.deepEqual(left('# TYPE flux_jobs gauge', sample), [[kept], 0])
})

test('the labels of the MiniCluster are escaped', () => {
  const page = readPage('# TYPE flux_jobs gauge\nflux_jobs 1\n', {
    namespace: 'a"b\\',
    minicluster: 'c\nd',
  })
  assert.ok(page !== undefined)
  const labels = readExposition(textOf([page])).get('flux_jobs')?.samples[0]?.labels
  assert.deepEqual(labels, { namespace: 'a"b\\', minicluster: 'c\nd' })
})

test('the process of the sidecar and histograms are left out, which is no mistake', () => {
  const lines = [
    '# TYPE process_open_fds gauge',
    'process_open_fds 12',
    '# TYPE http_request_duration_seconds histogram',
    'http_request_duration_seconds_bucket{le="+Inf"} 1',
    '# TYPE flux_refresh_duration_seconds histogram',
    'flux_refresh_duration_seconds_bucket{le="+Inf"} 1',
    'flux_refresh_duration_seconds_sum 1',
    'flux_refresh_duration_seconds_count 1',
  ]
  assert.deepEqual(left(...lines), [[], 0])
})

const GAUGE = '# TYPE flux_jobs gauge'

const HOSTILE: Readonly<Record<string, readonly string[]>> = {
  'no type': ['flux_lost 1'],
  'a type that the name does not have': ['# TYPE flux_nodes counter', 'flux_nodes 1'],
  'a counter that says to be a gauge': ['# TYPE flux_drains_total gauge'],
  'a counter of a user': ['# TYPE mine_total counter'],
  'no word for a type': ['# TYPE flux_nodes'],
  'a second type': [GAUGE],
  'a second help': ['# HELP flux_jobs first', '# HELP flux_jobs second'],
  'a control character in the help': ['# HELP flux_jobs a\rb'],
  'a wrong escape in the help': ['# HELP flux_jobs a\\b'],
  'a family of the gateway': ['# TYPE flux_gateway_sidecars_unscraped gauge'],
  'a family of the webhook': ['# TYPE flux_metrics_webhook_reviews_total counter'],
  'a name that Prometheus gives': ['# TYPE up gauge', '# TYPE scrape_samples_scraped gauge'],
  'another namespace': ['flux_jobs{namespace="other"} 1'],
  'another MiniCluster': ['flux_jobs{minicluster="other"} 1'],
  'a label of Prometheus itself': ['flux_jobs{__name__="up"} 1'],
  'a label twice': ['flux_jobs{a="1",a="2"} 1'],
  'a label without a value': ['flux_jobs{a} 1'],
  'a label without quotes': ['flux_jobs{a=1} 1'],
  'a wrong escape in a label': ['flux_jobs{a="\\x"} 1'],
  'a control character in a label': ['flux_jobs{a="\u0000"} 1'],
  'a label that ends the line': ['flux_jobs{a="1"} 1 # {b="2"} 1'],
  'a comma too many': ['flux_jobs{a="1",} 1', 'flux_jobs{,} 1', 'flux_jobs{a="1",,b="1"} 1'],
  'empty braces': ['flux_jobs{} 1'],
  'no number': ['flux_jobs{a="1"} one', 'flux_jobs{a="1"} ', 'flux_jobs{a="1"} 0x1'],
  'NaN and infinity': ['flux_jobs{a="1"} NaN', 'flux_jobs{a="1"} +Inf', 'flux_jobs{a="1"} 1e999'],
  'a time, because a value must be present': ['flux_jobs{a="1"} 1 1700000000000'],
  'a long line': [`flux_jobs{a="${'x'.repeat(3_000)}"} 1`],
  'a long name': [`# TYPE flux_${'x'.repeat(200)} gauge`],
  'a name that is none': ['# TYPE flux-jobs gauge', 'flux-jobs 1', 'Größe 1', '{} 1', ' 1'],
  'the end of a line of Windows': ['flux_jobs{a="1"} 1\r'],
}

for (const [what, lines] of Object.entries(HOSTILE)) {
  test(`hostile: ${what} is dropped and counted`, () => {
    const [samples, dropped] = left(GAUGE, 'flux_jobs{z="1"} 5', ...lines)
    assert.deepEqual(samples, [`flux_jobs{${OWNER},z="1"} 5`])
    assert.ok(dropped >= 1)
    assert.ok(dropped <= lines.length)
  })
}

test('of samples with the same labels, in any order, the first is kept', () => {
  const lines = [
    GAUGE,
    'flux_jobs{a="1",b="2"} 1',
    'flux_jobs{b="2",a="1"} 2',
    'flux_jobs{a="1"} 3',
  ]
  const expected = [`flux_jobs{${OWNER},a="1",b="2"} 1`, `flux_jobs{${OWNER},a="1"} 3`]
  assert.deepEqual(left(...lines), [expected, 1])
})

test('a long help is cut, and stays valid', () => {
  for (let length = 480; length < 520; length += 1) {
    const page = pageOf(
      `# HELP flux_jobs ${'x'.repeat(length)}${'\\\\'.repeat(30)}`,
      GAUGE,
      'flux_jobs 1',
    )
    const help = readExposition(textOf([page])).get('flux_jobs')?.help
    assert.ok(help !== undefined && help.length <= 501)
  }
})

test('a page that is too long is refused whole', () => {
  const samples = Array.from({ length: 2_001 }, (_, index) => `flux_jobs{queue="${index}"} 1\n`)
  assert.equal(readPage(`${GAUGE}\n${samples.join('')}`, NAME), undefined)
  assert.ok(readPage(`${GAUGE}\n${samples.slice(1).join('')}`, NAME) !== undefined)
  assert.equal(readPage('#\n'.repeat(2 ** 17 + 1), NAME), undefined)
})

test('whatever a sidecar sends, the page is valid, and the same whatever others have sent', () => {
  const lines = new PageLines()
  const word = fc.constantFrom(
    ...['# HELP', '# TYPE', ' ', '\n', 'flux_jobs', 'flux_a_total', 'mine', 'gauge', 'counter'],
    ...[
      '{',
      '}',
      ',',
      '=',
      '"',
      '\\',
      'a',
      'b="1"',
      '1',
      'e9',
      '-',
      'NaN',
      '\r',
      '\u2028',
      '\ud800',
    ],
    ...['\nflux_jobs{a="1"} 1\n', `\n${GAUGE}\n`, '\n# HELP flux_jobs x\\\\\n'],
  )
  const text = fc.array(word, { maxLength: 60 }).map((words) => words.join(''))
  fc.assert(
    fc.property(text, text, (one, other) => {
      const pages = [readPage(one, NAME), readPage(other, { ...NAME, minicluster: 'other' })]
      readExposition(textOf(pages.filter((page) => page !== undefined)))
      assert.deepEqual(readPage(one, NAME, lines), readPage(one, NAME))
    }),
    { numRuns: runs(3_000) },
  )
})
