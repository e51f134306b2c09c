import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { AuthorityRequest } from '#identity/authority-client.ts'
import { createCaKeys, HOUR_MS } from '../../webhook/authority/certificate-authority.ts'
import { createAuthority } from '../support/certificates.ts'
import { NAMES, TOKEN } from '../support/lead-broker.ts'
import { ca, frontProxy, setup } from './driven-identity.ts'

const MINUTE_MS = 60_000

const nextFrontProxy = await createAuthority('front-proxy-ca')

/** For each request, whether it asks for a certificate or only for the front proxy. */
function kinds(asked: readonly AuthorityRequest[]): string[] {
  return asked.map(({ csr }) => (csr === undefined ? 'trust' : 'certificate'))
}

test('before the first request there is no certificate, and `missing` says so', async (t) => {
  const { identity } = await setup(t)
  assert.deepEqual([identity.missing, identity.allowedNames], ['no certificate yet', []])
})

test('the first tick obtains a certificate for the names and the key, and the front proxy', async (t) => {
  const { identity, authority, clock, used, lines } = await setup(t)
  assert.equal(await identity.tick(), true)
  assert.deepEqual([identity.missing, identity.allowedNames], [undefined, ['front-proxy-client']])
  const [{ cert, key, clientCa, ca: trusted } = assert.fail(), ...more] = used
  assert.deepEqual([clientCa, trusted, more], [frontProxy.cert, ca.certificate, []])
  const certificate = new X509Certificate(cert)
  assert.ok(certificate.checkPrivateKey(createPrivateKey(key)))
  assert.ok(NAMES.every((name) => certificate.checkHost(name) !== undefined))
  const until = new Date(Math.floor((clock.ms + 24 * HOUR_MS) / 1000) * 1000).toISOString()
  assert.deepEqual(lines, [{ level: 'info', names: NAMES, until, msg: 'obtained a certificate' }])
  assert.deepEqual(
    authority.asked.map(({ url, ca: trusted, token }) => [url, trusted, token]),
    [['https://webhook.svc', 'the CA that the pod was given', TOKEN]],
  )
})

test('a tick with nothing to do does not ask the authority', async (t) => {
  const { identity, authority, after } = await setup(t)
  await identity.tick()
  for (let n = 0; n < 10; n += 1) assert.equal(await after(5_000), true)
  assert.equal(authority.asked.length, 1)
})

test('the certificate is renewed at two thirds of its life, with another key', async (t) => {
  const { identity, authority, after, used } = await setup(t)
  await identity.tick()
  await after(15.99 * HOUR_MS)
  assert.deepEqual(kinds(authority.asked), ['certificate', 'trust'])
  await after(0.02 * HOUR_MS)
  assert.deepEqual(kinds(authority.asked), ['certificate', 'trust', 'certificate'])
  const [first, second] = used
  assert.notEqual(first?.key, second?.key)
  assert.equal(used.length, 2)
})

for (const [random, minutes] of [
  [0, 5],
  [0.5, 3.75],
  [1 - Number.EPSILON, 2.5],
] as const) {
  test(`the front proxy is read again after ${minutes} minutes, with jitter ${random}`, async (t) => {
    const { identity, authority, after } = await setup(t, { random })
    await identity.tick()
    await after(minutes * MINUTE_MS - 1)
    assert.deepEqual(kinds(authority.asked), ['certificate'])
    await after(1)
    assert.deepEqual(kinds(authority.asked), ['certificate', 'trust'])
  })
}

test('a changed front proxy is used with the current certificate', async (t) => {
  const { identity, authority, after, used, messages } = await setup(t)
  await identity.tick()
  authority.clientCa = `${nextFrontProxy.cert}\n${frontProxy.cert}\n`
  authority.allowedNames = ['aggregator', 'front-proxy-client']
  await after(5 * MINUTE_MS)
  const [first, second, ...more] = used
  assert.deepEqual([second, more], [{ ...first, clientCa: authority.clientCa }, []])
  assert.deepEqual(identity.allowedNames, authority.allowedNames)
  assert.equal(messages().at(-1), 'info: the CAs to trust have changed')
})

test("a CA of the project that changes is passed on, for the other side of the program's connections", async (t) => {
  const { identity, authority, after, used } = await setup(t)
  await identity.tick()
  const { answer } = authority
  const next = `${ca.certificate}${nextFrontProxy.cert}`
  authority.answer = async (request) => ({ ...(await answer(request)), ca: next })
  await after(5 * MINUTE_MS)
  const [first, second, ...more] = used
  assert.deepEqual([second, more], [{ ...first, ca: next }, []])
})

test('a certificate of a CA that is not to be trusted any more is replaced at the next tick', async (t) => {
  const { authority, identity, after, used } = await setup(t)
  await identity.tick()
  authority.signer = await createCaKeys(Date.now())
  await after(5 * MINUTE_MS)
  assert.deepEqual(kinds(authority.asked), ['certificate', 'trust'])
  await after(5_000)
  await after(5_000)
  assert.deepEqual(kinds(authority.asked), ['certificate', 'trust', 'certificate'])
  const { cert = '' } = used.at(-1) ?? {}
  const { publicKey } = new X509Certificate(authority.signer.certificate)
  assert.ok(new X509Certificate(cert).verify(publicKey))
})

test('an unchanged front proxy changes nothing, and nothing is logged', async (t) => {
  const { identity, after, used, lines } = await setup(t)
  await identity.tick()
  await after(5 * MINUTE_MS)
  assert.deepEqual([used.length, lines.length], [1, 1])
})

test('the CA in an answer of the authority is trusted from then on', async (t) => {
  const { identity, authority, after } = await setup(t)
  await identity.tick()
  await after(5 * MINUTE_MS)
  assert.deepEqual(
    authority.asked.map((request) => request.ca),
    ['the CA that the pod was given', ca.certificate],
  )
})

test('the token is read again each time, because the kubelet replaces it', async (t) => {
  const { identity, authority, after, tokenFile } = await setup(t)
  await identity.tick()
  await writeFile(tokenFile, 'the next token')
  await after(5 * MINUTE_MS)
  assert.deepEqual(
    authority.asked.map(({ token }) => token),
    [TOKEN, 'the next token'],
  )
})

test('a certificate of an hour is renewed after 40 minutes', async (t) => {
  const { identity, authority, after } = await setup(t)
  authority.lifeMs = HOUR_MS
  await identity.tick()
  await after(39 * MINUTE_MS)
  await after(MINUTE_MS)
  assert.deepEqual(kinds(authority.asked), ['certificate', 'trust', 'certificate'])
})

test('a started identity asks until it is closed, and then aborts a pending request', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { identity, authority, lines } = await setup(t, { random: 0.5 })
  const asked = Promise.withResolvers<AuthorityRequest>()
  authority.answer = async (request) => {
    asked.resolve(request)
    const { promise, reject } = Promise.withResolvers<never>()
    request.signal.addEventListener('abort', () => reject(request.signal.reason))
    return promise
  }
  identity.start()
  const { signal } = await asked.promise
  identity.close()
  assert.ok(signal.aborted)
  await new Promise(setImmediate)
  t.mock.timers.tick(HOUR_MS)
  assert.deepEqual([authority.asked.length, lines], [1, []])
})

test('a certificate of a clock that is ahead is used, and another is asked for every few minutes until the clock is right', async (t) => {
  const { identity, authority, after, used, messages } = await setup(t)
  authority.aheadMs = 30 * 24 * HOUR_MS
  await identity.tick()
  assert.equal(identity.missing, undefined)
  await after(4.9 * MINUTE_MS)
  assert.equal(authority.asked.length, 1)
  await after(0.2 * MINUTE_MS)
  authority.aheadMs = 0
  await after(5.1 * MINUTE_MS)
  await after(5.1 * MINUTE_MS)
  assert.deepEqual(kinds(authority.asked), ['certificate', 'certificate', 'certificate', 'trust'])
  assert.equal(used.length, 3)
  const notYet =
    'warn: the certificate is not valid yet: either our clock or that of the webhook is wrong'
  const obtained = 'info: obtained a certificate'
  assert.deepEqual(messages(), [obtained, notYet, obtained, notYet, obtained])
})

test('when both clocks were ahead and are right again, another certificate is asked for at once', async (t) => {
  const { identity, authority, after, used } = await setup(t)
  await after(30 * 24 * HOUR_MS)
  await after(-30 * 24 * HOUR_MS)
  assert.deepEqual(kinds(authority.asked), ['certificate', 'certificate'])
  assert.equal(used.length, 2)
  assert.equal(identity.missing, undefined)
})
