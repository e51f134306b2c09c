import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { Credentials } from '#serving/https/tls.ts'
import { NAMES } from '../support/lead-broker.ts'
import {
  create,
  files,
  frontProxy,
  namesIn,
  provider,
  SELF_SIGNED,
  serveAuthority,
  started,
} from './credential-source.ts'

test('without any setting the certificate is self-signed and all clients may read, with warnings', async (t) => {
  const { source, messages } = await create(t, {})
  assert.deepEqual(namesIn(source.first), SELF_SIGNED)
  assert.deepEqual(
    [source.first.clientCa, source.authenticatesClients, source.missing(), source.allowedNames()],
    [undefined, false, undefined, []],
  )
  assert.deepEqual(messages(), [
    'clients are not authenticated: CLIENT_CA_FILE is not set',
    'the certificate is self-signed: TLS_CERT_FILE and TLS_KEY_FILE are not set',
  ])
})

test('the certificates of files are used unchanged', async (t) => {
  const pair = await provider.issue({ commonName: 'sidecar', dns: NAMES })
  const {
    TLS_CERT_FILE = '',
    TLS_KEY_FILE = '',
    CLIENT_CA_FILE = '',
  } = await files(t, {
    TLS_CERT_FILE: pair.cert,
    TLS_KEY_FILE: pair.key,
    CLIENT_CA_FILE: frontProxy.cert,
  })
  const { source, lines } = await create(t, {
    TLS_CERT_FILE,
    TLS_KEY_FILE,
    CLIENT_CA_FILE,
    CLIENT_ALLOWED_NAMES: 'front-proxy-client',
  })
  assert.deepEqual(source.first, { ...pair, clientCa: frontProxy.cert })
  assert.deepEqual(
    [source.authenticatesClients, source.missing(), source.allowedNames(), lines],
    [true, undefined, ['front-proxy-client'], []],
  )
})

test('a client CA that changes is used with the certificate that was created at start', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { CLIENT_CA_FILE = '' } = await files(t, { CLIENT_CA_FILE: frontProxy.cert })
  const { source } = await create(t, { CLIENT_CA_FILE })
  const changed = started(source)
  await writeFile(CLIENT_CA_FILE, provider.cert)
  t.mock.timers.tick(2_000)
  assert.deepEqual(await changed, { ...source.first, clientCa: provider.cert })
})

test('with an authority the first certificate is self-signed, and clients are asked for certificates', async (t) => {
  const { source, lines } = await create(t, await serveAuthority(t))
  assert.deepEqual(namesIn(source.first), SELF_SIGNED)
  assert.deepEqual(
    [source.first.clientCa, source.authenticatesClients, source.missing(), source.allowedNames()],
    [undefined, true, 'no certificate yet', []],
  )
  assert.deepEqual(lines, [])
})

test('with an authority its certificate is passed on, with the CA of the clients', async (t) => {
  const { source, messages } = await create(t, await serveAuthority(t))
  const given = await started(source)
  assert.deepEqual(
    namesIn(given),
    NAMES.map((name) => `DNS:${name}`),
  )
  assert.equal(given.clientCa, frontProxy.cert)
  assert.deepEqual(
    [source.missing(), source.allowedNames(), messages()],
    [undefined, ['front-proxy-client'], ['obtained a certificate']],
  )
})

test('an expired certificate of an authority is replaced by the self-signed one', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.now() })
  const { source } = await create(t, await serveAuthority(t))
  const used: Credentials[] = []
  const first = Promise.withResolvers<void>()
  source.start((credentials) => {
    used.push(credentials)
    first.resolve()
  })
  await first.promise
  await new Promise(setImmediate)
  t.mock.timers.tick(25 * 3_600_000)
  assert.deepEqual([used.at(-1), source.missing()], [source.first, 'the certificate has expired'])
})
