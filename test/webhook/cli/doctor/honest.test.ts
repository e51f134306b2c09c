// What doctor says is fine was seen, and what it tells to do ends no jobs without saying so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AUTHORITY,
  encoded,
  FORBIDDEN,
  healthyObjects,
  kedaHpa,
  NOT_FOUND,
  type Objects,
  OTHER,
  reportOf,
  say,
  set,
} from './cluster.ts'

async function reportAfter(act: (objects: Objects) => void) {
  const objects = healthyObjects()
  act(objects)
  const report = await reportOf(objects)
  return {
    ...report,
    codes: report.findings.map(({ code }) => code),
    fixes: report.findings.map(({ fix }) => fix),
    fine: (name: string) => report.passed.find(({ check }) => check === name)?.what,
  }
}

function hpas(objects: Objects) {
  const [good] = Object(objects.hpas).items
  const named = (name: string, spec: object) => {
    return { ...good, metadata: { ...good.metadata, name }, spec: { ...good.spec, ...spec } }
  }
  return { good: named('z-good', {}), named }
}

const CPU = { metrics: [{ type: 'Resource', resource: {} }] }

test('without an HPA nothing is said of its metric, its settings and its rights', async () => {
  const { fine, unchecked } = await reportAfter((objects) => set(objects, 'hpas', ['items'], []))
  assert.deepEqual(unchecked, [{ check: 'hpa-conditions', because: 'of hpa-none' }])
  assert.doesNotMatch(`${fine('hpa-settings')}, ${fine('hpa-rights')}`, /suit|may read/)
})

for (const conditions of [undefined, [], [{ type: 'AbleToScale', status: 'True' }]]) {
  test(`an HPA with ${JSON.stringify(conditions)} as conditions is not said to scale`, async () => {
    const { codes, fine } = await reportAfter((objects) =>
      set(objects, 'hpas', ['items', 0, 'status'], { conditions }),
    )
    assert.deepEqual([codes, fine('hpa-conditions')], [['not-answered'], undefined])
  })
}

for (const [what, act] of [
  ['is not published', (objects: Objects) => Object.assign(objects, { ca: NOT_FOUND })],
  [
    'is of somebody else',
    (objects: Objects) => {
      for (const place of ['v1beta1', 'v1beta2', 'webhook'] as const)
        set(objects, place, ['metadata', 'labels'], undefined)
      const { cert } = OTHER
      set(objects, 'v1beta2', ['spec', 'caBundle'], encoded(cert))
      set(objects, 'webhook', ['webhooks', 0, 'clientConfig', 'caBundle'], encoded(cert))
    },
  ],
] as const) {
  test(`a CA that ${what} is not said to be ours`, async () => {
    const { codes, fine } = await reportAfter(act)
    assert.deepEqual(codes, [])
    assert.match(`${fine('metrics-ca')}`, /was not compared/)
    assert.match(`${fine('webhook-ca')}`, /was not compared/)
  })
}

test('a CA that was compared is said to be ours', async () => {
  const { fine } = await reportAfter((objects) => {
    objects.ca = { data: { 'ca.crt': AUTHORITY.cert } }
  })
  assert.match(`${fine('metrics-ca')} ${fine('webhook-ca')}`, /is of the CA .* is of the CA /)
})

test('pods that were not looked at are not said to be protected', async () => {
  const { fine } = await reportAfter((objects) =>
    set(objects, 'pods', ['metadata', 'continue'], 'a token'),
  )
  assert.match(`${fine('protection')}`, /the others were not looked at/)
})

test('what the sidecar says of the scheduler that runs is told where the spec says otherwise', async () => {
  const text =
    'Fluxion with match-policy "first", its default, does not fill the lowest nodes first, but shrinking removes the highest nodes: set [sched-fluxion-resource] match-policy = "lonode"'
  const warn = (objects: Objects) => say(objects, 'warning', { code: 'scheduler-fills-high', text })
  assert.deepEqual((await reportAfter(warn)).codes, ['flux-warning'])
  const both = await reportAfter((objects) => {
    warn(objects)
    set(objects, 'minicluster', ['spec', 'flux', 'scheduler'], { queuePolicy: 'conservative' })
  })
  assert.deepEqual(both.codes, ['scheduler'])
})

test('a lead broker whose pod is complete is not said to have no pod', async () => {
  const { findings } = await reportAfter((objects) =>
    set(objects, 'pods', ['items', 0, 'status', 'phase'], 'Succeeded'),
  )
  const [{ code, message } = { code: '', message: '' }] = findings
  assert.equal(code, 'lead-pod-absent')
  assert.match(message, /^its lead broker has ended: pod \S+ of index 0 is complete/)
})

test('an external API that the user may not read is not said to be unavailable', async () => {
  const { codes } = await reportAfter((objects) => {
    const target = { type: 'AverageValue', averageValue: '1' }
    const external = { metric: { name: 'node_desired_count' }, target }
    set(objects, 'hpas', ['items', 0, 'spec', 'metrics'], [{ type: 'External', external }])
    objects.external = {
      metadata: { name: 'v1beta1.external.metrics.k8s.io' },
      spec: { service: { namespace: 'flux-metrics', name: 'flux-metrics-gateway' } },
    }
    objects.externalDocument = FORBIDDEN
  })
  assert.deepEqual(codes, ['not-readable'])
})

test('a role for all API groups allows external metrics too', async () => {
  const { codes } = await reportAfter((objects) => {
    set(objects, 'role', ['rules'], [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }])
    const target = { type: 'AverageValue', averageValue: '1' }
    const external = { metric: { name: 'node_desired_count' }, target }
    set(objects, 'hpas', ['items', 0, 'spec', 'metrics'], [{ type: 'External', external }])
  })
  assert.deepEqual(codes, ['external-api-absent'])
})

test('CPU beside the size that jobs need ends no jobs', async () => {
  const { codes } = await reportAfter((objects) => {
    const { metrics } = hpas(objects).good.spec
    set(objects, 'hpas', ['items', 0, 'spec', 'metrics'], [...metrics, ...CPU.metrics])
  })
  assert.deepEqual(codes, [])
})

test('of several HPAs the one without mistakes is kept', async () => {
  const { fixes } = await reportAfter((objects) => {
    const { good, named } = hpas(objects)
    set(objects, 'hpas', ['items'], [named('a-cpu', CPU), good])
  })
  const [several] = fixes.filter((fix) => fix.includes('delete hpa'))
  assert.equal(several, 'delete all but one: kubectl delete hpa -n default a-cpu')
})

test('of several HPAs with mistakes none is named', async () => {
  const { fixes } = await reportAfter((objects) => {
    const { named } = hpas(objects)
    set(objects, 'hpas', ['items'], [named('a', CPU), named('b', CPU)])
  })
  const [several = ''] = fixes.filter((fix) => fix.includes('delete hpa'))
  assert.match(several, /keep one that follows node_desired_count.* NAME$/)
})

test('a size that is refused is set to that of the Job, which ends no jobs', async () => {
  const { fixes } = await reportAfter((objects) => set(objects, 'minicluster', ['spec', 'size'], 5))
  assert.match(`${fixes}`, /^set spec.size to 2, the size that its Job has/)
})

test('where the size of the Job is refused too, it is said that a smaller one ends jobs', async () => {
  const { fixes } = await reportAfter((objects) => {
    set(objects, 'minicluster', ['spec', 'size'], 9)
    set(objects, 'job', ['spec', 'completions'], 7)
  })
  assert.match(`${fixes}`, /within 1 to 4 \(a smaller size than now ends the jobs/)
})

test('where a quota may refuse the sidecar, the pod is not given up for nothing', async () => {
  const { codes, fixes } = await reportAfter((objects) => {
    const lead = ['items', 0] as const
    set(objects, 'pods', [...lead, 'metadata', 'annotations', 'flux-metrics/injected'], undefined)
    set(objects, 'pods', [...lead, 'spec', 'initContainers', 1, 'name'], 'other')
    objects.explain = NOT_FOUND
    objects.quotas = FORBIDDEN
  })
  assert.deepEqual(codes, ['not-injected', 'not-readable'])
  assert.match(`${fixes[0]}`, /^see that they leave room for it; then delete the pod, which ends/)
})

const SIDECAR = ['items', 0, 'status', 'initContainerStatuses', 1] as const

for (const [what, act] of [
  [
    'an image that cannot be pulled',
    (objects: Objects) => {
      const state = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off' } }
      set(objects, 'pods', [...SIDECAR, 'state'], state)
    },
  ],
  [
    'too little memory',
    (objects: Objects) => {
      const finishedAt = new Date(Date.now() - 60_000).toISOString()
      const terminated = { exitCode: 137, reason: 'OOMKilled', finishedAt }
      set(objects, 'pods', [...SIDECAR, 'lastState'], { terminated })
    },
  ],
] as const) {
  test(`the fix of ${what} says that it ends jobs`, async () => {
    assert.match(`${(await reportAfter(act)).fixes}`, /create the pod again, which ends its jobs/)
  })
}

test('what is wrong with an HPA of KEDA is mended in its ScaledObject', async () => {
  const { findings } = await reportAfter((objects) => {
    const hpa = kedaHpa(hpas(objects).good)
    set(objects, 'hpas', ['items'], [{ ...hpa, spec: { ...hpa.spec, minReplicas: 1 } }])
    set(objects, 'minicluster', ['spec', 'minSize'], 2)
  })
  assert.deepEqual(
    findings.map(({ code, fix }) => [code, fix]),
    [
      [
        'hpa-below-minimum',
        'in ScaledObject scaled, from which KEDA makes this HPA: set minReplicaCount to 2',
      ],
      [
        'hpa-of-keda',
        'in ScaledObject scaled, from which KEDA makes this HPA: see that the url ends in /node_desired_count, and that minReplicaCount is not left out: its default is 0, at which jobs end (docs/how-to/KEDA.md)',
      ],
    ],
  )
})

test('an HPA of KEDA beside another one goes with its ScaledObject', async () => {
  const { findings } = await reportAfter((objects) => {
    const { good, named } = hpas(objects)
    set(objects, 'hpas', ['items'], [named('cpu', CPU), good, kedaHpa(good)])
  })
  const several = findings.find(({ code }) => code === 'hpa-several')
  assert.equal(
    several?.fix,
    'delete all but one: kubectl delete hpa -n default cpu && kubectl delete scaledobject -n default scaled',
  )
})

// The words of Kubernetes 1.37.
test('HPAs whose bounds exclude each other are said to move the size', async () => {
  const { findings } = await reportAfter((objects) => {
    const { named } = hpas(objects)
    const bounds = [
      { minReplicas: 1, maxReplicas: 2 },
      { minReplicas: 3, maxReplicas: 4 },
    ]
    set(objects, 'hpas', ['items'], [named('a', bounds[0] ?? {}), named('b', bounds[1] ?? {})])
  })
  assert.equal(
    findings.find(({ code }) => code === 'hpa-several')?.message,
    '2 HPAs scale it, and no size is within the bounds of all: it goes from 2 to 3 and back, and jobs end (a, b)',
  )
})

test('HPAs of the same bounds are said to do nothing, as Kubernetes has it', async () => {
  const { findings } = await reportAfter((objects) => {
    const { named } = hpas(objects)
    set(objects, 'hpas', ['items'], [named('a', {}), named('b', {})])
  })
  assert.equal(
    findings.find(({ code }) => code === 'hpa-several')?.message,
    '2 HPAs scale it: Kubernetes lets none of them follow its metric (a, b)',
  )
})

test('an HPA of something else that has the pods, too, is named', async () => {
  const { findings } = await reportAfter((objects) => {
    const message =
      'pods by selector hpa-selector=flux-sample are controlled by more than one HPA (e.g. [default/flux-sample default/web])'
    const condition = { type: 'ScalingActive', status: 'False', reason: 'AmbiguousSelector' }
    set(objects, 'hpas', ['items', 0, 'status', 'conditions'], [{ ...condition, message }])
  })
  const [found] = findings
  assert.equal(found?.code, 'hpa-selector')
  assert.match(`${found?.fix}`, /^let what HPA default\/web scales select by labels/)
})
