import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readBrokerConfig } from '../../../../webhook/admission/advice/broker-config.ts'

const NOTHING = { queuePolicy: undefined, matchPolicy: undefined, pruneFilters: undefined }

/** TOML, and the settings in it. */
const CASES = [
  ['', {}],
  ['[access]\nallow-guest-user = true\n', {}],
  ['[sched-fluxion-qmanager]\nqueue-policy = "easy"\n', { queuePolicy: 'easy' }],
  ['sched-fluxion-qmanager.queue-policy = "easy"', { queuePolicy: 'easy' }],
  ['sched-fluxion-resource = { match-policy = "low" }', { matchPolicy: 'low' }],
  [`[sched-fluxion-resource]\nmatch-policy = 'lonode' # "first"\n`, { matchPolicy: 'lonode' }],
  [
    '[sched-fluxion-resource]\nprune-filters = "ALL:core"\n"match-policy" = """lonodex"""\n',
    { pruneFilters: 'ALL:core', matchPolicy: 'lonodex' },
  ],
  // Text that only looks like a setting.
  ['note = """\n[sched-fluxion-qmanager]\nqueue-policy = "easy"\n"""', {}],
  ['# [sched-fluxion-qmanager]\nqueue-policy = "easy"', {}],
  // Values that Flux itself refuses count as not set.
  ['[sched-fluxion-qmanager]\nqueue-policy = 7\n', {}],
  ['sched-fluxion-qmanager = "easy"', {}],
] as const

for (const [toml, settings] of CASES) {
  test(`readBrokerConfig finds ${JSON.stringify(settings)} in ${JSON.stringify(toml)}`, () => {
    const expected = { kind: 'settings', settings: { ...NOTHING, ...settings }, hosts: [] }
    assert.deepEqual(readBrokerConfig(toml), expected)
  })
}

test('readBrokerConfig reports the place of invalid TOML', () => {
  const toml = '[sched-fluxion-qmanager]\nqueue-policy = fcfs\n'
  assert.deepEqual(readBrokerConfig(toml), { kind: 'malformed', line: 2, column: 16 })
})

test('readBrokerConfig throws for no text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (toml) => {
      assert.match(readBrokerConfig(toml).kind, /^(settings|malformed)$/)
    }),
  )
})

test('readBrokerConfig does not parse a text that would fill the heap', () => {
  const toml = `a${'.a'.repeat(300_000)} = 1\n`
  const { length } = toml
  assert.deepEqual(readBrokerConfig(toml), { kind: 'too-long', length, maxLength: 16_384 })
})

test('readBrokerConfig reads texts up to its limit', () => {
  const toml = 'sched-fluxion-resource.match-policy = "low"\n'
  const padded = (length: number) => toml.padEnd(length, '#')
  assert.deepEqual(readBrokerConfig(padded(16_384)), {
    kind: 'settings',
    settings: { ...NOTHING, matchPolicy: 'low' },
    hosts: [],
  })
  assert.equal(readBrokerConfig(padded(16_385)).kind, 'too-long')
})

test('readBrokerConfig refuses a text that nests deeper than any stack', () => {
  for (const open of ['[', '{a=', '[{a=']) {
    const toml = `a = ${open.repeat(Math.floor(16_000 / open.length))}`
    assert.equal(readBrokerConfig(toml).kind, 'malformed')
  }
})

test('readBrokerConfig refuses more levels than a configuration of Flux has', () => {
  const nested = (depth: number) => `a = ${'['.repeat(depth)}${']'.repeat(depth)}`
  assert.equal(readBrokerConfig(nested(32)).kind, 'settings')
  assert.equal(readBrokerConfig(nested(33)).kind, 'malformed')
})

test('readBrokerConfig finds the hosts of the ranks, in both forms of TOML', () => {
  const tables =
    '[[bootstrap.hosts]]\nhost = "a-[0-1]"\nbind = "x"\n[[bootstrap.hosts]]\nhost = "b"\n'
  for (const toml of ['[bootstrap]\nhosts = [{ host = "a-[0-1]" }, { host = "b" }]\n', tables]) {
    const config = readBrokerConfig(toml)
    assert.deepEqual(config.kind === 'settings' && config.hosts, ['a-[0-1]', 'b'])
  }
  // Flux refuses these.
  for (const toml of [
    'bootstrap = 1',
    'bootstrap.hosts = "a"',
    'bootstrap.hosts = [{ bind = "x" }]',
  ]) {
    const config = readBrokerConfig(toml)
    assert.deepEqual(config.kind === 'settings' && config.hosts, [])
  }
})
