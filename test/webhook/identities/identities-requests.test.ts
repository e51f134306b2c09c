// The certificate requests that a pod may send, and those that are refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createRequest,
  dns,
  forge,
  P384,
  type RequestOptions,
  rsa,
} from '../../support/certificate-requests.ts'
import { NAMES, POD } from '../../support/lead-broker.ts'
import { CSR, refusal, setup } from '../issuing.ts'

const WHO = { client: 'sidecar', namespace: 'hpc', pod: POD.name, minicluster: 'lammps' }
const MAY = `only ${NAMES.join(', ')}`

const KEYS: readonly [options: RequestOptions, got: string][] = [
  [{ algorithm: rsa(1024) }, 'RSASSA-PKCS1-v1_5 of 1024 bits'],
  [{ algorithm: rsa(2048) }, 'RSASSA-PKCS1-v1_5 of 2048 bits'],
  [{ algorithm: P384 }, 'ECDSA on P-384'],
]

for (const [options, got] of KEYS) {
  test(`a request with another key than P-256 is refused: ${got}`, async () => {
    const csr = await createRequest({ names: dns(...NAMES), ...options })
    assert.deepEqual(await refusal(setup(), { csr }), {
      code: 403,
      why: `expected a key on the curve P-256, got ${got}`,
      outcome: 'WeakKey',
      who: WHO,
    })
  })
}

const [SERVICE] = NAMES

const WRONG: readonly [wrong: string, options: RequestOptions][] = [
  [
    'flux-metrics-webhook.flux-metrics.svc',
    { names: dns('flux-metrics-webhook.flux-metrics.svc') },
  ],
  ['custom-metrics-apiserver.web.svc', { names: dns(SERVICE, 'custom-metrics-apiserver.web.svc') }],
  ['other.hpc.miniclusters.flux-metrics', { names: dns('other.hpc.miniclusters.flux-metrics') }],
  ['Custom-Metrics-Apiserver.hpc.svc', { names: dns('Custom-Metrics-Apiserver.hpc.svc') }],
  [`${SERVICE}.`, { names: dns(`${SERVICE}.`) }],
  ['*.hpc.svc', { names: dns('*.hpc.svc') }],
  ['*', { names: dns('*') }],
  ['', { names: dns('') }],
  ['ip:10.0.0.1', { names: [...dns(SERVICE), { type: 'ip', value: '10.0.0.1' }] }],
  ['email:root@hpc.example', { names: [{ type: 'email', value: 'root@hpc.example' }] }],
  ['url:spiffe://hpc/lammps', { names: [{ type: 'url', value: 'spiffe://hpc/lammps' }] }],
  ['kube-apiserver', { commonName: 'kube-apiserver' }],
]

for (const [wrong, options] of WRONG) {
  test(`a request for another name is refused: "${wrong}"`, async () => {
    const csr = await createRequest(options)
    assert.deepEqual(await refusal(setup(), { csr }), {
      code: 403,
      why: `the pod may not have the name "${wrong}", ${MAY}`,
      outcome: 'WrongNames',
      who: WHO,
    })
  })
}

test('a long name is quoted in part', async () => {
  const csr = await createRequest({ names: dns('a'.repeat(5_000)) })
  const { why } = await refusal(setup(), { csr })
  assert.equal(why, `the pod may not have the name "${'a'.repeat(100)}", ${MAY}`)
})

test('a request that another key has signed is refused', async () => {
  assert.deepEqual(await refusal(setup(), { csr: forge(CSR) }), {
    code: 400,
    why: 'cannot read the certificate request: expected it to be signed with its own key',
    outcome: 'BadCertificateRequest',
    who: WHO,
  })
})

for (const csr of ['', 'nonsense']) {
  test(`a text that is not a certificate request is refused: "${csr}"`, async () => {
    assert.deepEqual(await refusal(setup(), { csr }), {
      code: 400,
      why: 'cannot read the certificate request: expected a certificate signing request in PEM',
      outcome: 'BadCertificateRequest',
      who: WHO,
    })
  })
}
