import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Environment, type Variables } from '#serving/env.ts'
import { readUpstream } from '../../../../webhook/gateway/upstream/upstream-target.ts'

const FILE = fileURLToPath(import.meta.url)

function read(variables: Variables) {
  const env = new Environment(variables)
  return { target: readUpstream(env, 'UPSTREAM'), problems: env.problems }
}

test('without the variable there is no adapter', () => {
  assert.deepEqual(read({}), { target: undefined, problems: [] })
  assert.deepEqual(read({ UPSTREAM_INSECURE: 'false' }), { target: undefined, problems: [] })
})

test('an adapter is verified by its CA', () => {
  const variables = { UPSTREAM: 'monitoring/prometheus-adapter:443', UPSTREAM_CA_FILE: FILE }
  assert.deepEqual(read(variables), {
    target: { namespace: 'monitoring', service: 'prometheus-adapter', port: 443, caFile: FILE },
    problems: [],
  })
})

test('an adapter is not verified where that is said', () => {
  const { target, problems } = read({ UPSTREAM: 'a/b:6443', UPSTREAM_INSECURE: 'true' })
  assert.deepEqual(problems, [])
  assert.deepEqual(target, { namespace: 'a', service: 'b', port: 6443, caFile: undefined })
})

for (const text of [
  'a',
  'a/b',
  'a/b:',
  'a/b:0',
  'a/b:65536',
  'a/b:099',
  'a/b:1:2',
  '/b:1',
  'a/:1',
  'a/b/c:1',
  'A/b:1',
  'a/b.c:1',
  'https://a/b:1',
  `${'a'.repeat(64)}/b:1`,
]) {
  test(`"${text}" is no adapter`, () => {
    const { target, problems } = read({ UPSTREAM: text, UPSTREAM_INSECURE: 'true' })
    assert.equal(target, undefined)
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', /^UPSTREAM: expected "namespace\/service:port", got /)
  })
}

for (const [variables, problem] of [
  [{ UPSTREAM: 'a/b:1' }, /^UPSTREAM_CA_FILE: expected the CA of the adapter \(PEM\), or /],
  [{ UPSTREAM: 'a/b:1', UPSTREAM_CA_FILE: '/no/file' }, /^UPSTREAM_CA_FILE: expected a file/],
  [
    { UPSTREAM: 'a/b:1', UPSTREAM_CA_FILE: FILE, UPSTREAM_INSECURE: 'true' },
    /^UPSTREAM_INSECURE: expected nothing beside UPSTREAM_CA_FILE/,
  ],
  [{ UPSTREAM_INSECURE: 'true' }, /^UPSTREAM: expected the adapter as /],
  [{ UPSTREAM_CA_FILE: FILE }, /^UPSTREAM: expected the adapter as /],
] as const) {
  test(`${JSON.stringify(Object.keys(variables))} is one problem: ${problem}`, () => {
    const { problems } = read(variables)
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', problem)
  })
}
