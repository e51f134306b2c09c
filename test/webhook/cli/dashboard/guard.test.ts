// Which requests are answered: those of a browser on this machine that has the token.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admit } from '../../../../webhook/cli/dashboard/guard.ts'

const TOKEN = 'TheTokenOfThePage'
const HOST = { host: '127.0.0.1:4000' }

const get = (url: string, headers: Readonly<Record<string, string>> = HOST) =>
  admit({ method: 'GET', url, headers }, TOKEN)

test('a request with the token is admitted, with its path below it', () => {
  for (const host of ['127.0.0.1:4000', 'localhost:8080', '[::1]:1', 'localhost']) {
    const found = get(`/${TOKEN}/data/state?namespace=a&name=b?c`, { host })
    assert.ok('path' in found, host)
    assert.equal(found.path, 'data/state')
    assert.deepEqual(
      [...found.query],
      [
        ['namespace', 'a'],
        ['name', 'b?c'],
      ],
    )
  }
  const page = get(`/${TOKEN}/`)
  assert.equal('path' in page && page.path, '')
})

test('without the token nothing is found, whatever the path', () => {
  for (const url of ['/', '', '/data/state', `/${TOKEN}x/`, `/${TOKEN.slice(1)}/`, `//${TOKEN}/`]) {
    assert.deepEqual(get(url), { code: 404, message: 'not found' }, url)
  }
})

for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT']) {
  test(`${method} is not allowed`, () => {
    const refused = admit({ method, url: `/${TOKEN}/`, headers: HOST }, TOKEN)
    assert.deepEqual(refused, { code: 405, message: 'only GET is allowed' })
  })
}

test('a host that only resolves to this machine is refused, and none as well', () => {
  for (const host of [
    'evil.example:4000',
    '127.0.0.1.evil.example',
    'localhost.evil.example:1',
    '',
  ]) {
    assert.deepEqual(get(`/${TOKEN}/`, { host }), {
      code: 403,
      message: 'this host is not served',
    })
  }
  assert.ok('code' in get(`/${TOKEN}/`, {}))
})

test('a page of another origin is refused, our own is not', () => {
  const from = (origin: string) => get(`/${TOKEN}/data/state`, { ...HOST, origin })
  assert.ok('path' in from('http://127.0.0.1:4000'))
  for (const origin of ['http://127.0.0.1:4001', 'https://127.0.0.1:4000', 'null', 'http://a']) {
    assert.deepEqual(from(origin), { code: 403, message: 'other pages are not served' }, origin)
  }
})

for (const site of ['cross-site', 'same-site', 'nonsense']) {
  test(`another site may lead to the page, and gets none of its files: ${site}`, () => {
    const from = (path: string) => get(`/${TOKEN}/${path}`, { ...HOST, 'sec-fetch-site': site })
    assert.ok('path' in from(''))
    for (const path of ['page.js', 'data/state']) assert.equal('code' in from(path), true)
  })
}

test('our own page, and somebody who types the address, get its files', () => {
  for (const site of ['same-origin', 'none']) {
    const found = get(`/${TOKEN}/data/state`, { ...HOST, 'sec-fetch-site': site })
    assert.ok('path' in found)
  }
})
