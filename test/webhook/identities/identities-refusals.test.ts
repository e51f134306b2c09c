// Refused requests for an identity, with the reason: one test for each known way to pass for another pod.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewObject } from '../../../webhook/kubernetes/cluster.ts'
import {
  accepted,
  INJECTED,
  job,
  leadBroker,
  miniCluster,
  POD,
  type ReviewStatus,
  reviewer,
  TOKEN,
} from '../../support/lead-broker.ts'
import { refusal, setup } from '../issuing.ts'

const POD_IS = { namespace: 'hpc', pod: POD.name }

for (const token of [undefined, '', 'abc', 'a.b', 'a.b.c.d', 'a..c', 'a.b/c.d']) {
  test(`a request without a token of the kubelet's form is refused: ${JSON.stringify(token)}`, async () => {
    const given = setup()
    assert.deepEqual(await refusal(given, { token }), {
      code: 401,
      why: 'expected a bearer token in "Authorization"',
      outcome: 'NoToken',
      who: {},
    })
    assert.deepEqual(given.cluster.calls, [])
  })
}

/** In the words of kube-apiserver. */
const REFUSED_TOKENS: readonly [what: string, status: ReviewStatus, why: string][] = [
  [
    'that expired',
    { error: '[invalid bearer token, service account token has expired]' },
    '[invalid bearer token, service account token has expired]',
  ],
  [
    'for another audience',
    {
      authenticated: false,
      error: 'token audiences ["vault"] is invalid for the target audiences ["flux-metrics"]',
    },
    'token audiences ["vault"] is invalid for the target audiences ["flux-metrics"]',
  ],
  [
    'of a pod that was deleted',
    { error: '[invalid bearer token, service account token has been invalidated]' },
    '[invalid bearer token, service account token has been invalidated]',
  ],
  ['that is refused without a word', {}, 'it is not for the audience "flux-metrics"'],
  [
    'whose audiences are not told',
    { ...accepted(), audiences: [] },
    'it is not for the audience "flux-metrics"',
  ],
  [
    'that is for the API server',
    { ...accepted(), audiences: ['https://kubernetes.default.svc'] },
    'it is not for the audience "flux-metrics"',
  ],
]

for (const [what, status, why] of REFUSED_TOKENS) {
  test(`a token ${what} is refused`, async () => {
    const given = setup()
    given.cluster.review = reviewer({ [TOKEN]: status })
    assert.deepEqual(await refusal(given), {
      code: 401,
      why: `the API server does not accept the token: ${why}`,
      outcome: 'TokenRefused',
      who: {},
    })
  })
}

test('a token of 10 KiB is sent to the API server', async () => {
  const { outcome, code } = await refusal(setup(), { token: `e30.${'a'.repeat(10_240)}.a` })
  assert.deepEqual([outcome, code], ['TokenRefused', 401])
})

const NOT_OF_PODS: readonly [what: string, status: ReviewStatus][] = [
  ['a person', accepted(POD, 'jane')],
  ['a node', accepted(POD, 'system:node:worker-1')],
  ['a user called like a service account', accepted(POD, 'system:serviceaccount:hpc:a:b')],
  ['a service account of no namespace', accepted(POD, 'system:serviceaccount::default')],
  ['a service account of a path', accepted(POD, 'system:serviceaccount:../hpc:default')],
  ['nobody', { authenticated: true, audiences: ['flux-metrics'] }],
  ['a service account, and of no pod', accepted({})],
  ['a pod without a UID', accepted({ name: POD.name })],
  ['a pod without a name', accepted({ uid: POD.uid })],
]

for (const [what, status] of NOT_OF_PODS) {
  test(`a token of ${what} is refused`, async () => {
    const given = setup()
    given.cluster.review = reviewer({ [TOKEN]: status })
    assert.deepEqual(await refusal(given), {
      code: 403,
      why: 'expected a token that is bound to a pod',
      outcome: 'NotAPodsToken',
      who: {},
    })
  })
}

const GONE: readonly [what: string, status: ReviewStatus, who: object][] = [
  ['that is gone', accepted({ name: 'lammps-0-gone', uid: 'uid-1' }), { pod: 'lammps-0-gone' }],
  ['that another of the same name has replaced', accepted({ ...POD, uid: 'uid-before' }), {}],
  [
    'in another namespace than its account',
    accepted(POD, 'system:serviceaccount:web:default'),
    { namespace: 'web' },
  ],
]

for (const [what, status, who] of GONE) {
  test(`a token of a pod ${what} is refused`, async () => {
    const given = setup()
    given.cluster.review = reviewer({ [TOKEN]: status })
    assert.deepEqual(await refusal(given), {
      code: 403,
      why: 'the pod of the token no longer exists',
      outcome: 'PodGone',
      who: { ...POD_IS, ...who },
    })
  })
}

const index = (value: string) => ({ 'batch.kubernetes.io/job-completion-index': value })
const JOB = { apiVersion: 'batch/v1', kind: 'Job', name: 'lammps', uid: 'uid-of-the-job' }
const owner = (changes: object) => [{ ...JOB, controller: true, ...changes }]
const pod = (...changes: Parameters<typeof leadBroker>) => [
  miniCluster(),
  job(),
  leadBroker(...changes),
]

/** The objects in the cluster; the token is valid in each case. */
const PODS: Readonly<Record<string, Readonly<Record<string, readonly NewObject[]>>>> = {
  'NotInjected: the pod has no injected sidecar': {
    'that copied the labels alone': pod({ annotations: {} }, { initContainers: [] }),
    'that was not injected, and has a container of the name': pod({ annotations: index('0') }),
    'that copied the annotations, and has no sidecar': pod({}, { initContainers: [] }),
  },
  'NotALeadBroker: the pod has index 1: only index 0 runs the lead broker': {
    'of index 1 that copied the labels': pod({ annotations: { ...INJECTED, ...index('1') } }),
  },
  'NotALeadBroker: the pod has no completion index: only index 0 runs the lead broker': {
    'of no Indexed Job': pod({ annotations: { 'flux-metrics/injected': '0.1.0' }, labels: {} }),
  },
  'NotALeadBroker: the pod is not controlled by a Job': {
    'that copied labels and annotations': pod({ ownerReferences: [] }),
    'that has the Job as owner, and not as its controller': pod({
      ownerReferences: owner({ controller: false }),
    }),
    'of a ReplicaSet': pod({
      ownerReferences: owner({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }),
    }),
    'of a Job of another group': pod({
      ownerReferences: owner({ apiVersion: 'batch.example/v1' }),
    }),
  },
  "NotALeadBroker: the pod's Job is not controlled by a MiniCluster": {
    'of a Job that does not exist': [miniCluster(), leadBroker()],
    'of a Job with another UID': [miniCluster(), job({ uid: 'uid-of-a-later-job' }), leadBroker()],
    'of a Job that no MiniCluster controls': [
      miniCluster(),
      job({ ownerReferences: [] }),
      leadBroker(),
    ],
    'of a Job that something else of that kind controls': [
      miniCluster(),
      job({
        ownerReferences: owner({
          apiVersion: 'flux-framework.example/v1',
          kind: 'MiniCluster',
          uid: 'uid-of-the-minicluster',
        }),
      }),
      leadBroker(),
    ],
    'of a MiniCluster that does not exist': [job(), leadBroker()],
    'of a MiniCluster with another UID': [
      miniCluster({ uid: 'uid-of-a-later-one' }),
      job(),
      leadBroker(),
    ],
    'that names the Job of another namespace': [
      miniCluster({ namespace: 'web' }),
      job({ namespace: 'web' }),
      leadBroker(),
    ],
  },
}

for (const [expected, pods] of Object.entries(PODS)) {
  for (const [what, objects] of Object.entries(pods)) {
    test(`a pod ${what} is refused`, async () => {
      const { code, outcome, why, who } = await refusal(setup({ objects }))
      assert.deepEqual([code, `${outcome}: ${why}`, who], [403, expected, POD_IS])
    })
  }
}
