// The doctor on a real cluster, about MiniClusters and HPAs: each hop is broken, the doctor sees exactly that, and nothing once it is
// mended. Breaks of hops that do not hang on each other are made together.
import assert from 'node:assert/strict'
import { isSince } from '../../webhook/kubernetes/server-version.ts'
import { createAuthority } from '../support/certificates.ts'
import { postControl } from './support/control.ts'
import { ALWAYS } from './support/patient.ts'
import { codesOf, create, encoded, withPatient } from './support/patient-cases.ts'
import { readVersion, SCALES_TO_ZERO_SINCE } from './support/server-version.ts'
import { holds } from './support/wait.ts'

withPatient('the doctor, about MiniClusters and HPAs', {
  'it finds nothing where nothing is wrong': async (patient) => {
    await patient.shows(['hpa-none'])
    await create(patient.hpa)
    await patient.shows([])
    const { exitCode, findings } = await patient.ask()
    assert.deepEqual([exitCode, codesOf(findings)], [0, ALWAYS])
    await patient.showsOnly(['minicluster-absent'], 'nobody')
  },

  'the settings of an HPA': async (patient) => {
    const { hpa, namespace } = patient
    const { spec } = hpa
    const [metric] = spec.metrics
    assert.ok(metric?.type === 'Object')
    const follow = (object: object) => [{ type: 'Object', object: { ...metric.object, ...object } }]
    const { scaleUp, scaleDown } = spec.behavior ?? {}
    const policies = (value: number) => [{ type: 'Pods', value, periodSeconds: 15 }]
    const { tolerance: _tolerance, ...tolerant } = scaleUp ?? {}
    const scalesToZero = isSince((await readVersion()).version, SCALES_TO_ZERO_SINCE)
    const broken = [
      // Older API servers refuse it.
      ...(scalesToZero ? [[['hpa-minimum-zero'], { minReplicas: 0 }] as const] : []),
      [
        ['hpa-above-maximum', 'hpa-tolerance', 'hpa-feedback'],
        {
          maxReplicas: 12,
          metrics: follow({ metric: { name: 'node_up_count' } }),
          behavior: { scaleUp: { ...tolerant, policies: policies(12) }, scaleDown },
        },
      ],
      [
        ['hpa-below-minimum', 'hpa-below-maximum', 'hpa-average-value', 'hpa-growth-slow'],
        {
          minReplicas: 1,
          maxReplicas: 3,
          metrics: follow({ target: { type: 'AverageValue', averageValue: '2' } }),
          behavior: { scaleUp: { ...scaleUp, policies: policies(1) }, scaleDown },
        },
      ],
      [
        ['hpa-value', 'hpa-growth-off', 'hpa-shrinks-at-once'],
        {
          metrics: follow({ target: { type: 'Value', value: '1' } }),
          behavior: {
            scaleUp: { ...scaleUp, selectPolicy: 'Disabled' },
            scaleDown: { ...scaleDown, stabilizationWindowSeconds: 0 },
          },
        },
      ],
      [['hpa-metric'], { metrics: follow({ metric: { name: 'node_desired_counts' } }) }],
      [
        ['hpa-described-object', 'hpa-target-missing'],
        {
          metrics: follow({
            describedObject: { ...metric.object.describedObject, name: 'another' },
            target: { type: 'Value', averageValue: '1' },
          }),
        },
      ],
      [
        ['hpa-usage', 'hpa-failing'],
        {
          metrics: [
            {
              type: 'Resource',
              resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
            },
          ],
        },
      ],
      [
        ['hpa-failing'],
        {
          metrics: follow({
            metric: { name: 'node_desired_count', selector: { matchLabels: { queue: 'none' } } },
          }),
        },
      ],
      [
        ['external-not-enabled'],
        {
          metrics: [
            {
              type: 'External',
              external: {
                metric: {
                  name: 'node_desired_count',
                  selector: { matchLabels: { minicluster: patient.name } },
                },
                target: { type: 'AverageValue', averageValue: '1' },
              },
            },
          ],
        },
      ],
      [
        ['hpa-target'],
        { scaleTargetRef: { apiVersion: 'batch/v1', kind: 'Job', name: patient.name } },
      ],
    ] as const
    for (const [codes, change] of broken) {
      await patient.replaceHpa({ ...hpa, spec: { ...spec, ...change } })
      await patient.shows(codes)
    }
    await patient.mend()
    await create({ ...hpa, metadata: { name: 'second', namespace } })
    await patient.shows(['hpa-several'])
    await patient.run('delete', 'hpa', 'second')
    await patient.shows([])
  },

  'a MiniCluster that its operator does not follow, and one without a Job': async (patient) => {
    const { name } = patient
    await patient.stopOperator()
    await patient.create({ name: 'unborn' })
    await patient.patch('minicluster', name, { spec: { size: 3 } })
    await patient.shows(['operator-behind'])
    await patient.shows(['job-absent', 'hpa-none'], 'unborn')
    await patient.patch('minicluster', name, { spec: { minSize: 3, size: 2 } })
    await patient.shows(['operator-refuses', 'hpa-below-minimum'])
    await patient.patch('minicluster', name, { spec: { minSize: 2 } })
    await patient.patch('minicluster', name, { status: { size: 4 } }, '--subresource=status')
    await patient.shows(['status-size'])
    await patient.patch('minicluster', name, { status: { size: 2 } }, '--subresource=status')
    await patient.run('delete', 'minicluster', 'unborn')
    await patient.mend()
    await patient.shows([])
  },

  'annotations, and settings of scheduler, hosts and sizes': async (patient) => {
    const { name } = patient
    const leadBroker = { address: 'lead', name, port: 8050, size: 2 }
    await patient.patch('minicluster', name, {
      metadata: { annotations: { 'flux-metrics/log-levle': 'debug' } },
      spec: { maxSize: null, flux: { scheduler: { simple: false }, bursting: { leadBroker } } },
    })
    await patient.shows(['annotation', 'scheduler', 'scheduler', 'bursting', 'no-maximum'])
    await patient.mend()
    await patient.shows([])
  },

  'lead brokers without pod, without sidecar, and with a certificate of others': async (
    patient,
  ) => {
    const { namespace } = patient
    const enabled = { 'flux-metrics/enabled': 'true' }
    const { cert, issue } = await createAuthority('another')
    const { cert: leaf, key } = await issue({ commonName: 'a', dns: [`a.${namespace}.svc`] })
    const data = { 'tls.crt': encoded(`${leaf}\n${cert}`), 'tls.key': encoded(key) }
    await create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls', namespace }, data })
    const plain = { annotations: { 'flux-metrics/protect': 'false' } }
    await patient.create({ name: 'plain', ...plain })
    await patient.create({
      name: 'foreign',
      annotations: { ...enabled, 'flux-metrics/tls-secret': 'tls' },
    })
    await patient.create({ name: 'sockless' }, { flux: { disableSocket: true } })
    await patient.create({ name: 'nowhere' }, { pod: { nodeSelector: { none: 'none' } } })
    await patient.shows(['not-enabled', 'hpa-none'], 'plain')
    await patient.run('annotate', 'minicluster', 'plain', 'flux-metrics/enabled=true')
    const [plainly] = await patient.shows(['not-injected', 'hpa-none'], 'plain')
    assert.equal(plainly?.reason, 'CreatedBefore')
    const [sockless] = await patient.shows(['not-injected', 'hpa-none'], 'sockless')
    assert.equal(sockless?.reason, 'SocketDisabled')
    await patient.shows(['lead-pod-absent', 'hpa-none'], 'nowhere')
    await patient.shows(['sidecar-identity', 'hpa-none'], 'foreign')
    await patient.run('delete', 'miniclusters', 'plain', 'sockless', 'nowhere', '--wait=false')
    const [pod = ''] = (
      await patient.run(
        'get',
        'pods',
        '-l',
        'job-name=foreign',
        '-o=jsonpath={.items[*].metadata.name}',
      )
    ).split(' ')
    await holds('the end of the Job', async () => {
      // A request through the pod proxy may be lost.
      await postControl({ namespace, pod }, '/shutdown', {})
      const succeeded = '-o=jsonpath={.status.succeeded}'
      return (await patient.run('get', 'job', 'foreign', succeeded)) === '1'
    })
    await patient.showsOnly(['minicluster-finished'], 'foreign')
    await patient.run(
      'patch',
      'minicluster',
      'foreign',
      '--type=merge',
      '--patch={"metadata":{"finalizers":["e2e.flux-metrics/wait"]}}',
    )
    await patient.run('delete', 'minicluster', 'foreign', '--wait=false')
    await patient.showsOnly(['minicluster-going'], 'foreign')
    await patient.run(
      'patch',
      'minicluster',
      'foreign',
      '--type=merge',
      '--patch={"metadata":{"finalizers":null}}',
    )
  },
})
