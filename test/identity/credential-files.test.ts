// Certificate files that cannot be used, at start and later.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { createAuthority, issueWeak } from '../support/certificates.ts'
import { NAMES } from '../support/lead-broker.ts'
import {
  create,
  files,
  frontProxy,
  namesIn,
  provider,
  SELF_SIGNED,
  started,
} from './credential-source.ts'

test('an expired CA in the bundle of the clients is a warning', async (t) => {
  const old = await createAuthority('old-front-proxy-ca', {
    notAfter: new Date(Date.now() - 1_000),
  })
  const text = `${old.cert}\n${frontProxy.cert}`
  const { CLIENT_CA_FILE = '' } = await files(t, { CLIENT_CA_FILE: text })
  const { source, lines } = await create(t, { CLIENT_CA_FILE })
  assert.deepEqual([source.first.clientCa, source.missing()], [text, undefined])
  assert.deepEqual(
    lines.filter(({ names }) => names !== undefined),
    [
      {
        level: 'warn',
        file: CLIENT_CA_FILE,
        names: ['CN=old-front-proxy-ca'],
        msg: 'certificates of this bundle have expired: they verify no client',
      },
    ],
  )
})

const expired = new Date(Date.now() - 60_000)
const UNUSABLE: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  'an expired certificate': async () => {
    const pair = await provider.issue({ commonName: 'x', notAfter: expired })
    return { TLS_CERT_FILE: pair.cert, TLS_KEY_FILE: pair.key }
  },
  'an expired client CA': async () => ({
    CLIENT_CA_FILE: (await createAuthority('old', { notAfter: expired })).cert,
  }),
  'the key of another certificate': async () => ({
    TLS_CERT_FILE: (await provider.issue({ commonName: 'x' })).cert,
    TLS_KEY_FILE: (await provider.issue({ commonName: 'x' })).key,
  }),
  'a file that is empty': async () => ({ CLIENT_CA_FILE: '' }),
  'a certificate that OpenSSL refuses': async () => {
    const { cert, key } = await issueWeak()
    return { TLS_CERT_FILE: cert, TLS_KEY_FILE: key }
  },
}

for (const [what, texts] of Object.entries(UNUSABLE)) {
  test(`${what} at start is said, does not end the program, and is replaced when the files are good`, async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const good = await provider.issue({ commonName: 'sidecar', dns: NAMES })
    const variables = await files(t, {
      TLS_CERT_FILE: good.cert,
      TLS_KEY_FILE: good.key,
      CLIENT_CA_FILE: frontProxy.cert,
      ...(await texts()),
    })
    const { source, lines } = await create(t, variables)
    assert.deepEqual([namesIn(source.first), source.first.clientCa], [SELF_SIGNED, undefined])
    assert.equal(source.authenticatesClients, true)
    const reason = source.missing() ?? ''
    assert.match(reason, /^Cannot use "\/.*": \S/)
    const changed = started(source)
    await writeFile(variables.TLS_CERT_FILE ?? '', good.cert)
    await writeFile(variables.TLS_KEY_FILE ?? '', good.key)
    await writeFile(variables.CLIENT_CA_FILE ?? '', frontProxy.cert)
    t.mock.timers.tick(2_000)
    assert.deepEqual(await changed, { ...good, clientCa: frontProxy.cert })
    assert.equal(source.missing(), undefined)
    assert.deepEqual(
      lines.map(({ level, msg }) => `${level}: ${msg}`),
      [
        'error: only health is served: cannot use the certificate files',
        'info: loaded new certificates',
      ],
    )
  })
}

test('new files that cannot be used are a problem, while the old certificate is served', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { CLIENT_CA_FILE = '' } = await files(t, { CLIENT_CA_FILE: frontProxy.cert })
  const { source } = await create(t, { CLIENT_CA_FILE })
  source.start(() => {})
  assert.equal(source.problem(), undefined)
  await writeFile(CLIENT_CA_FILE, 'nonsense')
  t.mock.timers.tick(2_000)
  while (source.problem() === undefined) await new Promise(setImmediate)
  assert.deepEqual(
    [source.missing(), source.problem()],
    [undefined, `Cannot use "${CLIENT_CA_FILE}": expected a certificate in PEM`],
  )
})

test('a certificate that has expired in use is a problem', async (t) => {
  const pair = await provider.issue({ commonName: 'sidecar', dns: NAMES })
  const { TLS_CERT_FILE = '', TLS_KEY_FILE = '' } = await files(t, {
    TLS_CERT_FILE: pair.cert,
    TLS_KEY_FILE: pair.key,
  })
  const { source } = await create(t, { TLS_CERT_FILE, TLS_KEY_FILE })
  assert.equal(source.problem(), undefined)
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 25 * 3_600_000 })
  assert.match(source.problem() ?? '', /^the certificate expired at 2\d{3}-/)
  assert.equal(source.missing(), undefined)
})
