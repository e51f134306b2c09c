// The data of a cluster, with a kubectl that answers as one does.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ClusterData } from '../../../../webhook/cli/dashboard/cluster-data.ts'
import { growingAsTold, known } from '../../../support/dashboard/scenes.ts'
import { type FakeAnswer, fakeKubectl } from '../../../support/fake-kubectl.ts'
import { createMemoryIo } from '../memory-io.ts'

const API = '/apis/custom.metrics.k8s.io/v1beta2'
const ALL = 'miniclusters.flux-framework.org/*/explain'
const RAW = 'get --raw'
const INCLUDE = 'include=jobs,ranks,history,metrics'

const TOLD = growingAsTold()
const EXPLAIN: FakeAnswer = {
  args: `${RAW} ${API}/namespaces/hpc/miniclusters.flux-framework.org/flux-sample/explain?${INCLUDE}`,
  out: JSON.stringify(TOLD),
}
const HPAS: FakeAnswer = {
  args: 'get horizontalpodautoscalers --namespace=hpc --output=json',
  out: '{"items":[]}',
}
const ROWS = { miniclusters: [{ namespace: 'hpc', minicluster: 'a', reason: 'silent' }], more: 0 }
const MINICLUSTER = {
  apiVersion: 'flux-framework.org/v1alpha2',
  kind: 'MiniCluster',
  metadata: { name: 'flux-sample', namespace: 'hpc' },
  spec: { size: 2, minSize: 2, maxSize: 16, containers: [{ image: 'x' }] },
}

async function dataWith(
  t: TestContext,
  answers: readonly FakeAnswer[],
  name: string | undefined = 'flux-sample',
) {
  return dataFrom(await fakeKubectl(t, { args: 'nothing else', others: answers }), name)
}

function dataFrom(env: Record<string, string>, name: string | undefined = 'flux-sample') {
  const { io } = createMemoryIo({ env })
  const { signal } = new AbortController()
  return new ClusterData({ io, kubectl: {}, namespace: 'hpc', name, signal })
}

test('the state is the explanation, and what Kubernetes says of its HPAs', async (t) => {
  const data = await dataWith(t, [EXPLAIN, HPAS])
  assert.deepEqual(data.start.subject, { namespace: 'hpc', name: 'flux-sample' })
  assert.deepEqual(await data.state(null), known(TOLD, ['none scales this MiniCluster']))
})

test('why there is no state is said in the words of kubectl', async (t) => {
  const refused = { ...EXPLAIN, out: '', err: 'Error from server (Forbidden): no', code: 1 }
  const data = await dataWith(t, [refused, HPAS])
  const reason = 'Error from server (Forbidden): no'
  assert.deepEqual(await data.state(null), { kind: 'unknown', reason })
})

test('an answer that is no explanation is not passed on', async (t) => {
  const data = await dataWith(t, [{ ...EXPLAIN, out: '{"summary":"<script>"}' }, HPAS])
  const state = await data.state(null)
  assert.equal(state.kind, 'unknown')
  assert.match(state.kind === 'unknown' ? state.reason : '', /^unexpected answer of the sidecar/)
})

test('of an explanation only what the page shows is passed on', async (t) => {
  const out = JSON.stringify({ ...TOLD, html: '<script>alert(1)</script>' })
  const data = await dataWith(t, [{ ...EXPLAIN, out }, HPAS])
  assert.ok(!JSON.stringify(await data.state(null)).includes('alert'))
})

test('names and reasons reach the page with what nobody sees as escapes', async (t) => {
  const hidden = 'a\u202eb\u200b\u2066'
  const shown = 'a\\u{202e}b\\u{200b}\\u{2066}'
  const job = { id: hidden, user: 1, queue: hidden, waitedSeconds: 1, ranks: '0' }
  const jobs = { first: [{ ...job, waitsFor: hidden, text: hidden }], more: 0 }
  const drains = [{ ranks: '0', reason: hidden, isOwn: false }]
  const said = { summary: hidden, reasons: [hidden], warnings: [hidden], unknowns: [hidden] }
  const out = JSON.stringify({ ...TOLD, ...said, jobs, drains })
  const data = await dataWith(t, [{ ...EXPLAIN, out }, HPAS])
  const known = await data.state(null)
  const told = JSON.stringify(known)
  assert.equal(known.kind, 'known')
  assert.equal(told.split(JSON.stringify(shown).slice(1, -1)).length - 1, 9)
  assert.doesNotMatch(told, /[\u202e\u200b\u2066]/)
  const refused = { ...EXPLAIN, out: '', err: hidden, code: 1 }
  const unknown = await (await dataWith(t, [refused, HPAS])).state(null)
  assert.deepEqual(unknown, { kind: 'unknown', reason: shown })
  const row = { namespace: 'hpc', minicluster: 'a', reason: hidden }
  const list = JSON.stringify({ miniclusters: [row], more: 0 })
  const listed = await dataWith(t, [{ args: `${RAW} ${API}/${ALL}`, out: list }])
  assert.match(JSON.stringify(await listed.list()), /"reason":"a\\\\u\{202e\}b/)
})

test('the list has all namespaces if the user may read them', async (t) => {
  const out = JSON.stringify(ROWS)
  const data = await dataWith(t, [{ args: `${RAW} ${API}/${ALL}`, out }], '')
  assert.deepEqual(await data.list(), { kind: 'known', overview: ROWS, note: null })
})

test('else it has the namespace of the context, and says so', async (t) => {
  const data = await dataWith(t, [
    { args: `${RAW} ${API}/${ALL}`, err: 'Forbidden', code: 1 },
    { args: `${RAW} ${API}/namespaces/hpc/${ALL}`, out: JSON.stringify(ROWS) },
  ])
  const note = 'Only namespace hpc is listed. Forbidden'
  assert.deepEqual(await data.list(), { kind: 'known', overview: ROWS, note })
})

test('a list that nobody may read is not known, for the first reason', async (t) => {
  const data = await dataWith(t, [
    { args: `${RAW} ${API}/${ALL}`, err: 'Forbidden', code: 1 },
    { args: `${RAW} ${API}/namespaces/hpc/${ALL}`, err: 'Forbidden there', code: 1 },
  ])
  assert.deepEqual(await data.list(), { kind: 'unknown', reason: 'Forbidden' })
})

test('an API without a list says what to do', async (t) => {
  const data = await dataWith(t, [{ args: `${RAW} ${API}/${ALL}`, out: '{"items":[]}' }])
  const reason = 'the metrics API did not answer a list: name a MiniCluster'
  assert.deepEqual(await data.list(), { kind: 'unknown', reason })
})

test('the HPA of a metric is made from the MiniCluster and the version of its API server', async (t) => {
  const get = 'get miniclusters.flux-framework.org flux-sample --namespace=hpc --output=json'
  const minicluster = { args: get, out: JSON.stringify(MINICLUSTER) }
  const version = (minor: string) => ({
    args: `${RAW} /version`,
    out: `{"gitVersion":"v1.${minor}.1"}`,
  })
  const yamlOf = async (minor: string) => {
    const data = await dataWith(t, [minicluster, version(minor)])
    const state = await data.hpa(null, 'node_desired_count')
    return state.kind === 'known' ? state.yaml : state.reason
  }
  assert.match(await yamlOf('37'), /tolerance: 0/)
  assert.match(await yamlOf('34'), /node_desired_compensated_count/)
  const none = await dataWith(t, [{ args: get, err: 'not found', code: 1 }, version('37')])
  assert.deepEqual(await none.hpa(null, 'x'), { kind: 'unknown', reason: 'not found' })
})

test('an HPA is of the MiniCluster as it is now, and a failure is not kept', async (t) => {
  const args = 'get miniclusters.flux-framework.org flux-sample --namespace=hpc --output=json'
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const env = { ...(await fakeKubectl(t, { args: 'nothing else' })) }
  const data = dataFrom(env)
  const ask = async (maxSize: number | undefined) => {
    const spec = { ...MINICLUSTER.spec, maxSize }
    const out = JSON.stringify({ ...MINICLUSTER, spec })
    const others = maxSize === undefined ? [] : [{ args, out }]
    env.PATH = (await fakeKubectl(t, { args: 'nothing else', others })).PATH
    const state = await data.hpa(null, 'node_desired_count')
    now += 2_000
    return state.kind === 'known' ? /maxReplicas: \d+/.exec(state.yaml)?.[0] : state.kind
  }
  assert.equal(await ask(undefined), 'unknown')
  assert.equal(await ask(16), 'maxReplicas: 16')
  assert.equal(await ask(4), 'maxReplicas: 4')
})
