// Compares our HpaController with the real controller for random sizes, specs and metrics. The observations can be recorded,
// so that test/webhook/cli/hpa-controller/conformance.test.ts compares with them without a cluster:
//
//   HPA_RECORD=test/recordings/kubernetes/hpa/1.37.jsonl node --test test/e2e/hpa.e2e.ts
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { HpaControllerOptions } from '../../webhook/cli/hpa-controller/controller.ts'
import { isSince } from '../../webhook/kubernetes/server-version.ts'
import { drawHpaCases, type HpaCase, withoutTolerance } from '../support/hpa-cases.ts'
import { plannedSyncs } from '../support/hpa-conformance.ts'
import { formatRecording } from '../support/hpa-recording.ts'
import {
  type Cluster,
  connect,
  createNamespace,
  installCrd,
  remove,
  removeCrd,
} from './support/cluster.ts'
import { createAll, createTargets, hpaOf, keepsTolerance, named } from './support/hpa-objects.ts'
import { type Result, runCases } from './support/hpa-run.ts'
import { type HpaServer, serveHpaMetrics } from './support/hpa-server.ts'
import { readVersion, SCALES_TO_ZERO_SINCE } from './support/server-version.ts'
import { holds } from './support/wait.ts'

const COUNT = 200
/** HPA_SEED draws other cases. */
const SEED = Number(process.env.HPA_SEED ?? 1)
/** The flag of the cluster's controller, which cannot be read from it. */
const DOWNSCALE_STABILIZATION = process.env.HPA_DOWNSCALE_STABILIZATION ?? '5s'

/** An HPA that works when the controller knows MiniClusters and both metrics APIs. */
const FIRST: HpaCase = {
  spec: {
    maxReplicas: 2,
    metrics: [
      {
        type: 'Object',
        object: {
          describedObject: {
            apiVersion: 'flux-framework.org/v1alpha2',
            kind: 'MiniCluster',
            name: '',
          },
          metric: { name: '' },
          target: { type: 'AverageValue', averageValue: 1 },
        },
      },
      {
        type: 'External',
        external: { metric: { name: '' }, target: { type: 'AverageValue', averageValue: 1 } },
      },
    ],
  },
  size: 1,
  statusSize: 1,
  pods: { ready: 0, others: 0 },
  answers: [['1'], ['1']],
}

describe('our HPA controller and the real one', { timeout: 600_000 }, () => {
  let cluster: Cluster
  let namespace: string
  let server: HpaServer | undefined

  before(async () => {
    cluster = connect()
    await installCrd(cluster)
    namespace = await createNamespace(cluster)
    server = await serveHpaMetrics(cluster, namespace)
  })

  after(async () => {
    // First: while its APIServices have no server, no namespace can be deleted.
    await server?.[Symbol.asyncDispose]()
    await remove(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    await removeCrd(cluster)
  })

  it('the controller knows MiniClusters and both metrics APIs', async () => {
    const first = named(FIRST, 'first')
    await createTargets(cluster, namespace, [first])
    await createAll([hpaOf(first, namespace)])
    await holds('two metrics of the first HPA', async () => {
      const hpa = await cluster.autoscaling.readNamespacedHorizontalPodAutoscaler({
        namespace,
        name: first.name,
      })
      return hpa.status?.currentMetrics?.every(({ type }) => type !== '') === true
    })
  })

  it(`both decide alike in ${COUNT} random cases, seed ${SEED}`, async (t) => {
    assert.ok(server)
    const { gitVersion, version } = await readVersion()
    const keeps = await keepsTolerance(named(FIRST, 'tolerant'), namespace)
    if (!keeps) t.diagnostic('The API server does not let an HPA set its tolerance: none does.')
    const drawn = drawHpaCases(COUNT, SEED).map((one) => (keeps ? one : withoutTolerance(one)))
    const cases = drawn.map((one, index) => named(one, `case-${index}`))
    const options: HpaControllerOptions = {
      downscaleStabilizationSeconds: Number.parseFloat(DOWNSCALE_STABILIZATION),
      scaleToZero: isSince(version, SCALES_TO_ZERO_SINCE),
      minor: version.minor,
    }
    const results = await runCases(cases, { cluster, namespace, server, options })
    for (const line of summaryOf(results)) t.diagnostic(line)
    const record = process.env.HPA_RECORD
    if (record !== undefined) {
      const seen = results.map(({ hpaCase, observed }) => ({ hpaCase: hpaCase.drawn, observed }))
      await writeFile(record, formatRecording({ kubernetes: gitVersion, options, cases: seen }))
    }
    const others = results.filter(({ verdict }) => verdict.kind !== 'agrees')
    assert.equal(others.length, 0, others.map(describeResult).join('\n'))
    assert.equal(results.length, COUNT)
  })
})

/** The details of a case in which both differ. */
function describeResult({ hpaCase, observed, verdict }: Result): string {
  const { name, drawn } = hpaCase
  return [name, JSON.stringify(drawn), JSON.stringify(observed), JSON.stringify(verdict)].join('\n')
}

/** The number of compared syncs, and the frequency of each reason. */
function summaryOf(results: readonly Result[]): readonly string[] {
  const syncs = results.flatMap(({ verdict }) => (verdict.kind === 'agrees' ? verdict.syncs : []))
  const planned = results.reduce((sum, { hpaCase }) => sum + plannedSyncs(hpaCase), 0)
  const reasons = syncs.flatMap(({ status }) => Object.values(status.conditions))
  const counts = Object.entries(Object.groupBy(reasons, (reason) => reason))
  return [
    `${syncs.length} of ${planned} syncs compared, the others at the edge of a window`,
    ...counts.map(([reason, all = []]) => `${reason}: ${all.length}`).sort(),
  ]
}
