// What others write about pods without a node, as Kubernetes 1.37 and node autoscalers wrote it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  autoscalerCause,
  isOfAutoscaler,
  plain,
  refusalCause,
  schedulerCauses,
} from '../../../../webhook/gateway/shortage/reasons.ts'

test('the causes of the scheduler, the most frequent first', () => {
  const cases = [
    [
      '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
      'Insufficient cpu',
    ],
    [
      "0/7 nodes are available: 1 Insufficient cpu, 4 node(s) had untolerated taint {a: b, c: }, 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/7 nodes are available: 7 Preemption is not helpful for scheduling.",
      "nodes had untolerated taint {a: b, c: }, nodes didn't match Pod's node affinity/selector, Insufficient cpu",
    ],
    [
      '0/9 nodes are available: 4 Insufficient cpu, 3 Insufficient memory, 2 Too many pods, 1 node(s) were unschedulable, 1 x.',
      'Insufficient cpu, Insufficient memory, Too many pods, 2 more',
    ],
    ['no nodes available to schedule pods', 'no nodes available to schedule pods'],
    [
      'pod has unbound immediate PersistentVolumeClaims. not found',
      'pod has unbound immediate PersistentVolumeClaims. not found',
    ],
    ['0/3 nodes are available: ', '0/3 nodes are available:'],
    ['', ''],
  ] as const
  for (const [message, expected] of cases) assert.equal(schedulerCauses(message), expected)
})

test('what the API server says of a pod that it refuses', () => {
  const about = 'Error creating: pods "lammps-6-x7k2p" is forbidden: '
  assert.equal(
    refusalCause(
      `${about}exceeded quota: compute, requested: requests.cpu=1, used: requests.cpu=5, limited: requests.cpu=5`,
    ),
    'quota compute is exceeded (requested: requests.cpu=1, used: requests.cpu=5, limited: requests.cpu=5)',
  )
  assert.equal(
    refusalCause(`(combined from similar events): ${about}maximum cpu usage per Pod is 1`),
    'maximum cpu usage per Pod is 1',
  )
  assert.equal(refusalCause('something else'), 'something else')
})

test('autoscalers are told from the scheduler, and what they say is short', () => {
  const said = (reason: string, component: string, message: string) => ({
    ...{ reason, component, message },
  })
  const limits = said(
    'FailedScheduling',
    'karpenter',
    'Failed to schedule pod, all available instance types exceed limits for nodepool (NodePool=default)',
  )
  const cases = [
    [limits, 'NodePool default: the limits are reached (karpenter)'],
    [
      {
        ...limits,
        message:
          'Failed to schedule pod, all available instance types exceed limits for nodepool (NodePool=spot); node limits have been exhausted for nodepool (NodePool=on-demand)',
      },
      'NodePools spot, on-demand: the limits are reached (karpenter)',
    ],
    // Written by Karpenter 1.14 once a first node had used up most of the limit.
    [
      {
        ...limits,
        message:
          'Failed to schedule pod, no instance type has enough resources, requirements=karpenter.sh/nodepool In [default], kubernetes.io/os In [linux], resources={"cpu":"3","pods":"1"}',
      },
      'karpenter: no instance type has enough resources',
    ],
    [
      {
        ...limits,
        message:
          'Failed to schedule pod, node limits have been exhausted for nodepool (NodePool=default)',
      },
      'NodePool default: the limits are reached (karpenter)',
    ],
    [
      {
        ...limits,
        message:
          'Failed to schedule pod, all available instance types exceed limits for nodepool: "default"',
      },
      'NodePool default: the limits are reached (karpenter)',
    ],
    [
      said(
        'NotTriggerScaleUp',
        'cluster-autoscaler',
        "pod didn't trigger scale-up (it wouldn't fit if a new node is added): 1 max node group size reached",
      ),
      'cluster-autoscaler: 1 max node group size reached',
    ],
    [
      said('TriggeredScaleUp', 'cluster-autoscaler', 'pod triggered scale-up: [{a 1->2 (max: 9)}]'),
      'cluster-autoscaler: a node is on its way (pod triggered scale-up: [{a 1->2 (max: 9)}])',
    ],
    [
      said(
        'FailedScaleUp',
        'cluster-autoscaler',
        'Node scale up in zones a associated with this pod failed: GCE out of resources.',
      ),
      'cluster-autoscaler: Node scale up in zones a associated with this pod failed: GCE out of resources.',
    ],
    [
      said('Nominated', 'karpenter', 'Pod should schedule on: nodeclaim/default-x2b4q'),
      'karpenter: a node is on its way (Pod should schedule on: nodeclaim/default-x2b4q)',
    ],
  ] as const
  for (const [one, expected] of cases) {
    assert.equal(isOfAutoscaler(one), true)
    assert.equal(autoscalerCause(one), expected)
  }
  assert.equal(isOfAutoscaler({ ...limits, component: 'default-scheduler' }), false)
  assert.equal(isOfAutoscaler(said('Pulling', 'kubelet', '')), false)
})

test('texts of others come out on one line, short, and without control characters', () => {
  assert.equal(plain(' a\u001b[31m\nb\u2028c\u202e '), 'a [31m b c')
  const endless = `${'x'.repeat(10_000_000)}\u0007`
  for (const shortened of [
    plain(endless),
    schedulerCauses(endless),
    schedulerCauses(`0/1 nodes are available: ${'1 y, '.repeat(1_000_000)}`),
    refusalCause(`exceeded quota: ${endless}, requested: ${endless}`),
    autoscalerCause({ reason: 'FailedScheduling', component: endless, message: endless }),
  ]) {
    assert.ok(shortened.length < 400, `${shortened.length}`)
    assert.doesNotMatch(shortened, /\p{C}/u)
  }
})
