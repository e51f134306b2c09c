// An identity whose authority does not answer, or whose answer cannot be used.
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import { HOUR_MS } from '../../webhook/authority/certificate-authority.ts'
import { createAuthority } from '../support/certificates.ts'
import { NAMES, TOKEN } from '../support/lead-broker.ts'
import { setup } from './driven-identity.ts'

const MINUTE_MS = 60_000
const AWAY = 'the authority at webhook.svc cannot be reached: connect ECONNREFUSED'

function refuse(message: string) {
  return async (): Promise<never> => {
    throw new Error(message)
  }
}

test('while the authority is not reachable at first, the reason is logged once, and each request is for the same key', async (t) => {
  const { identity, authority, after, used, messages } = await setup(t)
  const { answer } = authority
  authority.answer = refuse(AWAY)
  assert.deepEqual(
    [await identity.tick(), await after(100), await after(250)],
    [false, false, false],
  )
  assert.equal(identity.missing, `no certificate yet: ${AWAY}`)
  authority.answer = answer
  await after(500)
  assert.deepEqual([identity.missing, used.length], [undefined, 1])
  assert.equal(new Set(authority.asked.map(({ csr }) => csr)).size, 1)
  assert.deepEqual(messages(), [
    'warn: no certificate: only health is served; asking the authority again',
    'info: obtained a certificate',
  ])
})

test('another reason is logged again', async (t) => {
  const { identity, authority, after, lines } = await setup(t)
  for (const reason of [AWAY, AWAY, 'the authority answered 403: not enabled', AWAY]) {
    authority.answer = refuse(reason)
    await after(5_000)
    assert.equal(identity.missing, `no certificate yet: ${reason}`)
  }
  assert.equal(lines.length, 3)
})

test('a reason that stays the same is logged again every ten minutes, also if the clock is set back', async (t) => {
  const { authority, after, lines } = await setup(t)
  authority.answer = refuse(AWAY)
  for (let seconds = 0; seconds < 3600; seconds += 30) await after(30_000)
  assert.equal(lines.length, 6)
  await after(-24 * HOUR_MS)
  assert.equal(lines.length, 7)
})

test('a missing token file is a reason', async (t) => {
  const { identity, authority, tokenFile } = await setup(t)
  await rm(tokenFile)
  assert.equal(await identity.tick(), false)
  assert.match(
    identity.missing ?? '',
    /^no certificate yet: cannot read the token of this pod: ENOENT: .*token'$/,
  )
  assert.deepEqual(authority.asked, [])
})

test('while the authority is not reachable later, the certificate is kept until it expires, and that is logged', async (t) => {
  const { identity, authority, after, clock, used, lines } = await setup(t)
  await identity.tick()
  const until = lines[0]?.until
  authority.answer = refuse(AWAY)
  for (let hour = 0; hour < 23; hour += 1) assert.equal(await after(HOUR_MS), false)
  assert.deepEqual([identity.missing, used.length], [undefined, 1])
  assert.deepEqual(identity.allowedNames, ['front-proxy-client'])
  assert.equal(
    identity.problem,
    `the certificate, which ends at ${until}, cannot be renewed: ${AWAY}`,
  )
  const msg = 'cannot renew the identity: keeping the current one; asking the authority again'
  assert.deepEqual(lines[1], { level: 'warn', reason: AWAY, until, msg })
  lines.length = 0
  clock.ms += HOUR_MS
  assert.equal(await identity.tick(), false)
  assert.equal(identity.missing, `the certificate has expired: ${AWAY}`)
  assert.equal(used.at(-1), undefined)
  assert.deepEqual([used.length, identity.problem], [2, undefined])
  assert.deepEqual(lines[0], { level: 'error', reason: AWAY, msg: 'the certificate has expired' })
})

test('after a certificate has expired, another one is obtained as at first', async (t) => {
  const { identity, authority, after, used, messages } = await setup(t)
  await identity.tick()
  const { answer } = authority
  authority.answer = refuse(AWAY)
  await after(24 * HOUR_MS)
  authority.answer = answer
  assert.equal(await after(30_000), true)
  const [first, none, second] = used
  assert.deepEqual([identity.missing, none], [undefined, undefined])
  assert.notEqual(first?.cert, second?.cert)
  assert.equal(messages().at(-1), 'info: obtained a certificate')
})

test('a certificate that expired while the pod was suspended is missing at once', async (t) => {
  const { identity, authority, clock, used } = await setup(t)
  await identity.tick()
  authority.answer = refuse(AWAY)
  clock.ms += 25 * HOUR_MS
  const ticked = identity.tick()
  assert.equal(identity.missing, 'the certificate has expired')
  assert.equal(used.at(-1), undefined)
  assert.equal(await ticked, false)
})

test('after an expiry that the server could not follow, a new certificate is obtained', async (t) => {
  let calls = 0
  const { identity, after, used } = await setup(t, {
    onCredentials: () => {
      calls += 1
      if (calls === 2) throw new Error('the server refused the placeholder')
    },
  })
  await identity.tick()
  assert.equal(await after(25 * HOUR_MS), false)
  assert.match(identity.missing ?? '', /^the certificate has expired/)
  assert.equal(await after(250), true)
  assert.deepEqual([identity.missing, used.length], [undefined, 2])
})

test('an authority that answers again is logged once', async (t) => {
  const { identity, authority, after, messages } = await setup(t)
  await identity.tick()
  const { answer } = authority
  authority.answer = refuse(AWAY)
  await after(5 * MINUTE_MS)
  authority.answer = answer
  await after(30_000)
  assert.equal(identity.problem, undefined)
  await after(5 * MINUTE_MS)
  assert.deepEqual(messages().slice(1), [
    'warn: cannot renew the identity: keeping the current one; asking the authority again',
    'info: the authority answers again',
  ])
})

const other = await createAuthority('other')
const UNUSABLE: readonly [
  what: string,
  certificate: () => Promise<string | undefined>,
  why: string,
][] = [
  ['no certificate', async () => undefined, 'the authority issued no certificate'],
  [
    'a certificate of another key',
    async () => (await other.issue({ commonName: 'sidecar', dns: NAMES })).cert,
    'the authority issued a certificate for another key',
  ],
]

for (const [what, certificate, why] of UNUSABLE) {
  test(`an answer with ${what} is not used, and the authority is asked again`, async (t) => {
    const { identity, authority, after, used } = await setup(t)
    const { answer } = authority
    authority.answer = async (request) => ({
      ...(await answer(request)),
      certificate: await certificate(),
    })
    assert.equal(await identity.tick(), false)
    assert.deepEqual([identity.missing, identity.allowedNames], [`no certificate yet: ${why}`, []])
    authority.answer = answer
    assert.equal(await after(250), true)
    assert.equal(used.length, 1)
  })
}

test('a certificate that has expired by the local clock is not used', async (t) => {
  const { identity, authority, clock, used } = await setup(t)
  const { answer } = authority
  authority.answer = async (request) => {
    const grant = await answer(request)
    clock.ms += 25 * HOUR_MS
    return grant
  }
  assert.equal(await identity.tick(), false)
  const why = 'the authority issued a certificate that has expired'
  assert.deepEqual([identity.missing, used], [`no certificate yet: ${why}`, []])
})

test('credentials that the server cannot use are asked for again', async (t) => {
  const uses: string[] = []
  const onCredentials = () => {
    uses.push('tried')
    if (uses.length === 1) throw new Error('ca md too weak')
  }
  const { identity, after } = await setup(t, { onCredentials })
  assert.equal(await identity.tick(), false)
  const known = [identity.missing, identity.allowedNames]
  assert.deepEqual(known, ['no certificate yet: ca md too weak', []])
  assert.equal(await after(250), true)
  assert.deepEqual([identity.missing, uses.length], [undefined, 2])
})

test('no line of the log has the token or a key', async (t) => {
  const { identity, authority, after, lines, used } = await setup(t)
  await identity.tick()
  authority.answer = refuse(AWAY)
  await after(5 * MINUTE_MS)
  await after(24 * HOUR_MS)
  const log = JSON.stringify(lines)
  assert.equal(lines.length, 4)
  assert.ok(!log.includes(TOKEN) && !log.includes('PRIVATE KEY'))
  assert.ok(used[0]?.key.includes('PRIVATE KEY'))
})
