import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { adviseOnNodes } from '../../../../webhook/cli/hpa/node-advice.ts'
import { MiniClusterSource } from '../../../../webhook/cli/input/files/minicluster-source.ts'
import { NO_UID } from '../../../../webhook/cli/input/files/objects.ts'
import { PROTECTION } from '../../../../webhook/contract.ts'

const LARGE = { requests: { cpu: '3' } }

/** The advice on a stored MiniCluster. */
function advise({
  annotations = {},
  pod = {},
  uid = 'uid-of-minicluster',
  containers = [{ resources: LARGE }],
}: {
  readonly annotations?: Readonly<Record<string, string>>
  readonly pod?: Readonly<Record<string, string>>
  readonly uid?: string
  readonly containers?: readonly object[]
} = {}) {
  const metadata = {
    name: 'hpc',
    namespace: 'science',
    uid,
    annotations: { 'flux-metrics/enabled': 'true', ...annotations },
  }
  const spec = { size: 2, maxSize: 4, containers, pod: { annotations: pod } }
  return adviseOnNodes(v.parse(MiniClusterSource, { metadata, spec }))
}

test('pods that are protected, or will be, get no advice', () => {
  for (const advice of [
    advise({ pod: PROTECTION }),
    advise({ uid: NO_UID }),
    advise({ annotations: { 'flux-metrics/enabled': 'false' } }),
  ]) {
    assert.deepEqual([advice.protection, advice.warnings], [undefined, []])
  }
})

test('a stored MiniCluster without protection is warned of, with the cures', () => {
  const { protection, warnings } = advise()
  const command =
    'kubectl annotate pods -n science -l job-name=hpc ' +
    'karpenter.sh/do-not-disrupt=true cluster-autoscaler.kubernetes.io/safe-to-evict=false'
  const cure = `create the MiniCluster again, or now and after each growth: ${command}`
  assert.deepEqual(warnings, [
    `flux-metrics/protect: node autoscalers may evict the pods, which ends their jobs: ${cure}`,
  ])
  assert.match(
    protection ?? '',
    /^Node autoscalers may evict these pods .*\nThe MiniCluster was created without/,
  )
  assert.ok(protection?.endsWith(cure))
})

for (const [what, options, why] of [
  [
    'opted out',
    { annotations: { 'flux-metrics/protect': 'false' } },
    'flux-metrics/protect is "false".',
  ],
  [
    'was set to the contrary',
    { pod: { ...PROTECTION, 'karpenter.sh/do-not-disrupt': 'false' } },
    'spec.pod.annotations of the MiniCluster says so.',
  ],
] as const) {
  test(`what its user ${what} is said in a comment, without a warning`, () => {
    const { protection, warnings } = advise(options)
    assert.deepEqual([protection?.split('\n').at(-1), warnings], [why, []])
  })
}

const SHARED: readonly (readonly [what: string, containers: readonly object[]])[] = [
  ['no requests', [{}]],
  ['small requests', [{ resources: { requests: { cpu: '500m', memory: '1Gi' } } }]],
  [
    'small requests',
    [{ name: 'a', resources: { limits: { cpu: '900m', 'ephemeral-storage': '90Gi' } } }],
  ],
]

for (const [what, containers] of SHARED) {
  test(`pods as ${JSON.stringify(containers)} share nodes: a warning says what it costs`, () => {
    const { sharing, warnings } = advise({ pod: PROTECTION, containers })
    assert.equal(warnings.length, 1)
    assert.ok(
      warnings[0]?.startsWith(`spec.containers.resources: ${what}, so several pods share a node`),
    )
    assert.ok(sharing.includes(`This MiniCluster has ${what}`))
  })
}

const ALONE: readonly (readonly [requested: string, containers: readonly object[]])[] = [
  ['cpu 3', [{ resources: LARGE }]],
  ['cpu 8', [{ resources: { limits: { cpu: 8 } } }]],
  ['memory 2Gi', [{ resources: { requests: { memory: '2Gi' } } }]],
  ['nvidia.com/gpu 1', [{ resources: { limits: { 'nvidia.com/gpu': 1 } } }]],
  [
    'cpu 1200m',
    [
      { runFlux: true, resources: { limits: { cpu: '2' }, requests: { cpu: '600m' } } },
      { name: 'helper', resources: { requests: { cpu: '600m' } } },
    ],
  ],
]

for (const [requested, containers] of ALONE) {
  test(`pods that request ${requested} may have nodes of their own: a comment says when`, () => {
    const { sharing, warnings } = advise({ pod: PROTECTION, containers })
    assert.deepEqual(warnings, [])
    assert.ok(
      sharing.endsWith(
        `A pod requests ${requested}: one pod a node needs more than half of a node.`,
      ),
      sharing,
    )
  })
}
