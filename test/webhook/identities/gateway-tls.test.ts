// Gateway and sidecar over TLS, each with what the authority has given it: who is accepted, who is refused, and the time around a
// rotation of the CA, when one side knows the new CA and the other does not. The sidecar's server and its verifier are those that
// sidecars have had since before there was a gateway.
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { type TestContext, test } from 'node:test'
import { FRONT_PROXY } from '#api/front-proxy.ts'
import { createKeyAndRequest } from '#identity/signing-request.ts'
import { createClientVerifier } from '#serving/https/client-verifier.ts'
import { HttpsServer } from '#serving/https/server.ts'
import type { ServingKeys } from '#serving/https/tls.ts'
import { createCaKeys, issueLeaf } from '../../../webhook/authority/certificate-authority.ts'
import { SETTLE_MS } from '../../../webhook/authority/rotation.ts'
import { generateKeys, toPem } from '../../../webhook/authority/x509.ts'
import { createAuthority } from '../../support/certificates.ts'
import {
  accepted,
  GATEWAY_NAMES,
  GATEWAY_POD,
  GATEWAY_USER,
  gatewayPod,
  job,
  leadBroker,
  miniCluster,
  NAMES,
  reviewer,
  TOKEN,
} from '../../support/lead-broker.ts'
import { memoryLog } from '../../support/memory-log.ts'
import {
  apiService,
  renew,
  setup as setupAuthority,
  webhookConfiguration,
} from '../authority/replicas.ts'
import { bodyOf, HEADER, setup } from '../issuing.ts'

const frontProxy = await createAuthority('front-proxy-ca')
const aggregator = await frontProxy.issue({
  commonName: 'front-proxy-client',
  extendedKeyUsage: ['clientAuth'],
})

const GATEWAY_TOKEN = `${TOKEN}-of-the-gateway`

/** A certificate with its key, and whom to trust, in both directions. */
interface Granted extends ServingKeys {
  readonly ca: string
  readonly clientCa: string
  readonly allowedNames: readonly string[]
}

/** A cluster with its authority, a sidecar and a gateway. */
async function world() {
  const objects = [miniCluster(), job(), leadBroker(), gatewayPod()]
  const made = setupAuthority([webhookConfiguration(), apiService()])
  const { authority } = made.replica()
  await authority.tick()
  const header = { ...HEADER, clientCa: frontProxy.cert }
  const { cluster, issue } = setup({ objects, authority, requestHeader: { header } })
  cluster.review = reviewer({
    [TOKEN]: accepted(),
    [GATEWAY_TOKEN]: accepted(GATEWAY_POD, GATEWAY_USER),
  })
  const grant = async (token: string, names: readonly string[]): Promise<Granted> => {
    const { key, csr } = createKeyAndRequest(names)
    const issued = await issue({ token, body: bodyOf({ csr }), peer: '10.0.0.1' })
    const { certificate: cert = '', ca, requestHeader } = issued
    return { cert, key, ca, ...requestHeader }
  }
  return {
    authority,
    sidecar: () => grant(TOKEN, NAMES),
    gateway: () => grant(GATEWAY_TOKEN, GATEWAY_NAMES),
    /** The next CA is trusted from now on. */
    prepare: async (wish: string) => {
      renew(made.cluster, wish)
      await authority.tick()
    },
    /** The next CA signs from now on. */
    switch: async () => {
      for (const ms of [0, SETTLE_MS]) {
        made.clock.ms += ms
        await authority.tick()
      }
    },
  }
}

/** Serves with what a sidecar was given; answers what it thinks of its client. */
async function serve(t: TestContext, { cert, key, clientCa, allowedNames }: Granted) {
  const verifier = createClientVerifier(() => allowedNames, FRONT_PROXY)
  const server = new HttpsServer({
    handler: ({ socket }, response) => {
      const verdict = verifier.verify(socket)
      response.end(verdict.kind === 'verified' ? `verified: ${verdict.name}` : verdict.reason)
    },
    credentials: { cert, key, clientCa },
    expectsClientCa: true,
    log: memoryLog().log,
  })
  const { port } = await server.listen({ port: 0, address: '127.0.0.1' })
  t.after(() => server.drain(0))
  return port
}

/** Asks as the gateway does: the sidecar's certificate must have the name of its MiniCluster. */
async function ask(
  port: number,
  client: ServingKeys | undefined,
  { ca }: { readonly ca: string },
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const asked = request(
    { host: '127.0.0.1', port, ca, servername: NAMES[1], agent: false, ...client },
    async (response) => resolve(Buffer.concat(await Array.fromAsync(response)).toString()),
  )
  asked.on('error', reject)
  asked.end()
  return promise
}

const ACCEPTED = 'verified: flux-metrics-gateway'

test('a sidecar accepts the gateway beside the front proxy, and the gateway the sidecar', async (t) => {
  const { sidecar, gateway } = await world()
  const port = await serve(t, await sidecar())
  const asking = await gateway()
  assert.equal(await ask(port, asking, asking), ACCEPTED)
  assert.equal(await ask(port, aggregator, asking), 'verified: front-proxy-client')
})

/** With the common name of the gateway, by a CA that nobody trusts. */
async function forged(): Promise<ServingKeys> {
  const { publicKey, privateKey } = await generateKeys()
  const request = { publicKey, names: GATEWAY_NAMES, clientName: 'flux-metrics-gateway' }
  const cert = await issueLeaf(await createCaKeys(Date.now()), request, Date.now())
  return { cert, key: await toPem(privateKey) }
}

const STRANGERS: Readonly<
  Record<string, readonly [RegExp, (w: Awaited<ReturnType<typeof world>>) => Promise<ServingKeys>]>
> = {
  'another sidecar': [/INVALID_PURPOSE/, ({ sidecar }) => sidecar()],
  'the webhook': [
    /INVALID_PURPOSE/,
    async ({ authority }) => authority.servingKeys ?? assert.fail(),
  ],
  "another CA's client of the same name": [/UNABLE_TO_VERIFY_LEAF_SIGNATURE/, forged],
}

for (const [who, [why, keysOf]] of Object.entries(STRANGERS)) {
  test(`a sidecar refuses ${who} as a client`, async (t) => {
    const made = await world()
    const port = await serve(t, await made.sidecar())
    const verdict = await ask(port, await keysOf(made), await made.gateway())
    assert.match(verdict, /^its certificate was not issued by/)
    assert.match(verdict, why)
  })
}

test('a sidecar refuses a client without a certificate', async (t) => {
  const { sidecar, gateway } = await world()
  const port = await serve(t, await sidecar())
  assert.match(await ask(port, undefined, await gateway()), /^it sent no certificate/)
})

test('a gateway answers the front proxy alone, and no other gateway', async (t) => {
  const { gateway, sidecar } = await world()
  const { clientCa, allowedNames } = await gateway()
  const port = await serve(t, { ...(await sidecar()), clientCa, allowedNames })
  const asking = await gateway()
  assert.match(await ask(port, asking, asking), /^its certificate was not issued by/)
  assert.equal(await ask(port, aggregator, asking), 'verified: front-proxy-client')
})

test('around rotations of the CA, gateway and sidecar of any two times accept each other', async (t) => {
  const made = await world()
  const both = async () => ({ sidecar: await made.sidecar(), gateway: await made.gateway() })
  const times = [await both()]
  for (const wish of ['one', 'two']) {
    await made.prepare(wish)
    times.push(await both())
    await made.switch()
    times.push(await both())
  }
  const cas = new Set(times.map(({ sidecar }) => sidecar.ca))
  assert.equal(cas.size, 3, 'a switch changes the text of the bundle')
  assert.equal(new Set(times.map(({ sidecar }) => sidecar.clientCa)).size, 3)
  for (const { sidecar } of times) {
    const port = await serve(t, sidecar)
    for (const { gateway } of times) assert.equal(await ask(port, gateway, gateway), ACCEPTED)
  }
})
