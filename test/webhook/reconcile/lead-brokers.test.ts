// A survey of a large cluster, whose API server makes up each part when it is asked for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Collection, ListOptions, ListPage } from '../../../webhook/kubernetes/cluster.ts'
import { survey } from '../../../webhook/reconcile/lead-brokers.ts'

const PODS = 1_000
const MINICLUSTERS = 4_000

/** As long as kubectl's `last-applied-configuration` is with a large brokerConfig. */
const LONG = 'x'.repeat(20_000)

function metadataOf(kind: string, at: number) {
  const place = { name: `mc-${at}`, namespace: `ns-${at % 100}`, uid: `uid-${at}` }
  const annotations = { 'flux-metrics/enabled': at % 2 === 0 ? 'true' : 'false', long: LONG }
  if (kind === 'MiniCluster') return { ...place, annotations }
  return {
    ...place,
    creationTimestamp: '2026-11-24T01:02:03Z',
    annotations: { 'batch.kubernetes.io/job-completion-index': '0', long: LONG },
    ownerReferences: [
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        name: `mc-${at}`,
        uid: `uid-of-job-${at}`,
        controller: true,
      },
    ],
  }
}

function largeCluster() {
  const asked: Collection[] = []
  const list = async (collection: Collection, options: ListOptions): Promise<ListPage> => {
    asked.push(collection)
    const start = Number(options.continue ?? '0')
    const count = collection.kind === 'Pod' ? PODS : MINICLUSTERS
    const end = Math.min(count, start + options.limit)
    const metadata = Array.from({ length: end - start }, (_, at) => ({
      metadata: metadataOf(collection.kind, start + at),
    }))
    const items = JSON.parse(JSON.stringify(metadata))
    return { items, continue: end < count ? String(end) : undefined }
  }
  return { cluster: { list }, asked }
}

test('a survey of 4,000 MiniClusters reads metadata in parts of 100, and keeps what is needed alone', async () => {
  const { cluster, asked } = largeCluster()
  const { leadBrokers, asks, isCut } = await survey(cluster)
  assert.deepEqual([leadBrokers.length, isCut], [PODS, false])
  assert.deepEqual(
    [asks('ns-2', 'mc-2'), asks('ns-3', 'mc-3'), asks('ns-3', 'mc-2')],
    [true, false, false],
  )
  assert.equal(asked.length, (PODS + MINICLUSTERS) / 100)
  assert.ok(asked.every(({ metadataOnly }) => metadataOnly === true))
  const kept = JSON.stringify(leadBrokers)
  assert.ok(kept.length / PODS < 400, `${kept.length} characters`)
  assert.ok(!kept.includes('xxxx'))
})
