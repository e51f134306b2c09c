// Reloads certificates: real files, and a TLS listener that serves each pair. Arguments: the number of reloads.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { HttpsServer } from '#serving/https/server.ts'
import { type Credentials, CredentialWatch, readCredentials } from '#serving/https/tls.ts'
import { createLogger } from '#serving/log.ts'
import { createAuthority } from '../support/certificates.ts'
import { measure } from './measure.ts'
import { report, SAMPLES } from './soaked.ts'

const PAIRS = 5

const perSample = Math.ceil(Number(process.argv[2]) / SAMPLES)
const log = createLogger('silent')
const folder = await mkdtemp(join(tmpdir(), 'soak-'))
const file = (name: string) => join(folder, name)
const files = { cert: file('tls.crt'), key: file('tls.key'), clientCa: file('ca.crt') }

const all = await Promise.all(
  Array.from({ length: PAIRS }, async (_, index) => {
    const authority = await createAuthority(`authority ${index}`)
    const pair = await authority.issue({ commonName: 'sidecar', dns: ['localhost'] })
    return { ...pair, clientCa: authority.cert }
  }),
)

async function put({ cert, key, clientCa = '' }: Credentials): Promise<void> {
  await writeFile(files.cert, cert)
  await writeFile(files.key, key)
  await writeFile(files.clientCa, clientCa)
}

/** The certificate that a new connection sees, while another one, of before the reload, stays open as long as it may. */
async function served(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256
  socket.end()
  await once(socket, 'close')
  return fingerprint
}

const [first] = all
assert.ok(first)
await put(first)
const current = await readCredentials(files)
const server = new HttpsServer({
  handler: (_, response) => response.end('ok'),
  credentials: first,
  log,
})
const { port } = await server.listen({ port: 0, address: '127.0.0.1' })
const onChange = (changed: Partial<Credentials>) => server.update({ ...first, ...changed })
const watch = new CredentialWatch({ files, current, onChange, log })

for (let reload = 1; reload <= perSample * SAMPLES; reload += 1) {
  const next: Credentials = all[reload % PAIRS] ?? first
  await put(next)
  await watch.check()
  assert.equal(await served(port), new X509Certificate(next.cert).fingerprint256)
  if (reload % perSample === 0) report({ sample: measure(reload, 0) })
}
watch.close()
await server.drain(0)
await rm(folder, { recursive: true })
process.disconnect?.()
