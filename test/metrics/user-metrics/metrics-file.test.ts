import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { Catalog } from '#metrics/catalog.ts'
import { followMetricsFile } from '#metrics/user-metrics/metrics-file.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { mountFile } from '../../support/mounted-files.ts'
import { snapshotOf } from '../../support/snapshots.ts'

function fileOf(metrics: Readonly<Record<string, string>>): string {
  const lines = Object.entries(metrics).map(
    ([name, expression]) =>
      `- {name: ${name}, help: Mine, unit: nodes, expression: "${expression}"}`,
  )
  return `metrics:\n${lines.join('\n')}\n`
}

/** Follows a file with this text, or without one a file that does not exist. It is read again only by `check` and `swap`. */
async function follow(t: TestContext, text?: string) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { path, put } = await mountFile(t, 'metrics.yaml')
  await put(text)
  const { log, lines } = memoryLog()
  const catalog = new Catalog()
  const file = await followMetricsFile({ path, catalog, log })
  t.after(() => file.close())
  return {
    path,
    lines,
    catalog,
    check: () => file.check(),
    /** Replaces the text, and checks the file. */
    async swap(changed: string | undefined) {
      await put(changed)
      await file.check()
    },
    values: () =>
      Object.fromEntries(
        catalog.userMetrics.map(({ name, value }) => [name, value(snapshotOf(), {})]),
      ),
  }
}

test('the metrics of a file are in the catalog at once', async (t) => {
  const { values, lines, path } = await follow(t, fileOf({ one: '1', up: 'nodes.up' }))
  assert.deepEqual(values(), { one: 1, up: 10 })
  assert.deepEqual(lines, [
    { level: 'info', file: path, metrics: ['one', 'up'], msg: 'loaded user metrics' },
  ])
})

test('a file that does not exist is logged once, and read when it appears', async (t) => {
  const { values, swap, check, lines, path } = await follow(t)
  await check()
  assert.deepEqual(values(), {})
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [['error', 'no user metrics: the file cannot be used']],
  )
  assert.match(JSON.stringify(lines), new RegExp(`Cannot read METRICS_FILE .*${path}.*ENOENT`))
  await swap(fileOf({ one: '1' }))
  assert.deepEqual(values(), { one: 1 })
  assert.equal(lines.at(-1)?.msg, 'loaded user metrics')
})

test('metrics change with the file, and the catalog’s version with them', async (t) => {
  const { values, swap, check, catalog } = await follow(t, fileOf({ one: '1', two: '2' }))
  const { version } = catalog
  await check()
  assert.equal(catalog.version, version)
  await swap(fileOf({ two: '22' }))
  assert.deepEqual(values(), { two: 22 })
  assert.notEqual(catalog.version, version)
})

test('a file that is written in place is read again, too', async (t) => {
  const { values, check, path } = await follow(t, fileOf({ one: '1' }))
  await writeFile(path, fileOf({ one: '11' }))
  await check()
  assert.deepEqual(values(), { one: 11 })
})

test('an invalid metric is logged with its place; the others are kept', async (t) => {
  const { values, lines, path } = await follow(
    t,
    fileOf({ one: '1', two: 'nodes.upp', three: '3' }),
  )
  assert.deepEqual(values(), { one: 1, three: 3 })
  assert.deepEqual(lines, [
    {
      level: 'error',
      problem: `${path}:3:59: metric "two": No such key: upp`,
      msg: 'ignored an invalid user metric',
    },
    { level: 'info', file: path, metrics: ['one', 'three'], msg: 'loaded user metrics' },
  ])
})

for (const [what, text, message] of [
  ['that was deleted', undefined, /^Cannot read METRICS_FILE /],
  ['that is not YAML', 'metrics: [', /^Cannot use METRICS_FILE: .*:1:11: Flow sequence/],
  [
    'without a list of metrics',
    'node_up: 1',
    /^Cannot use METRICS_FILE: .*:1:1: metrics: missing$/,
  ],
  ['that is empty', '', /^Cannot use METRICS_FILE: .*:1:1: expected a map, got null$/],
  [
    'that is larger than a ConfigMap',
    `${fileOf({ one: '1' })}#${' '.repeat(2 ** 20)}`,
    /^Cannot use METRICS_FILE .*: expected at most 1048576 characters, got \d+$/,
  ],
] as const) {
  test(`a file ${what} leaves the metrics as they were, and is logged once`, async (t) => {
    const { values, swap, check, lines, catalog } = await follow(t, fileOf({ one: '1' }))
    const { version } = catalog
    lines.length = 0
    await swap(text)
    await check()
    assert.deepEqual([values(), catalog.version], [{ one: 1 }, version])
    assert.equal(lines.length, 1)
    const [{ level, msg, err } = {}] = lines
    assert.deepEqual(
      [level, msg],
      ['error', 'kept the previous user metrics: the file cannot be used'],
    )
    assert.ok(typeof err === 'object' && err !== null && 'message' in err)
    // The log adds the cause's message to that of the error.
    assert.match(String(err.message).split(': ENOENT')[0] ?? '', message)
    await swap(fileOf({ one: '2' }))
    assert.deepEqual(values(), { one: 2 })
  })
}

test('a file may remove all metrics', async (t) => {
  const { values, swap } = await follow(t, fileOf({ one: '1' }))
  await swap('metrics: []')
  assert.deepEqual(values(), {})
})
