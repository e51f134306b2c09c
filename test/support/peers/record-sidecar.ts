// Records what the sidecar of a checkout answers to the recorded requests of the oldest gateway:
//   node test/support/peers/record-sidecar.ts CHECKOUT COMMIT > test/recordings/peers/sidecar-COMMIT.json
// Its program runs as it is, with the variables that it has always had, beside the simulated broker of this checkout.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Instance } from '#simulation/instance.ts'
import { startBroker } from '../broker.ts'
import { createAuthority, type KeyPair } from '../certificates.ts'
import { ask } from '../https.ts'
import {
  type PeerAnswer,
  type PeerRequest,
  RECORDED,
  readGateway,
  type SidecarRecording,
} from './peer-recordings.ts'

const PORT = 18_443
const [checkout = '.', commit = ''] = process.argv.slice(2)

async function answerTo({ path, headers }: PeerRequest, client: KeyPair): Promise<PeerAnswer> {
  const answer = await ask(PORT, path, { headers, client })
  const { date: _now, ...kept } = answer.headers
  const texts = Object.entries(kept).map(([name, value]) => [name, String(value)])
  return { status: answer.status, headers: Object.fromEntries(texts), body: answer.text }
}

/** Asks until it answers with the status. */
async function awaitStatus(status: number, client: KeyPair): Promise<void> {
  const [request] = readGateway().requests
  if (request === undefined) throw new Error('there is no request')
  const end = Date.now() + 20_000
  while (Date.now() < end) {
    const found = await answerTo(request, client).catch(() => undefined)
    if (found?.status === status) return
    await pause(100)
  }
  throw new Error(`Waited for ${status}`)
}

async function askAll(client: KeyPair): Promise<PeerAnswer[]> {
  const answers: PeerAnswer[] = []
  for (const request of readGateway().requests) answers.push(await answerTo(request, client))
  return answers
}

const folder = await mkdtemp(join(tmpdir(), 'flux-'))
const authority = await createAuthority('flux-metrics CA')
const usage = ['clientAuth'] as const
const gateway = await authority.issue({
  commonName: 'flux-metrics-gateway',
  extendedKeyUsage: usage,
})
const other = await createAuthority('another CA')
const unknown = await other.issue({ commonName: 'flux-metrics-gateway', extendedKeyUsage: usage })
const serving = await authority.issue({ commonName: 'sidecar', dns: ['sidecar'] })
const files = { cert: serving.cert, key: serving.key, ca: authority.cert }
for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
const socket = join(folder, 'local')
const child = spawn(process.execPath, [join(checkout, 'sidecar/main.ts')], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    FLUX_URI: `local://${socket}`,
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: String(PORT),
    TLS_CERT_FILE: join(folder, 'cert'),
    TLS_KEY_FILE: join(folder, 'key'),
    CLIENT_CA_FILE: join(folder, 'ca'),
    CLIENT_ALLOWED_NAMES: 'front-proxy-client,flux-metrics-gateway',
    NAMESPACE: RECORDED.namespace,
    MINICLUSTER: RECORDED.minicluster,
    EXTERNAL_METRICS: 'true',
  },
})
const instance = new Instance({ maxSize: 4, coresPerNode: 8, gpusPerNode: 0, up: 3 })
try {
  await awaitStatus(503, gateway)
  const unread = await askAll(gateway)
  const refused = await askAll(unknown)
  const broker = await startBroker({ path: socket, instance })
  for (const nodes of [2, 2]) instance.submit({ nodes })
  instance.tick(Date.now())
  await awaitStatus(200, gateway)
  const recording: SidecarRecording = {
    how: `test/support/peers/record-sidecar.ts with a checkout of ${commit}`,
    answers: { fresh: await askAll(gateway), unread, unknown: refused },
  }
  process.stdout.write(`${JSON.stringify(recording, undefined, 2)}\n`)
  await broker.close()
} finally {
  child.kill()
  await rm(folder, { recursive: true })
}
