import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Environment } from '#serving/env.ts'

test('Environment uses the default for a variable that is not set or empty', () => {
  const env = new Environment({ EMPTY: '' })
  assert.equal(env.string('ABSENT', 'fallback'), 'fallback')
  assert.equal(env.string('EMPTY', 'fallback'), 'fallback')
  assert.equal(env.optional('EMPTY'), undefined)
  assert.equal(env.port('ABSENT', 8443), 8443)
  assert.deepEqual(env.list('ABSENT'), [])
  assert.equal(env.file('ABSENT'), undefined)
  assert.deepEqual(env.problems, [])
})

test('Environment reads the variables that are set', () => {
  const env = new Environment({
    NAME: 'flux-0',
    PORT: '0',
    SECONDS: '45',
    LEVEL: 'debug',
    LIST: ' front-proxy-client ,, other ',
    FILE: import.meta.filename,
  })
  assert.equal(env.label('NAME', ''), 'flux-0')
  assert.equal(env.port('PORT', 1), 0)
  assert.equal(env.integer('SECONDS', 30, { min: 1, max: 60 }), 45)
  assert.equal(env.level('LEVEL', 'info'), 'debug')
  assert.deepEqual(env.list('LIST'), ['front-proxy-client', 'other'])
  assert.equal(env.file('FILE'), import.meta.filename)
  assert.deepEqual(env.problems, [])
})

test('Environment collects every problem, with name, value and what was expected', () => {
  const env = new Environment({
    PORT: '65536',
    SECONDS: '1e3',
    LEVEL: 'loud',
    NAME: 'Flux_Sample',
    FILE: '/no/such/file',
  })
  assert.equal(env.port('PORT', 8443), 8443)
  env.integer('SECONDS', 30, { min: 1, max: 60 })
  env.level('LEVEL', 'info')
  env.label('NAME', 'flux-sample')
  env.file('FILE')
  assert.deepEqual(env.problems, [
    'PORT: expected an integer from 0 to 65535, got "65536"',
    'SECONDS: expected an integer from 1 to 60, got "1e3"',
    'LEVEL: expected one of fatal, error, warn, info, debug, trace, silent, got "loud"',
    'NAME: expected a name of at most 63 lower-case letters, digits and "-", got "Flux_Sample"',
    'FILE: expected a file that can be read, got "/no/such/file"',
  ])
})

for (const text of ['-1', '1.5', '0x10', ' 1', '99999999999999999999', 'NaN']) {
  test(`Environment refuses "${text}" as an integer`, () => {
    const env = new Environment({ N: text })
    env.integer('N', 0, { min: 0, max: 100 })
    assert.equal(env.problems.length, 1)
  })
}

test('Environment reads only true and false as booleans', () => {
  const env = new Environment({ YES: 'true', NO: 'false', ODD: '1' })
  assert.deepEqual([env.boolean('YES', false), env.boolean('NO', true)], [true, false])
  assert.equal(env.boolean('ABSENT', true), true)
  assert.equal(env.boolean('ODD', false), false)
  assert.deepEqual(env.problems, ['ODD: expected "true" or "false", got "1"'])
})
