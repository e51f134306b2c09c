// The gateway's identity: who gets it, and that names never come from anywhere but the token and the objects of its pod.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createKeyAndRequest } from '#identity/signing-request.ts'
import type { NewObject } from '../../../webhook/kubernetes/cluster.ts'
import {
  accepted,
  GATEWAY_NAMES,
  GATEWAY_POD,
  GATEWAY_USER,
  gatewayPod,
  job,
  leadBroker,
  miniCluster,
  type ReviewStatus,
  reviewer,
  TOKEN,
} from '../../support/lead-broker.ts'
import { runs } from '../../support/runs.ts'
import { bodyOf, CSR, HEADER, refusal, setup, TRUST } from '../issuing.ts'

const { csr: GATEWAY_CSR } = createKeyAndRequest(GATEWAY_NAMES)

/** The gateway's pod, and a token of a status. */
function given(
  status: ReviewStatus = accepted(GATEWAY_POD, GATEWAY_USER),
  pod: NewObject = gatewayPod(),
) {
  const made = setup({ objects: [miniCluster(), job(), leadBroker(), pod] })
  made.cluster.review = reviewer({ [TOKEN]: status })
  return made
}

test('the gateway is issued a certificate for its Service, by which sidecars know it as a client', async () => {
  const { ask, issued, lines, counts } = given()
  // It answers the front proxy alone.
  const expected = { certificate: 'a certificate', ca: TRUST.ca, requestHeader: HEADER }
  assert.deepEqual(await ask({ csr: GATEWAY_CSR }), expected)
  assert.deepEqual(issued, [{ names: GATEWAY_NAMES, clientName: 'flux-metrics-gateway' }])
  const who = { client: 'gateway', namespace: 'flux-metrics', pod: GATEWAY_POD.name }
  assert.deepEqual(lines, [
    { level: 'info', ...who, outcome: 'Issued', names: GATEWAY_NAMES, msg: 'identity issued' },
  ])
  assert.deepEqual(await counts(), { Issued: 1 })
})

test('a front proxy of any name stays one of any name', async () => {
  const header = { ...HEADER, allowedNames: [] }
  const { requestHeader } = await setup({ requestHeader: { header } }).ask()
  assert.deepEqual(requestHeader.allowedNames, [])
})

const REFUSED: readonly [
  what: string,
  outcome: string,
  made: ReturnType<typeof given>,
  csr?: string,
][] = [
  ["asks for a sidecar's names", 'WrongNames', given(), CSR],
  [
    "is a sidecar that asks for the gateway's names",
    'WrongNames',
    given(accepted(), leadBroker()),
    GATEWAY_CSR,
  ],
  [
    'is another account of its namespace',
    'NotInjected',
    given(accepted(GATEWAY_POD, 'system:serviceaccount:flux-metrics:flux-metrics-webhook')),
  ],
  [
    'is of the same name in another namespace',
    'NotInjected',
    given(
      accepted(GATEWAY_POD, 'system:serviceaccount:hpc:flux-metrics-gateway'),
      gatewayPod({ namespace: 'hpc' }),
    ),
  ],
  [
    'runs as another account than its token says',
    'NotTheGateway',
    given(undefined, gatewayPod({}, { serviceAccountName: 'default' })),
  ],
  ['was deleted', 'PodGone', given(accepted({ ...GATEWAY_POD, name: 'gone' }, GATEWAY_USER))],
  [
    'was replaced by another of its name',
    'PodGone',
    given(accepted({ ...GATEWAY_POD, uid: 'uid-before' }, GATEWAY_USER)),
  ],
  ['has ended', 'PodGone', given(undefined, { ...gatewayPod(), status: { phase: 'Succeeded' } })],
  ['shows a token of no pod', 'NotAPodsToken', given(accepted({}, GATEWAY_USER))],
  [
    'shows a token of another audience',
    'TokenRefused',
    given({ ...accepted(GATEWAY_POD, GATEWAY_USER), audiences: ['https://kubernetes.default'] }),
  ],
  ['shows an expired token', 'TokenRefused', given({ error: 'service account token has expired' })],
]

for (const [what, outcome, made, csr = GATEWAY_CSR] of REFUSED) {
  test(`a gateway that ${what} is refused`, async () => {
    assert.equal((await refusal(made, { csr })).outcome, outcome)
  })
}

const NAMESPACES = ['flux-metrics', 'hpc', 'web']
/** One of them is called like the gateway. */
const MINICLUSTERS = ['lammps', 'flux-metrics-gateway']
const ACCOUNTS = ['default', 'flux-metrics-gateway', 'flux-metrics-webhook']

/** In every namespace the same names, as far as Kubernetes allows: only UIDs and namespaces tell them apart. */
const POPULATION = NAMESPACES.flatMap((namespace) => [
  gatewayPod({ namespace, name: 'gateway', uid: `${namespace} gateway` }),
  ...MINICLUSTERS.flatMap((name) => {
    const id = { namespace, name, uid: `${namespace} ${name}` }
    const owner = (apiVersion: string, kind: string) => ({
      ownerReferences: [{ apiVersion, kind, name, uid: id.uid, controller: true }],
    })
    return [
      miniCluster(id),
      job({ ...id, ...owner('flux-framework.org/v1alpha2', 'MiniCluster') }),
      leadBroker({ ...id, name: `${name}-0`, ...owner('batch/v1', 'Job') }),
    ]
  }),
])

const aBearer = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  account: fc.constantFrom(...ACCOUNTS),
  pod: fc.constantFrom('gateway', ...MINICLUSTERS.map((name) => `${name}-0`)),
})

function namesOf({ namespace, account, pod }: { namespace: string; account: string; pod: string }) {
  if (namespace === 'flux-metrics' && account === 'flux-metrics-gateway') return GATEWAY_NAMES
  const minicluster = pod.slice(0, -2)
  return [
    `custom-metrics-apiserver.${namespace}.svc`,
    `${minicluster}.${namespace}.miniclusters.flux-metrics`,
  ]
}

test('whatever tokens, pods and requests: the names of a certificate are those of the bearer', async () => {
  const numRuns = runs(4_000)
  let certified = 0
  await fc.assert(
    fc.asyncProperty(aBearer, aBearer, fc.boolean(), async (bearer, wanted, lies) => {
      const { namespace, account, pod } = bearer
      const uidOf = ({ namespace, pod }: typeof bearer) => `${namespace} ${pod.replace(/-0$/, '')}`
      const claims = { name: pod, uid: uidOf(lies ? wanted : bearer) }
      const user = `system:serviceaccount:${namespace}:${account}`
      const { cluster, issue, issued } = setup({ objects: POPULATION })
      cluster.review = reviewer({ [TOKEN]: accepted(claims, user) })
      const { csr } = createKeyAndRequest(namesOf(wanted))
      await issue({ token: TOKEN, body: bodyOf({ csr }), peer: '10.0.0.1' }).catch(() => undefined)
      if (issued.length === 0) return
      certified += 1
      assert.equal(claims.uid, uidOf(bearer))
      assert.deepEqual(issued[0]?.names, namesOf(bearer))
      assert.deepEqual(namesOf(wanted), namesOf(bearer))
      const isGateway = namespace === 'flux-metrics' && account === 'flux-metrics-gateway'
      assert.equal(issued[0]?.clientName, isGateway ? 'flux-metrics-gateway' : undefined)
    }),
    { numRuns },
  )
  assert.ok(certified > numRuns / 50, `only ${certified} certificates were issued`)
})
