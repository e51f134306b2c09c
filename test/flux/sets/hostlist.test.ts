// Hostlists: the test vectors of RFC 29, lists recorded from brokers, and hostile texts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FluxError } from '#flux/errors.ts'
import { countHosts, expandHosts } from '#flux/sets/hostlist.ts'
import { arbitraryHostlist } from '../../support/arbitraries.ts'
import { runs } from '../../support/runs.ts'

const ACCEPTED: readonly (readonly [list: string, hosts: string])[] = [
  // The vectors of RFC 29.
  ['', ''],
  ['foox,fooy,fooz', 'foox fooy fooz'],
  ['[1-3,5-6]', '1 2 3 5 6'],
  ['foo[1-5]', 'foo1 foo2 foo3 foo4 foo5'],
  ['foo[0-4]-eth2', 'foo0-eth2 foo1-eth2 foo2-eth2 foo3-eth2 foo4-eth2'],
  ['foo1,foo1,foo1', 'foo1 foo1 foo1'],
  ['[00-02]', '00 01 02'],
  ['[00-2]', '00 01 02'],
  ['foo[1,1,2,1]', 'foo1 foo1 foo2 foo1'],
  ['[5,4,10,11,12,13]', '5 4 10 11 12 13'],
  ['[005,4,11-13]', '005 004 011 012 013'],
  // Recorded from brokers.
  ['zeta[9,3],alpha[7,1],zeta10', 'zeta9 zeta3 alpha7 alpha1 zeta10'],
  ['vm,vm,vm,vm', 'vm vm vm vm'],
  ['flux-sample-[0,2-3]', 'flux-sample-0 flux-sample-2 flux-sample-3'],
  // Widths.
  ['[08-11]', '08 09 10 11'],
  ['a[098-101]', 'a098 a099 a100 a101'],
  ['a[08-101]', Array.from({ length: 94 }, (_, i) => `a${`${i + 8}`.padStart(2, '0')}`).join(' ')],
  ['foo[0,1-2]', 'foo0 foo1 foo2'],
  ['[45,015]', '45 015'],
  // Empty expressions have no host.
  [',', ''],
  [',a,,b[1],', 'a b1'],
]

for (const [list, hosts] of ACCEPTED) {
  test(`expandHosts expands "${list}"`, () => {
    assert.deepEqual(expandHosts(list), hosts === '' ? [] : hosts.split(' '))
  })
}

const REFUSED: readonly (readonly [list: string, complaint: string])[] = [
  ['a[', 'expected a digit at position 2'],
  ['a[]', 'expected a digit at position 2'],
  ['a[1', 'expected "," or "]" at position 3'],
  ['a[1,', 'expected a digit at position 4'],
  ['a]', 'expected "," or a character of a host name at position 1'],
  ['a[1]]', 'expected "," or a character of a host name at position 4'],
  ['a[[1]]', 'expected a digit at position 2'],
  ['a[x-y]', 'expected a digit at position 2'],
  ['a[0-1,2--5]', 'expected a digit at position 8'],
  ['a[3-1]', 'expected an id of at least 4 at position 4'],
  ['a[1-1]', 'expected an id of at least 2 at position 4'],
  ['a[1-03]', 'expected the same number of digits as in the first id of the range at position 4'],
  ['a[0-4294967296]', 'expected an id of at most 4294967295 at position 4'],
  ['a[0-1][0-1]', 'expected "," (an expression has one pair of brackets) at position 6'],
  ['a[0-1]b[0-1]', 'expected "," (an expression has one pair of brackets) at position 7'],
  ['a b', 'expected "," or a character of a host name at position 1'],
  ['a, b', 'expected "," or a character of a host name at position 2'],
  ['né', 'expected "," or a character of a host name at position 1'],
]

for (const [list, complaint] of REFUSED) {
  test(`expandHosts and countHosts refuse "${list}"`, () => {
    const expected = {
      name: 'FluxError',
      code: 'FLUX_PROTOCOL',
      message: `Cannot parse hostlist "${list}": ${complaint}`,
    }
    assert.throws(() => expandHosts(list), expected)
    assert.throws(() => countHosts(list), expected)
  })
}

test('countHosts counts a range of all ids', () => {
  assert.equal(countHosts('a[0-4294967295]'), 2 ** 32)
})

test('expandHosts refuses a range of all ids', () => {
  assert.throws(() => expandHosts('a[0-4294967295]'), {
    code: 'FLUX_PROTOCOL',
    message: 'Cannot expand hostlist "a[0-4294967295]": expected at most 131072 hosts',
  })
})

test('expandHosts creates 131,072 hosts, and not one more', () => {
  assert.equal(expandHosts('a[0-131070],b').length, 131_072)
  assert.throws(() => expandHosts('a[0-131071],b'), /expected at most 131072 hosts$/)
})

test('a host name has at most 255 characters', () => {
  const prefix = 'a'.repeat(253)
  assert.deepEqual(expandHosts(`${prefix}[10]`), [`${prefix}10`])
  assert.deepEqual(expandHosts(`${prefix}aa`), [`${prefix}aa`])
  assert.throws(() => expandHosts(`${prefix}[9-100]`), /expected names of at most 255 characters/)
  assert.throws(() => expandHosts(`${prefix}[001]`), /expected names of at most 255 characters/)
  assert.throws(() => expandHosts(`${prefix}aaa`), /expected a name of at most 255 characters/)
})

test('a hostlist of any form expands to its hosts, and countHosts counts them', () => {
  fc.assert(
    fc.property(arbitraryHostlist, ({ text, hosts }) => {
      assert.deepEqual(expandHosts(text), hosts)
      assert.equal(countHosts(text), hosts.length)
    }),
  )
})

test('countHosts and expandHosts agree on any text, or refuse it with FLUX_PROTOCOL', () => {
  const nearly = fc.string({ unit: fc.constantFrom('0', '1', '9', ',', '-', '[', ']', 'a') })
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' })), (text) => {
      try {
        assert.equal(expandHosts(text).length, countHosts(text))
      } catch (error) {
        if (!(error instanceof FluxError)) throw error
        assert.equal(error.code, 'FLUX_PROTOCOL')
      }
    }),
    { numRuns: runs(4_000) },
  )
})
