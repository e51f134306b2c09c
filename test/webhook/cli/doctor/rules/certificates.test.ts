import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemOfBundle } from '../../../../../webhook/cli/doctor/rules/certificates.ts'
import { AUTHORITY, EXPIRED, OTHER } from '../cluster.ts'

const NOW = Date.now()

test('problemOfBundle accepts a bundle with one certificate that is valid and known', () => {
  assert.equal(problemOfBundle(AUTHORITY.cert, AUTHORITY.cert, NOW), undefined)
  const both = `${EXPIRED.cert}\n${AUTHORITY.cert}`
  assert.equal(problemOfBundle(both, `${OTHER.cert}\n${AUTHORITY.cert}`, NOW), undefined)
  assert.equal(problemOfBundle(OTHER.cert, undefined, NOW), undefined)
})

test('problemOfBundle says what is wrong with a bundle', () => {
  assert.equal(problemOfBundle('', AUTHORITY.cert, NOW), 'empty')
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
  assert.equal(problemOfBundle(broken, AUTHORITY.cert, NOW), 'empty')
  assert.equal(problemOfBundle(EXPIRED.cert, undefined, NOW), 'expired')
  assert.equal(problemOfBundle(OTHER.cert, AUTHORITY.cert, NOW), 'other')
})
