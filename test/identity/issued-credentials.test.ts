import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIssuedCredentials } from '#identity/issued-credentials.ts'
import type { Credentials } from '#serving/https/tls.ts'
import { memoryLog } from '../support/memory-log.ts'
import { frontProxy, namesIn, serveAuthority, started } from './credential-source.ts'

const GATEWAY_NAMES = ['gateway.ns.svc', 'gateway.ns.svc.cluster.local']

async function create(t: Parameters<typeof serveAuthority>[0]) {
  const variables = await serveAuthority(t)
  const authority = {
    url: variables.IDENTITY_URL,
    tokenFile: variables.IDENTITY_TOKEN_FILE,
    ca: variables.IDENTITY_CA,
  }
  const source = createIssuedCredentials({ authority, names: GATEWAY_NAMES }, memoryLog().log)
  t.after(() => source.close())
  return { source, ca: variables.projectCa }
}

test('before the first certificate there is nothing to show as a client', async (t) => {
  const { source } = await create(t)
  assert.equal(source.asClient(), undefined)
})

test('a server and a client have one certificate, and trust different CAs', async (t) => {
  const { source, ca } = await create(t)
  const { cert, key, clientCa } = await started(source)
  await new Promise(setImmediate)
  assert.deepEqual(
    namesIn({ cert, key, clientCa }),
    GATEWAY_NAMES.map((name) => `DNS:${name}`),
  )
  assert.equal(clientCa, frontProxy.cert)
  assert.deepEqual(source.asClient(), { cert, key, ca })
  assert.equal(source.asClient(), source.asClient())
})

test('an expired certificate is not shown as a client either', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.now() })
  const { source } = await create(t)
  const used: Credentials[] = []
  const first = Promise.withResolvers<void>()
  source.start((credentials) => {
    used.push(credentials)
    first.resolve()
  })
  await first.promise
  await new Promise(setImmediate)
  assert.notEqual(source.asClient(), undefined)
  t.mock.timers.tick(25 * 3_600_000)
  assert.deepEqual([used.at(-1), source.asClient()], [source.first, undefined])
})
