import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable, printableJson, printableLines, shorten } from '#serving/text.ts'

test('printable escapes control characters, line ends and reversals, and leaves all others', () => {
  assert.equal(printable('a\nb\u2028ü😀'), 'a\\u{a}b\\u{2028}ü😀')
  assert.equal(printable('\u001b[2J\u202e'), '\\u{1b}[2J\\u{202e}')
})

test('printable escapes what nobody sees', () => {
  const unseen = ['\u00ad', '\u034f', '\u061c', '\u115f', '\u200b', '\u200d', '\u2060', '\u2066']
  const fillers = [
    '\u2069',
    '\u2800',
    '\u3164',
    '\ufe0f',
    '\ufeff',
    '\uffa0',
    '\u{e0041}',
    '\ud800',
  ]
  for (const character of [...unseen, ...fillers]) {
    assert.match(printable(`a${character}b`), /^a\\u\{[0-9a-f]+\}b$/)
  }
  for (const seen of ['ƒ2', 'é', 'e\u0301', 'שלום', '日本', '\u00a0', 'a b']) {
    assert.equal(printable(seen), seen)
  }
})

test('printableLines leaves the ends of lines alone', () => {
  assert.equal(printableLines('a\n\u202eb\r\n'), 'a\n\\u{202e}b\\u{d}\n')
})

test('printableJson has the same values', () => {
  const value = { 'a\u200b': ['\u202e', '\u{e0041}', '\n\t', 'ü😀'] }
  const json = printableJson(JSON.stringify(value, undefined, '\t'))
  assert.match(json, /^\{\n\t"a\\u200b": \[\n\t\t"\\u202e",\n\t\t"\\udb40\\udc41",/)
  assert.deepEqual(JSON.parse(json), value)
})

test('shorten cuts to a length, and leaves no half of a character', () => {
  assert.equal(shorten('abc', { characters: 3 }), 'abc')
  assert.equal(shorten('abcd', { characters: 3 }), 'abc…')
  assert.equal(shorten('ab😀', { characters: 3 }), 'ab\ufffd…')
})
