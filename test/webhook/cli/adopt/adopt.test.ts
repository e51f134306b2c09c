import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { ADOPT } from '../../../../webhook/cli/adopt/adopt.ts'
import { fakeKubectl } from '../../../support/fake-kubectl.ts'
import { createMemoryIo, type MemoryIoOptions } from '../memory-io.ts'
import {
  type ApiServiceOptions,
  apiService,
  CUSTOM_1,
  CUSTOM_2,
  EXTERNAL,
  listOf,
  OTHER_PEM,
  OURS,
  PEM,
} from './api-service-documents.ts'

async function run(args: string, options: MemoryIoOptions = {}) {
  const { io, written, filesWritten } = createMemoryIo(options)
  const code = await ADOPT.run(args.split(' '), io)
  return { code, ...written, files: filesWritten }
}

/** Runs it for APIServices of standard input. */
function adopt(apiServices: readonly object[], args = '-o overlay --registry r.example/flux') {
  return run(`-f - ${args}`, { input: listOf(...apiServices) })
}

/** The environment that the overlay gives to the gateway. */
function environmentOf(files: Readonly<Record<string, string>>) {
  const { spec } = parse(files['overlay/gateway.yaml'] ?? '')
  const [{ env }]: [{ env: { name: string; value: string }[] }] = spec.template.spec.containers
  return Object.fromEntries(env.map(({ name, value }) => [name, value]))
}

test('adopt writes an overlay that keeps the adapter behind the gateway', async () => {
  const { code, out, err, files } = await adopt([apiService(CUSTOM_1)])
  assert.deepEqual([code, err], [0, ''])
  assert.equal(
    out,
    `${CUSTOM_1}    monitoring/prometheus-adapter:443
${CUSTOM_2}    nobody
${EXTERNAL}  nobody

The gateway will pass on to monitoring/prometheus-adapter:443 all requests for custom metrics that are not about MiniClusters.

Written to overlay. Keep overlay/way-back.yaml.

To install:
  kubectl apply -k overlay

The way back:
  kubectl replace -f overlay/way-back.yaml
  kubectl delete -k overlay
`,
  )
  const names = ['kustomization.yaml', 'gateway.yaml', 'custom-metrics-ca.crt', 'way-back.yaml']
  assert.deepEqual(
    Object.keys(files),
    names.map((name) => `overlay/${name}`),
  )
  assert.deepEqual(parse(files['overlay/kustomization.yaml'] ?? ''), {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['../manifests'],
    components: ['../manifests/components/upstream'],
    images: [
      { name: 'flux-metrics-webhook', newName: 'r.example/flux/flux-metrics-webhook' },
      { name: 'flux-metrics-sidecar', newName: 'r.example/flux/flux-metrics-sidecar' },
    ],
    configMapGenerator: [
      {
        name: 'flux-metrics-upstream-ca',
        namespace: 'flux-metrics',
        files: ['custom-metrics-ca.crt'],
      },
    ],
    patches: [{ path: 'gateway.yaml' }],
  })
  assert.equal(files['overlay/custom-metrics-ca.crt'], PEM)
})

test('without a registry the overlay shows where to name one, and a warning says so', async () => {
  const { code, err, files } = await adopt([apiService(CUSTOM_1)], '-o overlay')
  assert.equal(code, 0)
  assert.equal(
    err,
    'flux-metrics adopt: warning: nodes can pull no image without a registry: name yours in overlay/kustomization.yaml\n',
  )
  const { images } = parse(files['overlay/kustomization.yaml'] ?? '')
  assert.deepEqual(images[0], { name: 'flux-metrics-webhook', newName: 'flux-metrics-webhook' })
  const other = await adopt([apiService(CUSTOM_1)], '-o overlay --base ../mine')
  assert.deepEqual([other.code, other.err], [0, ''])
})

for (const registry of ['https://r.example', 'r.example/', '']) {
  test(`"${registry}" is no registry`, async () => {
    const { code, err, files } = await adopt([], `-o overlay --registry=${registry}`)
    assert.deepEqual([code, Object.keys(files)], [2, []])
    assert.match(err, /--registry: expected a name such as registry\.example\/flux, got /)
  })
}

test('the patch of the gateway has the Service and mounts its CA', async () => {
  const { files } = await adopt([apiService(CUSTOM_1, { port: 6443 })])
  const folder = '/var/run/flux-metrics/upstream'
  assert.deepEqual(environmentOf(files), {
    UPSTREAM_CUSTOM_METRICS: 'monitoring/prometheus-adapter:6443',
    UPSTREAM_CUSTOM_METRICS_CA_FILE: `${folder}/custom-metrics-ca.crt`,
  })
  const { kind, metadata, spec } = parse(files['overlay/gateway.yaml'] ?? '')
  const { containers, volumes } = spec.template.spec
  assert.deepEqual([kind, metadata.name], ['Deployment', 'flux-metrics-gateway'])
  assert.equal(containers[0].name, 'gateway')
  const mount = { name: 'upstream-ca', mountPath: folder, readOnly: true }
  assert.deepEqual(containers[0].volumeMounts, [mount])
  const configMap = { name: 'flux-metrics-upstream-ca' }
  assert.deepEqual(volumes, [{ name: 'upstream-ca', configMap }])
})

test('way-back.yaml has the APIServices as they were, and keeps the gateway from them', async () => {
  const labels = { app: 'prometheus-adapter' }
  const annotations = { 'meta.helm.sh/release-name': 'adapter' }
  const before = [apiService(CUSTOM_1, { labels, annotations }), apiService(CUSTOM_2)]
  const { files } = await adopt(before)
  const never = { 'flux-metrics/take-over': 'never' }
  const documents = parseAllDocuments(files['overlay/way-back.yaml'] ?? '')
  const expected = before.map(({ apiVersion, kind, metadata: { name }, spec }, index) => ({
    apiVersion,
    kind,
    metadata:
      index === 0
        ? { name, labels, annotations: { ...annotations, ...never } }
        : { name, annotations: never },
    spec,
  }))
  // The port is undefined, as in an object without one.
  assert.deepEqual(
    documents.map((document) => document.toJS()),
    JSON.parse(JSON.stringify(expected)),
  )
})

test('a server that is not verified stays so, with a warning', async () => {
  const { code, err, files } = await adopt([apiService(CUSTOM_1, { insecure: true })])
  assert.equal(code, 0)
  assert.deepEqual(environmentOf(files), {
    UPSTREAM_CUSTOM_METRICS: 'monitoring/prometheus-adapter:443',
    UPSTREAM_CUSTOM_METRICS_INSECURE: 'true',
  })
  const server = 'monitoring/prometheus-adapter:443'
  const warning = `the gateway will not verify ${server}, as API servers do not now`
  assert.equal(err, `flux-metrics adopt: warning: ${warning}\n`)
  const text = Object.values(files).join('')
  assert.doesNotMatch(text, /configMap|volume/)
})

test('the CA certificates of both versions are used', async () => {
  const ofBoth = [apiService(CUSTOM_1), apiService(CUSTOM_2, { ca: OTHER_PEM })]
  const { files } = await adopt(ofBoth)
  assert.equal(files['overlay/custom-metrics-ca.crt'], PEM + OTHER_PEM)
  const { files: once } = await adopt([apiService(CUSTOM_1), apiService(CUSTOM_2)])
  assert.equal(once['overlay/custom-metrics-ca.crt'], PEM)
})

const KEDA = { service: 'keda/keda-operator-metrics-apiserver', insecure: true }

test('external metrics stay where they are', async () => {
  const both = [apiService(CUSTOM_1), apiService(EXTERNAL, KEDA)]
  const { out, files, err } = await adopt(both)
  assert.match(out, /external\.metrics\.k8s\.io {2}keda\/keda-operator-metrics-apiserver:443\n/)
  assert.doesNotMatch(Object.values(files).join(''), /keda|external/)
  assert.doesNotMatch(err, /KEDA/)
})

test('--external adopts them as well', async () => {
  const both = [apiService(CUSTOM_1), apiService(EXTERNAL, KEDA)]
  const { code, files, err } = await adopt(both, '-o overlay --external --base ../../base/')
  assert.equal(code, 0)
  assert.match(err, /warning: KEDA's operator writes .*--enable-apiservice-patching=false first/)
  const { resources, components } = parse(files['overlay/kustomization.yaml'] ?? '')
  assert.deepEqual(resources, ['../../base/'])
  assert.deepEqual(components, ['../../base/components/upstream', '../../base/components/external'])
  const { UPSTREAM_EXTERNAL_METRICS, UPSTREAM_EXTERNAL_METRICS_INSECURE } = environmentOf(files)
  assert.equal(UPSTREAM_EXTERNAL_METRICS, 'keda/keda-operator-metrics-apiserver:443')
  assert.equal(UPSTREAM_EXTERNAL_METRICS_INSECURE, 'true')
  assert.equal(parseAllDocuments(files['overlay/way-back.yaml'] ?? '').length, 2)
})

test('the base may be a URL, whose query stays at its end', async () => {
  const url = 'https://example.org/flux/metrics//manifests'
  const { files } = await adopt([apiService(CUSTOM_1)], `-o overlay --base ${url}?ref=v1`)
  const { resources, components } = parse(files['overlay/kustomization.yaml'] ?? '')
  assert.deepEqual(resources, [`${url}?ref=v1`])
  assert.deepEqual(components, [`${url}/components/upstream?ref=v1`])
})

test('an APIService that was given back is released before it is adopted again', async () => {
  const annotations = { 'flux-metrics/take-over': 'never' }
  const { out } = await adopt([apiService(CUSTOM_1, { annotations })])
  const release = `  kubectl annotate apiservice ${CUSTOM_1} flux-metrics/take-over-\n`
  assert.ok(out.includes(`To install:\n${release}  kubectl apply -k overlay\n`), out)
})

test('without -o nothing is written', async () => {
  const { code, out, files } = await run('-f -', { input: listOf(apiService(CUSTOM_1)) })
  assert.equal(code, 0)
  assert.match(out, /\n\nName a folder with -o to write the kustomization\.\n$/)
  assert.deepEqual(files, {})
})

for (const [what, apiServices] of [
  ['no APIServices', [apiService('v1.apps')]],
  ['APIServices of flux-metrics', [apiService(CUSTOM_1, { labels: OURS })]],
  [
    'an APIService of the gateway that lost its label',
    [apiService(CUSTOM_1, { service: 'flux-metrics/flux-metrics-gateway' })],
  ],
  ['external metrics of flux-metrics', [apiService(EXTERNAL, { labels: OURS })]],
] as const) {
  test(`with ${what} there is nothing to adopt`, async () => {
    const { code, out, err, files } = await adopt(apiServices)
    assert.deepEqual([code, err, files], [0, '', {}])
    assert.match(out, /\nNothing to adopt: no other server has these APIs\. /)
  })
}

for (const [what, apiServices, next] of [
  [
    'custom metrics of flux-metrics',
    [apiService(CUSTOM_1, { labels: OURS })],
    'flux-metrics has custom metrics already',
  ],
  [
    'another adapter of external metrics',
    [apiService(EXTERNAL, KEDA)],
    'Install the default manifests',
  ],
] as const) {
  test(`with ${what}, adopt says what is next`, async () => {
    const { out } = await adopt(apiServices)
    assert.ok(out.endsWith(` ${next}.\n`), out)
  })
}

test('with external metrics only there is nothing to adopt, and their server stays', async () => {
  const { code, out, err, files } = await adopt([apiService(EXTERNAL, KEDA)])
  assert.deepEqual([code, err, files], [0, '', {}])
  const keda = 'keda/keda-operator-metrics-apiserver:443'
  const others = `no other server has custom metrics, and ${keda} keeps external ones`
  assert.ok(out.endsWith(`\nNothing to adopt: ${others}. Install the default manifests.\n`), out)
})

test('the APIServices of flux-metrics are named as such', async () => {
  const options = { service: 'flux-metrics/flux-metrics-gateway', labels: OURS }
  const { out } = await adopt([apiService(CUSTOM_2, options)])
  assert.match(out, /^v1beta2\S+ +flux-metrics\/flux-metrics-gateway:443 \(flux-metrics\)$/m)
})

const OTHER: ApiServiceOptions = { service: 'other/adapter' }

const OBSTACLES: readonly (readonly [apiServices: readonly object[], why: string])[] = [
  [
    [apiService(CUSTOM_1), apiService(CUSTOM_2, OTHER)],
    `${CUSTOM_1} is that of monitoring/prometheus-adapter:443 and ${CUSTOM_2} is that of other/adapter:443: the gateway passes requests on to one server of a group only. Remove one of them first`,
  ],
  [
    [apiService(CUSTOM_1), apiService(CUSTOM_2, { port: 6443 })],
    `${CUSTOM_1} is that of monitoring/prometheus-adapter:443 and ${CUSTOM_2} is that of monitoring/prometheus-adapter:6443: the gateway passes requests on to one server of a group only. Remove one of them first`,
  ],
  [
    [apiService(CUSTOM_1, { service: undefined })],
    `${CUSTOM_1} leads to no Service: the API server itself answers, and the gateway cannot ask it`,
  ],
  [
    [apiService(CUSTOM_1, { insecure: false })],
    `${CUSTOM_1} has neither caBundle nor insecureSkipTLSVerify: only the API server knows the CA of monitoring/prometheus-adapter:443. Set its caBundle first`,
  ],
]

for (const [apiServices, why] of OBSTACLES) {
  test(`adopt refuses: ${why}`, async () => {
    const { code, err, files } = await adopt(apiServices)
    assert.deepEqual([code, err, files], [1, `flux-metrics adopt: ${why}\n`, {}])
  })
}

test('a folder that exists is left alone', async () => {
  const input = listOf(apiService(CUSTOM_1))
  const { code, err, files } = await run('-f - -o overlay', { input, folders: ['overlay'] })
  const reason =
    'Cannot create the folder overlay: file already exists: -o must name a new folder, in one that exists'
  assert.deepEqual([code, err, files], [1, `flux-metrics adopt: ${reason}\n`, {}])
})

const NAMES = `${CUSTOM_1} ${CUSTOM_2} ${EXTERNAL}`
const GET = `get apiservices.apiregistration.k8s.io ${NAMES} --ignore-not-found --output=json`

test('adopt asks the cluster through kubectl', async (t) => {
  const args = `--kubeconfig=k --context=c ${GET}`
  const env = await fakeKubectl(t, { args, out: listOf(apiService(CUSTOM_1)) })
  const given = { k: 'contexts: [{name: c}]' }
  const { code, files } = await run('-o overlay --kubeconfig k --context c', { env, files: given })
  assert.equal(code, 0)
  assert.ok('overlay/way-back.yaml' in files)
})

test('kubectl finds nothing: nothing to adopt', async (t) => {
  const env = await fakeKubectl(t, { args: GET, out: '' })
  const { code, out } = await run('-o overlay', { env })
  assert.equal(code, 0)
  assert.match(out, /\nNothing to adopt/)
})

test('adopt prints why kubectl got no answer', async (t) => {
  const env = await fakeKubectl(t, { args: GET, err: 'Error from server (Forbidden)\n', code: 1 })
  const { code, out, err } = await run('-o overlay', { env })
  const expected = [1, '', 'flux-metrics adopt: Error from server (Forbidden)\n']
  assert.deepEqual([code, out, err], expected)
})

test('wrong usage', async () => {
  const { code, err } = await run('-f x --context c')
  const problem = 'flux-metrics adopt: --context: cannot be used with -f'
  assert.deepEqual([code, err], [2, `${problem}\nSee flux-metrics adopt --help\n`])
})

test('a file without APIServices is refused', async () => {
  const files = { 'pod.yaml': 'apiVersion: v1\nkind: Pod\n' }
  const { code, err } = await run('-f pod.yaml', { files })
  assert.deepEqual([code, err], [2, 'pod.yaml:1:1: expected an APIService, found Pod\n'])
})

test('wrong input is named with its place', async () => {
  const wrong = { ...apiService(CUSTOM_1), spec: { service: 'x' } }
  const noPem = apiService(CUSTOM_2, { ca: 'no certificate' })
  const twice = [apiService(EXTERNAL), apiService(EXTERNAL)]
  const { code, err, files } = await adopt([wrong, noPem, ...twice])
  assert.deepEqual([code, files], [2, {}])
  const lines = err.trimEnd().split('\n')
  assert.deepEqual(
    lines.map((line) => line.replace(/^<stdin>:1:\d+: /, '')),
    [
      'spec.service: expected a map, got "x"',
      'spec.caBundle: expected PEM certificates in base64',
      `expected one APIService ${EXTERNAL}, got two`,
    ],
  )
})
