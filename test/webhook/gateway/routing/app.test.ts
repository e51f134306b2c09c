// Which request goes to whom, and what comes back when somebody does not answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { notFound, unavailable } from '#serving/status.ts'
import type { Upstream } from '../../../../webhook/gateway/upstream/upstream.ts'
import { metricAnswer, serveRoutes } from './served.ts'

const V2 = '/apis/custom.metrics.k8s.io/v1beta2/namespaces'
const MINICLUSTERS = 'miniclusters.flux-framework.org'
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1/namespaces'

/** An adapter that says what it was asked. */
const ADAPTER: Upstream = {
  forward: async (ctx) => {
    ctx.body = `adapter: ${ctx.url}`
  },
}

function described(text: string): readonly string[] {
  const { items } = JSON.parse(text)
  return items.map(
    ({ describedObject }: { describedObject: { namespace: string; name: string } }) =>
      `${describedObject.namespace}/${describedObject.name}`,
  )
}

test('a metric of a MiniCluster is asked of its own sidecar', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one', 'a/two', 'b/one'] })
  const { code, text, headers } = await get(
    `${V2}/b/${MINICLUSTERS}/one/node_up_count?labelSelector=x%3Dy&metricLabelSelector=queue%3Da&z=1`,
  )
  assert.equal(code, 200)
  assert.deepEqual(described(text), ['b/one'])
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  const [question] = questions
  assert.equal(questions.length, 1)
  assert.equal(`${question?.namespace}/${question?.minicluster}`, 'b/one')
  assert.equal(
    question?.path,
    `${V2}/b/${MINICLUSTERS}/one/node_up_count?metricLabelSelector=queue%3Da`,
  )
})

test('sidecars are told of the HPA controller, and of no other user', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one'] })
  const hpa = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler'
  const paths = [
    `${V2}/a/${MINICLUSTERS}/one/node_up_count`,
    `${V2}/a/${MINICLUSTERS}/*/node_up_count`,
    `${EXTERNAL}/a/node_up_count?labelSelector=minicluster%3Done`,
  ]
  for (const user of [hpa, 'kubernetes-admin']) {
    questions.length = 0
    for (const path of paths) {
      assert.equal((await get(path, { headers: { 'X-Remote-User': user } })).code, 200)
    }
    const told = user === hpa ? hpa : undefined
    assert.deepEqual(
      questions.map((one) => one.user),
      [told, told, told],
    )
  }
})

test('"*" asks all that the selector matches, in alphabetical order', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one', 'a/two', 'b/three'] })
  const all = await get(`${V2}/a/${MINICLUSTERS}/%2A/node_up_count`)
  assert.deepEqual(described(all.text), ['a/one', 'a/two'])
  const two = await get(`${V2}/a/${MINICLUSTERS}/*/node_up_count?labelSelector=hpa-selector%3Dtwo`)
  assert.deepEqual(described(two.text), ['a/two'])
  assert.equal(questions.length, 3)
  const none = await get(`${V2}/c/${MINICLUSTERS}/*/node_up_count`)
  assert.deepEqual(JSON.parse(none.text).items, [])
  assert.equal((await get(`${V2}/c/${MINICLUSTERS}/*/node_up_cuont`)).code, 404)
})

test('who does not answer is named, and there is no shorter list', async (t) => {
  const { get } = await serveRoutes(t, {
    miniclusters: ['a/one', 'a/two', 'a/three'],
    answer: async (question) => {
      if (question.minicluster === 'one') return metricAnswer(question)
      throw unavailable(`MiniCluster a/${question.minicluster}: it is not there`)
    },
  })
  const { code, text } = await get(`${V2}/a/${MINICLUSTERS}/*/node_up_count`)
  assert.equal(code, 503)
  const { message } = JSON.parse(text)
  assert.match(message, /3 MiniClusters: 2 did not answer \(a\/two, a\/three\)/)
  assert.match(message, /MiniCluster a\/two: it is not there/)
})

test('an error of one sidecar keeps its code and words', async (t) => {
  const { get } = await serveRoutes(t, {
    miniclusters: ['a/one'],
    answer: async () => {
      throw notFound('MiniCluster a/one: its sidecar says: no such metric')
    },
  })
  for (const name of ['one', '*']) {
    const { code, text } = await get(`${V2}/a/${MINICLUSTERS}/${name}/of_a_user`)
    assert.equal(code, 404)
    assert.equal(JSON.parse(text).message, 'MiniCluster a/one: its sidecar says: no such metric')
  }
})

test('a MiniCluster without a sidecar is explained', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: [] })
  const { code, text } = await get(`${V2}/a/${MINICLUSTERS}/gone/node_up_count`)
  assert.equal(code, 404)
  assert.equal(JSON.parse(text).message, 'MiniCluster a/gone is not there')
  assert.equal(questions.length, 0)
})

test("the prototype's Service stands for the one MiniCluster of its namespace", async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one', 'b/one', 'b/two'] })
  const path = 'services/custom-metrics-apiserver/node_up_count'
  assert.equal((await get(`${V2}/a/${path}`)).code, 200)
  assert.equal(questions[0]?.path, `${V2}/a/${path}`)
  const several = await get(`${V2}/b/${path}`)
  assert.equal(several.code, 404)
  assert.match(JSON.parse(several.text).message, /2 MiniClusters.*one and two/)
  const none = await get(`${V2}/c/${path}`)
  assert.equal(none.code, 404)
  assert.match(JSON.parse(none.text).message, /no MiniCluster of namespace "c"/)
  assert.equal(questions.length, 1)
})

test('a metric of a namespace is that of its MiniCluster, or one for each', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one', 'b/one', 'b/two'] })
  await get(`${V2}/a/metrics/node_up_count`)
  assert.equal(questions[0]?.path, `${V2}/a/metrics/node_up_count`)
  assert.deepEqual(described((await get(`${V2}/b/metrics/node_up_count`)).text), ['b/one', 'b/two'])
  assert.equal((await get(`${V2}/c/metrics/node_up_count`)).code, 404)
})

test('explain passes on the format, and needs one MiniCluster', async (t) => {
  const { get, questions } = await serveRoutes(t, {
    miniclusters: ['a/one'],
    answer: async () => ({ contentType: 'text/plain; charset=utf-8', body: 'because' }),
  })
  const path = `${V2}/a/${MINICLUSTERS}/one/explain`
  const { text, headers } = await get(`${path}?format=text`, { headers: { accept: 'text/plain' } })
  assert.equal(text, 'because')
  assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(questions[0]?.path, `${path}?format=text`)
  assert.equal(questions[0]?.accept, 'text/plain')
  await get(`${path}?include=jobs%2Chistory&x=1&format=json`)
  assert.equal(questions[1]?.path, `${path}?format=json&include=jobs%2Chistory`)
  assert.equal((await get(`${V2}/a/metrics/explain`)).code, 200)
})

test('external metrics: the label minicluster says who is asked, and what must not be added is not', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one', 'a/two'] })
  const one = await get(`${EXTERNAL}/a/node_desired_count?labelSelector=minicluster%3Done`)
  assert.equal(JSON.parse(one.text).items.length, 1)
  assert.equal(questions.length, 1)
  assert.equal(JSON.parse((await get(`${EXTERNAL}/a/node_up_count`)).text).items.length, 2)
  for (const metric of ['node_desired_count', 'snapshot_age_seconds', 'of_a_user']) {
    const { code, text } = await get(`${EXTERNAL}/a/${metric}`)
    assert.equal(code, 400)
    assert.match(JSON.parse(text).message, /an HPA would add up.*one and two/)
  }
  assert.equal((await get(`${EXTERNAL}/a/of_a_user?labelSelector=minicluster%3Done`)).code, 200)
})

test('external metrics: each MiniCluster that a selector names must be there', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one', 'a/two'] })
  for (const [selector, absent] of [
    ['minicluster=gone', 'gone'],
    ['minicluster in (gone,one)', 'gone'],
    ['minicluster in (one,two),minicluster=Not-A-Name', undefined],
    ['minicluster in (gone,one),minicluster!=gone', undefined],
    ['minicluster notin (gone)', undefined],
    ['minicluster=one', undefined],
  ] as const) {
    const query = new URLSearchParams({ labelSelector: selector })
    const { code, text } = await get(`${EXTERNAL}/a/node_up_count?${query}`)
    const { message } = JSON.parse(text)
    if (absent === undefined) assert.equal(code, 200, selector)
    else assert.deepEqual([code, message], [404, `MiniCluster a/${absent} is not there`])
  }
  assert.deepEqual(
    questions.map(({ minicluster }) => minicluster),
    ['one', 'one', 'two', 'one'],
  )
})

test('where there may be more MiniClusters than are known, only those that are named are asked', async (t) => {
  const { get, questions } = await serveRoutes(t, {
    miniclusters: ['a/one'],
    custom: ADAPTER,
    incomplete: 'the API server is silent',
  })
  const named = 'labelSelector=minicluster%3Done%2Cminicluster%20in%20(one)'
  for (const path of [
    `${V2}/a/${MINICLUSTERS}/one/node_up_count`,
    `${EXTERNAL}/a/node_up_count?${named}`,
  ]) {
    const { code, text } = await get(path)
    assert.deepEqual([code, JSON.parse(text).items?.length], [200, 1], path)
  }
  assert.equal(questions.length, 2)
  for (const path of [
    `${V2}/a/${MINICLUSTERS}/*/node_up_count`,
    `${V2}/a/metrics/node_up_count`,
    `${V2}/b/metrics/node_up_count`,
    `${V2}/a/services/custom-metrics-apiserver/node_up_count`,
    `${EXTERNAL}/a/node_up_count`,
    `${EXTERNAL}/a/node_up_count?labelSelector=minicluster%21%3Dtwo`,
  ]) {
    const { code, text } = await get(path)
    assert.deepEqual([code, JSON.parse(text).message], [503, 'the API server is silent'], path)
  }
  assert.equal(questions.length, 2)
})

test('what is not about MiniClusters goes to the adapter as it came', async (t) => {
  const options = { miniclusters: ['a/one'], custom: ADAPTER, external: ADAPTER }
  const { get, questions } = await serveRoutes(t, options)
  for (const path of [
    `${V2}/a/pods/%2A/packets?labelSelector=a%3Db%2Cc`,
    `${V2}/a/services/%2A/node_up_count`,
    `${V2}/a/services/other/node_up_count`,
    `${V2}/a/metrics/of_the_adapter`,
    `${V2}/c/metrics/node_up_count`,
    `${V2}/c/services/custom-metrics-apiserver/requests`,
    '/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load',
    `${EXTERNAL}/a/node_desired_count`,
    `${EXTERNAL}/a/queue_length?labelSelector=minicluster%3Done`,
  ]) {
    assert.equal((await get(path)).text, `adapter: ${path}`)
  }
  assert.equal(questions.length, 0)
  // The prototype's Service is ours where there is a MiniCluster, and its metrics are everywhere.
  const service = 'services/custom-metrics-apiserver'
  assert.match((await get(`${V2}/c/${service}/node_up_count`)).text, /no MiniCluster of namespace/)
  assert.equal((await get(`${V2}/a/${service}/of_a_user`)).code, 200)
  assert.equal((await get(`${V2}/a/metrics/node_up_count`)).code, 200)
  assert.equal(
    (await get(`${EXTERNAL}/a/node_desired_count?labelSelector=minicluster%3Done`)).code,
    200,
  )
  assert.equal(questions.length, 3)
})

test('what is for the adapter depends neither on the pods nor on our grammar of selectors', async (t) => {
  const options = { miniclusters: [], custom: ADAPTER, external: ADAPTER, missing: 'not listed' }
  const { get } = await serveRoutes(t, options)
  for (const path of [
    `${V2}/a/pods/%2A/packets?labelSelector=%2C%2C`,
    `${V2}/a/metrics/of_the_adapter?metricLabelSelector=${'a'.repeat(5000)}`,
    `${EXTERNAL}/a/queue_length?labelSelector=queue%3Da`,
  ]) {
    assert.equal((await get(path)).text, `adapter: ${path}`)
  }
  for (const path of [`${V2}/a/metrics/node_up_count`, `${V2}/a/${MINICLUSTERS}/*/node_up_count`]) {
    assert.equal((await get(path)).code, 503)
  }
})

test('a selector that cannot be parsed is refused before anybody is asked', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one'] })
  for (const parameter of ['labelSelector', 'metricLabelSelector']) {
    for (const object of ['one', '*']) {
      const path = `${V2}/a/${MINICLUSTERS}/${object}/node_up_count?${parameter}=%2C`
      const { code, text } = await get(path)
      assert.equal(code, 400)
      assert.match(JSON.parse(text).message, new RegExp(`^Cannot parse ${parameter} ","`))
    }
  }
  assert.equal(questions.length, 0)
})

test('hostile targets: long, encoded twice, with dots or parameters twice', async (t) => {
  const { get, ask, questions } = await serveRoutes(t, { miniclusters: ['a/one', 'b/one'] })
  const long = 'x'.repeat(8_000)
  for (const [target, code] of [
    [`${V2}/a/${MINICLUSTERS}/one/${long}`, 200],
    [`${V2}/a/${MINICLUSTERS}/${long}/node_up_count`, 404],
    [`${V2}/${long}/metrics/node_up_count`, 404],
    [`${V2}/a/${MINICLUSTERS}/one%2F..%2Ftwo/node_up_count`, 404],
    [`${V2}/a/../b/${MINICLUSTERS}/one/node_up_count`, 404],
    [`${V2}/a%2F..%2Fb/${MINICLUSTERS}/one/node_up_count`, 404],
    [`${V2}/a/${MINICLUSTERS}/%256fne/node_up_count`, 404],
    [`${V2}/a/${MINICLUSTERS}/one/node_up_count%`, 400],
    [`${V2}/a/${MINICLUSTERS}/one/node_up_count/`, 404],
    [`${V2}//${MINICLUSTERS}/one/node_up_count`, 404],
  ] as const) {
    questions.length = 0
    const answer = await ask(target)
    assert.equal(answer.code, code, target.slice(0, 100))
    assert.ok(answer.text.length < 2_000)
    for (const { namespace, minicluster } of questions) {
      assert.deepEqual([namespace, minicluster], ['a', 'one'])
    }
  }
  questions.length = 0
  const path = `${V2}/a/${MINICLUSTERS}/*/node_up_count`
  const first = 'metricLabelSelector=queue%3Da&metricLabelSelector=queue%3Db'
  await get(`${path}?labelSelector=hpa-selector%3Done&labelSelector=hpa-selector%3Dtwo&${first}`)
  assert.deepEqual(
    questions.map((question) => question.path),
    [`${V2}/a/${MINICLUSTERS}/one/node_up_count?metricLabelSelector=queue%3Da`],
  )
})

test('without an adapter other objects are not found', async (t) => {
  const { get } = await serveRoutes(t, { miniclusters: ['a/one'] })
  const { code, text } = await get(`${V2}/a/pods/*/packets`)
  assert.equal(code, 404)
  assert.match(JSON.parse(text).message, /the metrics here describe MiniClusters/)
})

test('discovery, OpenAPI, version and health are answered before any pod is known', async (t) => {
  const { get } = await serveRoutes(t, { miniclusters: [], missing: 'the API server is away' })
  for (const path of [
    '/apis',
    '/apis/custom.metrics.k8s.io/v1beta1',
    '/apis/custom.metrics.k8s.io/v1beta2',
    '/apis/external.metrics.k8s.io/v1beta1',
    '/openapi/v2',
    '/openapi/v3',
    '/version',
    '/livez',
    '/readyz',
    '/healthz',
  ]) {
    assert.equal((await get(path)).code, 200, path)
  }
  const { code, text } = await get(`${V2}/a/${MINICLUSTERS}/one/node_up_count`)
  assert.equal(code, 503)
  assert.match(JSON.parse(text).message, /the API server is away/)
})

test('other methods, versions and paths are refused with a Status', async (t) => {
  const { get } = await serveRoutes(t, { miniclusters: ['a/one'] })
  assert.equal((await get(`${V2}/a/${MINICLUSTERS}/one/m`, { method: 'POST' })).code, 405)
  for (const path of ['/apis/custom.metrics.k8s.io/v3/x', `${V2}/a`, `${V2}/a/b/c/d/e/f`]) {
    const { code, text } = await get(path)
    assert.equal(code, 404)
    assert.equal(JSON.parse(text).kind, 'Status')
  }
  assert.equal((await get(`${V2}/%ff/${MINICLUSTERS}/one/m`)).code, 400)
})

test('no path asks the sidecar of another MiniCluster, and none is an internal error', async (t) => {
  const { get, questions } = await serveRoutes(t, { miniclusters: ['a/one', 'a/two', 'b/one'] })
  const segment = fc.oneof(
    fc.constantFrom('a', 'b', 'one', 'two', '*', '%2A', '..', 'a%2Fone', 'metrics', 'services'),
    fc.constantFrom(MINICLUSTERS, 'custom-metrics-apiserver', 'node_up_count', 'explain', '%', ''),
    fc.string({ maxLength: 8 }).map((text) => {
      try {
        return encodeURIComponent(text)
      } catch {
        return '%'
      }
    }),
  )
  const query = fc.constantFrom('', '?labelSelector=a', '?labelSelector=hpa-selector%3Done', '?x')
  await fc.assert(
    fc.asyncProperty(fc.array(segment, { maxLength: 5 }), query, async (segments, text) => {
      questions.length = 0
      const { code } = await get(`${V2}/${segments.join('/')}${text}`)
      assert.notEqual(code, 500)
      const [namespace, resource, name] = segments.map(decoded)
      for (const question of questions) {
        assert.equal(question.namespace, namespace)
        if (resource === MINICLUSTERS && name !== '*') assert.equal(question.minicluster, name)
      }
    }),
  )
})

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
