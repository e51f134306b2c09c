// The gateway with real sidecars, a real webhook and real certificates: what an API server is answered, and what still works when
// a sidecar or the API server is gone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAuthority } from '../support/certificates.ts'
import { miniCluster } from '../support/lead-broker.ts'
import { until } from '../support/until.ts'
import { secretData } from '../webhook/authority/replicas.ts'
import { startFleet } from './gateway-fleet.ts'

const SMALL = { namespace: 'team-a', minicluster: 'small', nodes: 3 }
const LARGE = { namespace: 'team-a', minicluster: 'large', nodes: 5 }
const ALONE = { namespace: 'team-b', minicluster: 'small', nodes: 7 }

const GROUP = '/apis/custom.metrics.k8s.io'
const MINICLUSTERS = 'miniclusters.flux-framework.org'
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1/namespaces'

interface Item {
  readonly describedObject?: { readonly kind: string; readonly name: string }
  readonly metricLabels?: { readonly minicluster: string }
  readonly value: string
}

/** Who has which value. */
function valuesIn({ status, text }: { readonly status: number; readonly text: string }) {
  assert.equal(status, 200, text)
  const { items }: { items: readonly Item[] } = JSON.parse(text)
  return items.map(({ describedObject, metricLabels, value }) => {
    const { kind = 'external', name = metricLabels?.minicluster } = describedObject ?? {}
    return `${kind} ${name}: ${value}`
  })
}

function errorIn({ status, text }: { readonly status: number; readonly text: string }) {
  const { kind, code, message } = JSON.parse(text)
  assert.deepEqual([kind, code], ['Status', status])
  return `${code} ${message}`
}

test('an API server is answered for each MiniCluster, for several, and by the names of the prototype', async (t) => {
  const { get, direct } = await startFleet(t, [SMALL, LARGE, ALONE])
  for (const version of ['v1beta1', 'v1beta2']) {
    const path = `${GROUP}/${version}/namespaces`
    const ask = async (rest: string) => valuesIn(await get(`${path}/${rest}`))
    const metric = 'node_up_count'
    assert.deepEqual(await ask(`team-a/${MINICLUSTERS}/small/${metric}`), ['MiniCluster small: 3'])
    assert.deepEqual(await ask(`team-b/${MINICLUSTERS}/small/${metric}`), ['MiniCluster small: 7'])
    const both = ['MiniCluster large: 5', 'MiniCluster small: 3']
    assert.deepEqual(await ask(`team-a/${MINICLUSTERS}/%2A/${metric}`), both)
    assert.deepEqual(await ask(`team-a/metrics/${metric}`), both)
    const large = '?labelSelector=hpa-selector+in+%28large%2Cx%29'
    assert.deepEqual(await ask(`team-a/${MINICLUSTERS}/%2A/${metric}${large}`), both.slice(0, 1))
    const service = 'services/custom-metrics-apiserver'
    const values = await ask(`team-b/${service}/${metric}`)
    assert.deepEqual(values, ['Service custom-metrics-apiserver: 7'])
    assert.deepEqual(await ask(`team-b/metrics/${metric}`), ['Namespace team-b: 7'])
    assert.match(
      errorIn(await get(`${path}/team-a/${service}/${metric}`)),
      /^404 .*2 MiniClusters with metrics; ask for one of them.*large and small$/,
    )
    const one = `${path}/team-a/${MINICLUSTERS}/small/${metric}`
    const [answer, own] = await Promise.all([get(one), direct(SMALL, one)])
    const withoutTime = (text: string) => text.replaceAll(/"timestamp":"[^"]*"/g, '')
    assert.equal(withoutTime(answer.text), withoutTime(own.text))
    assert.equal(answer.headers['content-type'], own.headers['content-type'])
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  }
  const sum = await get(`${EXTERNAL}/team-a/node_up_count`)
  assert.deepEqual(valuesIn(sum), ['external large: 5', 'external small: 3'])
  const one = await get(`${EXTERNAL}/team-a/node_up_count?labelSelector=minicluster%3Dsmall`)
  assert.deepEqual(valuesIn(one), ['external small: 3'])
})

test('no MiniCluster answers for one that asks for metrics and was not injected', async (t) => {
  const { get, cluster } = await startFleet(t, [ALONE])
  const path = `${GROUP}/v1beta2/namespaces/team-b`
  const service = `${path}/services/custom-metrics-apiserver/node_up_count`
  assert.deepEqual(valuesIn(await get(service)), ['Service custom-metrics-apiserver: 7'])
  const other = miniCluster({ namespace: 'team-b', name: 'not-injected', uid: 'another' })
  cluster.put(other)
  const answer = await get(service)
  assert.match(errorIn(answer), /^404 .*2 MiniClusters with metrics.*not-injected and small$/)
  const sums = [`${path}/metrics/node_up_count`, `${EXTERNAL}/team-b/node_up_count`]
  for (const sum of sums)
    assert.match(errorIn(await get(sum)), /^503 .*1 did not answer \(team-b\/not-injected\)/)
  const own = await get(`${path}/${MINICLUSTERS}/small/node_up_count`)
  assert.deepEqual(valuesIn(own), ['MiniCluster small: 7'])
  cluster.put({ ...other, metadata: { ...other.metadata, annotations: {} } })
  assert.deepEqual(valuesIn(await get(service)), ['Service custom-metrics-apiserver: 7'])
})

test('errors keep the code and the words of the sidecar, and an explanation its format', async (t) => {
  const { get } = await startFleet(t, [SMALL])
  const path = `${GROUP}/v1beta2/namespaces/team-a/${MINICLUSTERS}/small`
  for (const name of ['small', '*']) {
    assert.match(
      errorIn(await get(`${path.replace('small', name)}/node_up_cuont`)),
      /^404 MiniCluster team-a\/small: its sidecar says: .* did you mean "node_up_count"/,
    )
  }
  assert.match(
    errorIn(await get(`${path}/node_up_count?metricLabelSelector=queue%3Ddebug`)),
    /^404 MiniCluster team-a\/small: its sidecar says: .* node_up_count has no labels$/,
  )
  const text = await get(`${path}/explain?format=text`)
  assert.deepEqual([text.status, text.headers['content-type']], [200, 'text/plain; charset=utf-8'])
  assert.match(text.text, /^desired/m)
  const json = await get(`${path}/explain`)
  assert.deepEqual([json.status, json.headers['content-type']], [200, 'application/json'])
  assert.ok('desired' in JSON.parse(json.text), json.text)
  assert.match(errorIn(await get(`${path}/explain?format=html`)), /^400 .*expected json or text$/)
  assert.match(
    errorIn(await get(path.replace('small', 'gone').concat('/node_up_count'))),
    /^404 MiniCluster team-a\/gone is not there$/,
  )
})

test('discovery and OpenAPI are those of a sidecar, byte for byte', async (t) => {
  const { get, direct } = await startFleet(t, [SMALL])
  for (const path of [
    '/apis',
    GROUP,
    `${GROUP}/v1beta1`,
    `${GROUP}/v1beta2`,
    '/apis/external.metrics.k8s.io/v1beta1',
    '/openapi/v2',
    '/openapi/v3',
    `/openapi/v3${GROUP}/v1beta2`,
    '/version',
  ]) {
    const [own, sidecar] = await Promise.all([get(path), direct(SMALL, path)])
    assert.deepEqual([own.status, own.text], [200, sidecar.text], path)
    assert.equal(own.headers.etag, sidecar.headers.etag)
  }
})

test('a sidecar that is gone takes away its own metrics, and is named where all are asked', async (t) => {
  const { get, kill } = await startFleet(t, [SMALL, LARGE])
  const path = `${GROUP}/v1beta2/namespaces/team-a`
  await kill(LARGE)
  const why = /its pod large-0-abcde /
  const alone = errorIn(await get(`${path}/${MINICLUSTERS}/large/node_up_count`))
  assert.match(alone, /^503 MiniCluster team-a\/large: /)
  assert.match(alone, why)
  for (const all of [`${MINICLUSTERS}/*/node_up_count`, 'metrics/node_up_count']) {
    const message = errorIn(await get(`${path}/${all}`))
    assert.match(message, /^503 .*2 MiniClusters: 1 did not answer \(team-a\/large\)/)
    assert.match(message, why)
  }
  assert.match(errorIn(await get(`${EXTERNAL}/team-a/node_up_count`)), /^503 .*\(team-a\/large\)/)
  const other = await get(`${path}/${MINICLUSTERS}/small/node_up_count`)
  assert.deepEqual(valuesIn(other), ['MiniCluster small: 3'])
})

test('while the API server is away everything known is answered, and the gateway stays ready', async (t) => {
  const { get, health, cluster } = await startFleet(t, [SMALL])
  cluster.leave()
  const path = `${GROUP}/v1beta2/namespaces/team-a/${MINICLUSTERS}`
  assert.deepEqual(valuesIn(await get(`${path}/small/node_up_count`)), ['MiniCluster small: 3'])
  assert.equal((await get(`${GROUP}/v1beta2`)).status, 200)
  assert.equal((await health('/readyz')).status, 200)
  assert.match(
    errorIn(await get(`${path}/other/node_up_count`)),
    /^503 .*team-a\/other is known, and the API server cannot be asked why/,
  )
})

test('without any MiniCluster discovery is whole, and nobody but API servers is answered', async (t) => {
  const { get, health } = await startFleet(t, [])
  const { resources } = JSON.parse((await get(`${GROUP}/v1beta2`)).text)
  assert.ok(resources.length > 0)
  const path = `${GROUP}/v1beta2/namespaces/team-a/${MINICLUSTERS}/*/node_up_count`
  assert.deepEqual(valuesIn(await get(path)), [])
  const foreign = await createAuthority('front-proxy-ca')
  const impostor = await foreign.issue({
    commonName: 'front-proxy-client',
    extendedKeyUsage: ['clientAuth'],
  })
  for (const client of [undefined, impostor]) {
    for (const asked of [path, '/apis', '/openapi/v2', '/version']) {
      assert.match(errorIn(await get(asked, { client })), /^401 Cannot authenticate the client/)
    }
    assert.equal((await get('/readyz', { client })).status, 200)
  }
  const { text } = await health('/metrics')
  assert.match(text, /^http_request_duration_seconds_count\{route="none",code="401"\} 8$/m)
  assert.match(text, /^flux_gateway_sidecars\{state="askable"\} 0$/m)
})

test('a gateway that can serve publishes itself, and no longer answers once it is closed', async (t) => {
  const { health, gateway, cluster } = await startFleet(t, [])
  const published = () =>
    cluster.peek({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      name: 'v1beta2.custom.metrics.k8s.io',
    })
  await until(() => published() !== undefined, 'an APIService')
  const spec = JSON.stringify(published()?.spec)
  assert.match(spec, /"service":\{[^}]*"name":"flux-metrics-gateway"/)
  const ca = Buffer.from(secretData(cluster)['current.crt'] ?? '').toString('base64')
  assert.ok(spec.includes(ca))
  await gateway.close()
  await assert.rejects(health('/readyz'))
})
