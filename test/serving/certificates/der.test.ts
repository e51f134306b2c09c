import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bits,
  der,
  integer,
  octets,
  oid,
  sequence,
  set,
  TRUE,
  time,
  utf8,
} from '#serving/certificates/der.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('der writes lengths in the shortest form', () => {
  for (const [length, expected] of [
    [0, '00'],
    [127, '7f'],
    [128, '8180'],
    [255, '81ff'],
    [256, '820100'],
    [65_535, '82ffff'],
    [65_536, '83010000'],
  ] as const) {
    const written = der(0x04, Buffer.alloc(length))
    assert.equal(hex(written.subarray(1, written.length - length)), expected)
  }
})

test('oid writes arcs above 127 in several bytes', () => {
  // X.690 §8.19.5, RFC 5758 §3.2, RFC 2985 §5.4.2
  assert.equal(hex(oid('2.999.3')), '0603883703')
  assert.equal(hex(oid('1.2.840.10045.4.3.2')), '06082a8648ce3d040302')
  assert.equal(hex(oid('1.2.840.113549.1.9.14')), '06092a864886f70d01090e')
  assert.equal(hex(oid('2.5.29.17')), '0603551d11')
})

test('time has two digits of the year until 2049, and four from 2050 on', () => {
  assert.equal(time(new Date('2049-12-31T23:59:59.999Z')).toString('latin1'), '\x17\r491231235959Z')
  assert.equal(time(new Date('2050-01-01T00:00:00Z')).toString('latin1'), '\x18\x0f20500101000000Z')
})

test('values are written with their tags', () => {
  const one = Uint8Array.of(1)
  assert.equal(hex(sequence(integer(one), TRUE)), '30060201010101ff')
  assert.equal(hex(set(octets(one))), '3103040101')
  assert.equal(hex(bits(one)), '03020001')
  assert.equal(hex(utf8('aé')), '0c0361c3a9')
})
