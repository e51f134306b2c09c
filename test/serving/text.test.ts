import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable, shorten } from '#serving/text.ts'

test('printable escapes control characters, line ends and reversals, and leaves all others', () => {
  assert.equal(printable('a\nb\u2028ü😀'), 'a\\u{a}b\\u{2028}ü😀')
  assert.equal(printable('\u001b[2J\u202e'), '\\u{1b}[2J\\u{202e}')
})

test('shorten cuts to a length, and leaves no half of a character', () => {
  assert.equal(shorten('abc', { characters: 3 }), 'abc')
  assert.equal(shorten('abcd', { characters: 3 }), 'abc…')
  assert.equal(shorten('ab😀', { characters: 3 }), 'ab\ufffd…')
})
