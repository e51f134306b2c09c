// The Helm chart makes the same objects as the kustomizations. Real Helm and real kustomize make both.
import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import {
  buildKustomization,
  CHART,
  type Manifest,
  type Manifests,
  NO_CHART_TOOLS,
  renderChart,
  runHelm,
} from '../support/chart-tools.ts'
import { MANIFESTS } from '../support/manifests.ts'

/** Helm built from its module says that it is Kubernetes 1.20. */
const KUBERNETES = ['--kube-version', '1.37']

/** `.ci/run` has built the tools: there a comparison that is skipped would hide a difference. */
const skip = process.env.REQUIRE_CHART_TOOLS === undefined ? NO_CHART_TOOLS : false

interface Variant {
  readonly title: string
  readonly values: readonly string[]
  readonly namespace?: string
  readonly kubernetes?: string
  /** The user's kustomization that makes the same. */
  readonly kustomization: Readonly<Record<string, unknown>>
}

const VARIANTS: readonly Variant[] = [
  { title: 'the defaults', values: [], kustomization: { resources: ['manifests'] } },
  {
    title: 'all options of the gateway',
    values: [
      'externalMetrics.enabled=true',
      'guard.enabled=true',
      'networkPolicy.enabled=true',
      'prometheus.enabled=true',
    ],
    kustomization: {
      resources: ['manifests'],
      components: components('external', 'guard', 'network-policy', 'prometheus'),
    },
  },
  {
    title: 'Kubernetes 1.27',
    values: [],
    kubernetes: '1.27',
    kustomization: { resources: ['manifests'], components: components('kubernetes-1.27') },
  },
  {
    title: 'images of a registry',
    values: [
      'image.repository=registry.example/webhook',
      'image.tag=2',
      'sidecar.image.repository=registry.example/sidecar',
      `sidecar.image.digest=sha256:${'a'.repeat(64)}`,
    ],
    kustomization: {
      resources: ['manifests'],
      images: [
        { name: 'flux-metrics-webhook', newName: 'registry.example/webhook', newTag: '2' },
        {
          name: 'flux-metrics-sidecar',
          newName: 'registry.example/sidecar',
          digest: `sha256:${'a'.repeat(64)}`,
        },
      ],
    },
  },
  {
    title: 'another namespace, with guard',
    values: ['guard.enabled=true'],
    namespace: 'metrics',
    kustomization: {
      resources: ['manifests'],
      components: components('guard'),
      namespace: 'metrics',
      transformers: ['manifests/transformers/namespace/guard.yaml'],
    },
  },
  {
    title: 'one MiniCluster without gateway',
    values: ['mode=direct'],
    kustomization: { resources: ['manifests/overlays/direct'] },
  },
  {
    title: 'one MiniCluster with external metrics',
    values: ['mode=direct', 'externalMetrics.enabled=true'],
    kustomization: { resources: ['manifests/overlays/external'] },
  },
  {
    title: 'one MiniCluster with cert-manager, in another namespace',
    values: ['mode=direct', 'certManager.enabled=true'],
    namespace: 'metrics',
    kustomization: {
      resources: ['manifests/overlays/direct'],
      components: components('cert-manager'),
      namespace: 'metrics',
      transformers: ['manifests/transformers/namespace'],
    },
  },
  {
    title: 'an adapter behind the gateway',
    values: [
      'gateway.upstream.customMetrics.service=monitoring/adapter:443',
      'gateway.upstream.customMetrics.insecure=true',
    ],
    kustomization: {
      resources: ['manifests'],
      components: components('upstream'),
      patches: [
        {
          target: { kind: 'Deployment', name: 'flux-metrics-gateway' },
          patch: JSON.stringify([
            addedEnv('UPSTREAM_CUSTOM_METRICS', 'monitoring/adapter:443'),
            addedEnv('UPSTREAM_CUSTOM_METRICS_INSECURE', 'true'),
          ]),
        },
      ],
    },
  },
]

function components(...names: string[]): readonly string[] {
  return names.map((name) => `manifests/components/${name}`)
}

function addedEnv(name: string, value: string) {
  return { op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name, value } }
}

async function build(kustomization: object): Promise<Manifests> {
  const folder = await mkdtemp(join(tmpdir(), 'chart-'))
  try {
    // Kustomize reads nothing outside of the folder.
    await cp(MANIFESTS, join(folder, 'manifests'), { recursive: true })
    await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
    return await buildKustomization(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const METRICS_SERVICE = 'Service default custom-metrics-apiserver'
const WEBHOOK_CONFIGURATION = 'MutatingWebhookConfiguration  flux-metrics-webhook'

/**
 * What kustomize makes, as the chart has to make it. Helm creates the namespace itself, without labels: the webhook knows it by
 * its name.
 */
function expectedOf(built: Manifests, namespace: string): Manifests {
  const expected = new Map(built)
  assert.ok(expected.delete(`Namespace  ${namespace}`))
  const configuration = expected.get(WEBHOOK_CONFIGURATION)
  assert.ok(configuration)
  expected.set(WEBHOOK_CONFIGURATION, withNamespace(configuration, namespace))
  const service = expected.get(METRICS_SERVICE)
  // A note from one step of kustomize to another.
  if (service !== undefined) expected.set(METRICS_SERVICE, withoutAnnotations(service))
  return expected
}

function withoutAnnotations({ metadata, ...rest }: Manifest): Manifest {
  const { annotations: _, ...others } = metadata
  return { ...rest, metadata: others }
}

function withNamespace(configuration: Manifest, namespace: string): Manifest {
  const copy = structuredClone(configuration) as Manifest & {
    webhooks: { namespaceSelector: { matchExpressions: { key: string; values: string[] }[] } }[]
  }
  for (const { namespaceSelector } of copy.webhooks) {
    const [byName] = namespaceSelector.matchExpressions
    assert.equal(byName?.key, 'kubernetes.io/metadata.name')
    byName.values.push(namespace)
  }
  return copy
}

/**
 * Each place where two values differ. The order of variables is left out of account: kustomize puts those of a component first. So
 * is the space in an expression: kustomize adds an empty line to one.
 */
function differences(chart: unknown, kustomize: unknown, place = ''): readonly string[] {
  if (place.endsWith('/env') && Array.isArray(chart) && Array.isArray(kustomize)) {
    return differences(byVariable(chart), byVariable(kustomize), `${place}/`)
  }
  if (Object(chart) !== chart || Object(kustomize) !== kustomize) {
    if (JSON.stringify(chart) === JSON.stringify(kustomize)) return []
    if (place.endsWith('/expression') && spaced(chart) === spaced(kustomize)) return []
    return [`${place}: ${JSON.stringify(chart)} instead of ${JSON.stringify(kustomize)}`]
  }
  const [left, right] = [chart, kustomize] as Record<string, unknown>[]
  const keys = new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])
  return [...keys].flatMap((key) => differences(left?.[key], right?.[key], `${place}/${key}`))
}

function byVariable(env: readonly { readonly name: string }[]) {
  assert.equal(new Set(env.map(({ name }) => name)).size, env.length)
  return Object.fromEntries(env.map((variable) => [variable.name, variable]))
}

function spaced(expression: unknown): string {
  return String(expression).replace(/\s+/g, ' ')
}

for (const { title, values, namespace = 'flux-metrics', kubernetes, kustomization } of VARIANTS) {
  test(`Helm and kustomize make the same objects: ${title}`, { skip }, async () => {
    const version = kubernetes === undefined ? KUBERNETES : ['--kube-version', kubernetes]
    const sets = values.flatMap((value) => ['--set-string', value])
    const [rendered, built] = await Promise.all([
      renderChart(['--namespace', namespace, ...version, ...typed(sets)]),
      build(kustomization),
    ])
    assert.ok(rendered.size > 15)
    const expected = expectedOf(built, namespace)
    assert.deepEqual(differences(Object.fromEntries(rendered), Object.fromEntries(expected)), [])
  })
}

/** `--set` for what is true or false. */
function typed(sets: readonly string[]): readonly string[] {
  return sets.map((arg, index) =>
    arg === '--set-string' && /=(true|false)$/.test(sets[index + 1] ?? '') ? '--set' : arg,
  )
}

test('Helm finds nothing to complain of in the chart', { skip }, async () => {
  const printed = await runHelm(['lint', '--strict', ...KUBERNETES, CHART])
  assert.match(printed, /1 chart\(s\) linted, 0 chart\(s\) failed/)
})

const REFUSED = [
  { values: ['mode=both'], words: /mode/ },
  { values: ['gatway.replicas=3'], words: /gatway/ },
  { values: ['image.digest=1'], words: /digest/ },
  { values: ['certManager.enabled=true'], words: /certManager.enabled needs mode: direct/ },
  {
    values: ['gateway.upstream.customMetrics.service=monitoring/adapter:443'],
    words: /needs ca, or insecure: true/,
  },
] as const

for (const { values, words } of REFUSED) {
  test(`Helm refuses ${values.join()}`, { skip }, async () => {
    const args = [...KUBERNETES, ...values.flatMap((value) => ['--set', value])]
    await assert.rejects(renderChart(args), words)
  })
}

test('Helm refuses guard before Kubernetes 1.30, and the chart before 1.27', { skip }, async () => {
  const guard = ['--set', 'guard.enabled=true', '--kube-version', '1.29']
  await assert.rejects(renderChart(guard), /needs Kubernetes 1.30/)
  await assert.rejects(renderChart(['--kube-version', '1.26']), /incompatible/)
})

test('values for pods reach the pods', { skip }, async () => {
  const values = {
    imagePullSecrets: [{ name: 'registry' }],
    webhook: { replicas: 1, logLevel: 'debug', priorityClassName: '' },
    gateway: {
      podAnnotations: { a: 'b' },
      podLabels: { c: 'd' },
      nodeSelector: { e: 'f' },
      tolerations: [{ operator: 'Exists' }],
      extraEnv: [{ name: 'G', value: 'h' }],
    },
  }
  const sets = Object.entries(values).flatMap(([key, value]) => [
    '--set-json',
    `${key}=${JSON.stringify(value)}`,
  ])
  const rendered = await renderChart([...KUBERNETES, ...sets])
  const webhook = podOf(rendered, 'flux-metrics-webhook')
  assert.deepEqual(webhook.spec.imagePullSecrets, [{ name: 'registry' }])
  assert.equal(webhook.spec.priorityClassName, undefined)
  assert.ok(hasEnv(webhook, { name: 'LOG_LEVEL', value: 'debug' }))
  assert.equal(rendered.has('PodDisruptionBudget default flux-metrics-webhook'), false)
  const gateway = podOf(rendered, 'flux-metrics-gateway')
  assert.deepEqual(gateway.metadata.annotations, { a: 'b' })
  assert.equal(gateway.metadata.labels.c, 'd')
  assert.deepEqual(gateway.spec.nodeSelector, { e: 'f' })
  assert.deepEqual(gateway.spec.tolerations, [{ operator: 'Exists' }])
  assert.ok(hasEnv(gateway, { name: 'G', value: 'h' }))
})

interface Pod {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations?: object }
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly containers: readonly { readonly env: readonly object[] }[]
  }
}

function podOf(manifests: Manifests, name: string): Pod {
  const deployment = manifests.get(`Deployment default ${name}`)
  assert.ok(deployment)
  return (deployment.spec as { template: Pod }).template
}

function hasEnv({ spec }: Pod, variable: object): boolean {
  const env = spec.containers[0]?.env ?? []
  return env.some((one) => JSON.stringify(one) === JSON.stringify(variable))
}

test('the version of the chart and of what it installs is the version of the package', async () => {
  const chart = parse(await readFile(join(CHART, 'Chart.yaml'), 'utf8'))
  assert.deepEqual([chart.version, chart.appVersion], [packageJson.version, packageJson.version])
})

test('the schema knows every value, and no other', async () => {
  const values = parse(await readFile(join(CHART, 'values.yaml'), 'utf8'))
  const schema = JSON.parse(await readFile(join(CHART, 'values.schema.json'), 'utf8'))
  const { global: _, ...known } = schema.properties
  assert.deepEqual(Object.keys(known).sort(), Object.keys(values).sort())
  for (const program of ['webhook', 'gateway']) {
    assert.deepEqual(
      Object.keys(known[program].properties).sort(),
      Object.keys(values[program]).sort(),
    )
  }
})
