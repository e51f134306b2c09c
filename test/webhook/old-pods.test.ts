// Containers that are started again long after their pod was created: they know only the CA of that time, and get a certificate
// from the webhook of today, over real TLS. OpenSSL has the clock of this machine, so the pods are created in the past.
import assert from 'node:assert/strict'
import dns from 'node:dns'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Identity } from '#identity/identity.ts'
import type { Credentials } from '#serving/https/tls.ts'
import { HOUR_MS } from '../../webhook/authority/certificate-authority.ts'
import { createAuthority } from '../support/certificates.ts'
import {
  job,
  leadBroker,
  miniCluster,
  NAMES,
  requestHeader,
  reviewer,
  TOKEN,
} from '../support/lead-broker.ts'
import { MemoryCluster } from '../support/memory-cluster.ts'
import { memoryLog } from '../support/memory-log.ts'
import {
  apiService,
  Clock,
  renew,
  replica,
  SECRET,
  SERVER_NAME,
  secretData,
  webhookConfiguration,
} from './authority/replicas.ts'
import { start } from './whole-life.ts'

const DAY_MS = 24 * HOUR_MS
const YEAR_MS = 365 * DAY_MS

const frontProxy = await createAuthority('front-proxy-ca')

function objects() {
  return [
    webhookConfiguration(),
    apiService(),
    requestHeader(frontProxy.cert),
    miniCluster(),
    job(),
    leadBroker(),
  ]
}

/** An API server and its webhook, at a time in the past. */
function past(beforeMs: number) {
  const cluster = new MemoryCluster(objects())
  cluster.review = reviewer()
  const clock = new Clock()
  clock.ms -= beforeMs
  const { authority } = replica(cluster, clock)
  const currentCa = () => secretData(cluster)['current.crt'] ?? assert.fail()
  return {
    cluster,
    authority,
    /** Lets time pass, a tick a week, and more of them while a rotation is under way. */
    async pass(ms: number) {
      for (const end = clock.ms + ms; clock.ms < end; ) {
        const busy = 'next.crt' in secretData(cluster)
        clock.ms = Math.min(end, clock.ms + (busy ? 10_000 : 7 * DAY_MS))
        await authority.tick()
      }
    },
    /** Lets a requested renewal happen. */
    async renewal(wish: string) {
      const before = currentCa()
      renew(cluster, wish)
      for (let count = 0; count < 10 && currentCa() === before; count += 1) {
        clock.ms += 10_000
        await authority.tick()
      }
      assert.notEqual(currentCa(), before)
    },
  }
}

/** Starts the webhook, and in a pod's container the identity. @returns its credentials, or why it has none */
async function restart(
  t: TestContext,
  { cluster, ca }: { readonly cluster: MemoryCluster; readonly ca: string },
): Promise<Credentials | string | undefined> {
  const { certificatesPort } = await start(t, { cluster })
  t.mock.method(dns, 'lookup', (...given: readonly unknown[]) => {
    const answer = given.at(-1)
    assert.ok(typeof answer === 'function')
    answer(null, [{ address: '127.0.0.1', family: 4 }])
  })
  const folder = await mkdtemp(join(tmpdir(), 'old-pod-'))
  t.after(() => rm(folder, { recursive: true }))
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, TOKEN)
  let held: Credentials | undefined
  const identity = new Identity({
    url: `https://${SERVER_NAME}:${certificatesPort}`,
    ca,
    tokenFile,
    names: NAMES,
    log: memoryLog().log,
    onCredentials: (credentials) => {
      held = credentials
    },
  })
  t.after(() => identity.close())
  await identity.tick()
  return held ?? identity.missing
}

test('a pod of a year and three rotations ago gets a certificate', async (t) => {
  const { cluster, authority, renewal, pass } = past(YEAR_MS)
  await authority.tick()
  const ca = authority.bundle
  for (const wish of ['1', '2', '3']) {
    await pass(YEAR_MS / 4)
    await renewal(wish)
  }
  await pass(YEAR_MS / 4 - 10 * 60_000)
  assert.ok(!authority.bundle.includes(ca))
  const answer = await restart(t, { cluster, ca })
  assert.ok(typeof answer === 'object', String(answer))
})

test('a pod of four years ago gets a certificate, after all rotations that were due', async (t) => {
  const { cluster, authority, pass } = past(4 * YEAR_MS + 200 * DAY_MS)
  await authority.tick()
  // The worst time: the CA has signed for months, and the next one is not there yet.
  await pass(200 * DAY_MS)
  const ca = authority.bundle
  const known = new Set<string>()
  for (let year = 0; year < 4; year += 0.25) {
    await pass(YEAR_MS / 4 - 10 * 60_000)
    known.add(authority.bundle)
  }
  assert.ok(known.size >= 5)
  const answer = await restart(t, { cluster, ca })
  assert.ok(typeof answer === 'object', String(answer))
})

test('a pod gets a certificate after the webhook was uninstalled for a year, if the Secret was kept', async (t) => {
  const { cluster, authority, renewal } = past(YEAR_MS)
  await authority.tick()
  const ca = authority.bundle
  await renewal('1')
  const answer = await restart(t, { cluster, ca })
  assert.ok(typeof answer === 'object', String(answer))
})

test('a pod gets no certificate after the Secret was deleted with the webhook', async (t) => {
  const { cluster, authority } = past(DAY_MS)
  await authority.tick()
  const ca = authority.bundle
  cluster.remove(SECRET)
  const answer = await restart(t, { cluster, ca })
  assert.match(String(answer), /^no certificate yet: /)
})
