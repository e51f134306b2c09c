// base/ and components/network-policy: the webhook's pods, their selectors, environment, ports and probes.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as v from 'valibot'
import packageJson from '../../package.json' with { type: 'json' }
import { readConfig, VARIABLES } from '../../webhook/config.ts'
import { CERTIFICATES_PORT, GATEWAY, SERVICE_LABEL } from '../../webhook/contract.ts'
import { HEALTH_PATHS, LINGER_MS } from '../../webhook/health.ts'
import {
  CONTAINER,
  DEPLOYMENT,
  environmentOf,
  NAMESPACE,
  POD,
  SERVICE,
  Selector,
  workloadIn,
} from '../support/deployment.ts'
import {
  kustomization,
  MANIFESTS,
  objectsBelow,
  parseYaml,
  readText,
  resolve,
  theOnly,
} from '../support/manifests.ts'
import { networkPolicy } from '../support/network-policy.ts'
import { restrictedViolations } from '../support/pod-security.ts'

const UPGRADE = readFileSync(join(MANIFESTS, '../docs/how-to/UPGRADE.md'), 'utf8')

const { spec: POLICY } = networkPolicy(SERVICE.metadata.name)

const { spec: BUDGET } = v.parse(
  v.object({
    spec: v.strictObject({
      minAvailable: v.number(),
      unhealthyPodEvictionPolicy: v.string(),
      selector: Selector,
    }),
  }),
  theOnly('PodDisruptionBudget', 'base'),
)

const SPREAD = POD.spec.topologySpreadConstraints

const SELECTORS = {
  Deployment: DEPLOYMENT.spec.selector.matchLabels,
  Service: SERVICE.spec.selector,
  PodDisruptionBudget: BUDGET.selector.matchLabels,
  NetworkPolicy: POLICY.podSelector.matchLabels,
  ...Object.fromEntries(
    SPREAD.map(({ topologyKey, labelSelector }) => [topologyKey, labelSelector.matchLabels]),
  ),
}

for (const [what, labels] of Object.entries(SELECTORS)) {
  test(`the selector of ${what} has the labels of the pods`, () => {
    assert.deepEqual(labels, POD.metadata.labels)
  })
}

test('one replica can be evicted while another serves', () => {
  assert.equal(DEPLOYMENT.spec.replicas - BUDGET.minAvailable, 1)
  assert.ok(BUDGET.minAvailable >= 1)
})

test('a replica that is not ready can always be evicted', () => {
  assert.equal(BUDGET.unhealthyPodEvictionPolicy, 'AlwaysAllow')
})

test('no Service of the namespace changes the environment of the webhook', () => {
  assert.equal(POD.spec.enableServiceLinks, false)
})

test('replicas are spread over zones and nodes', () => {
  assert.deepEqual(
    SPREAD.map(({ topologyKey }) => topologyKey),
    ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'],
  )
})

test('a quota allows the priority class of the pods, during a rollout too', () => {
  const { hard, scopeSelector } = v.parse(
    v.object({
      spec: v.strictObject({
        hard: v.strictObject({ pods: v.pipe(v.string(), v.toNumber()) }),
        scopeSelector: v.unknown(),
      }),
    }),
    theOnly('ResourceQuota', 'base'),
  ).spec
  const values = [POD.spec.priorityClassName]
  assert.deepEqual(values, ['system-cluster-critical'])
  assert.deepEqual(scopeSelector, {
    matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values }],
  })
  const gateway = workloadIn('gateway').deployment.spec
  assert.equal(gateway.template.spec.priorityClassName, POD.spec.priorityClassName)
  // The old and the new replicas.
  assert.ok(hard.pods >= 2 * (DEPLOYMENT.spec.replicas + gateway.replicas))
})

test('the grace period is long enough for a clean end', () => {
  const drainMs = 5_000
  assert.ok(POD.spec.terminationGracePeriodSeconds * 1_000 >= LINGER_MS + drainMs + 5_000)
})

test("kustomize's images: changes the image of sidecars, and no other variable", () => {
  const base = kustomization('base')
  const [config] = base.configurations.map((file) => parseYaml(readText(resolve(base, file)))[0])
  assert.deepEqual(config, {
    images: [{ kind: 'Deployment', path: 'spec/template/spec/containers/env/value' }],
  })
  // A value is changed if it is the name of an image, with or without tag.
  const names = CONTAINER.env
    .filter(({ value }) => /^flux-metrics-(webhook|sidecar)([:@]|$)/.test(value ?? ''))
    .map(({ name }) => name)
  assert.deepEqual(names, ['SIDECAR_IMAGE'])
})

test('the environment has only variables of the webhook, with values that it accepts', () => {
  const known = VARIABLES.map(({ name }) => name)
  const strange = CONTAINER.env.filter(({ name }) => !known.includes(name))
  assert.deepEqual(strange, [])
  const read = readConfig(environmentOf())
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { sidecarImage, namespace, service, tls } = read.config
  assert.deepEqual(
    { sidecarImage, namespace, service, tls },
    {
      sidecarImage: `flux-metrics-sidecar:${packageJson.version}`,
      namespace: NAMESPACE,
      service: SERVICE.metadata.name,
      tls: undefined,
    },
  )
})

test('namespace and Service are the defaults of the webhook', () => {
  const read = readConfig({ SIDECAR_IMAGE: 'x', KUBERNETES_SERVICE_HOST: '192.0.2.1' })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { namespace, service } = read.config
  assert.deepEqual(SERVICE.metadata, { name: service, namespace })
  assert.equal(NAMESPACE, namespace)
  assert.equal(theOnly('Namespace', 'base').metadata.name, namespace)
})

test('what docs/how-to/UPGRADE.md deletes to uninstall is everything, or everything but the namespace, which has the Secret of the CA', () => {
  const [, label = ''] =
    /kubectl delete -k manifests\n[\s\S]* add `-l '!(\S+)'`/.exec(UPGRADE) ?? []
  const folders = ['base', 'gateway', 'components', 'overlays']
  const objects = folders.flatMap((folder) => objectsBelow(folder))
  const kept = objects.filter(({ metadata }) => metadata.labels?.[label] !== undefined)
  assert.deepEqual(
    kept.map(({ kind, metadata }) => [kind, metadata.name]),
    [['Namespace', NAMESPACE]],
  )
})

test('all objects are in one namespace, so that "namespace:" may move them', () => {
  const elsewhere = ['base', 'gateway', 'components']
    .flatMap((folder) => objectsBelow(folder))
    .filter(({ metadata }) => metadata.namespace !== undefined && metadata.namespace !== NAMESPACE)
  assert.deepEqual(elsewhere, [])
})

test('the Service leads to the ports of the webhook: reviews on 443, certificates on the port that sidecars use', () => {
  const read = readConfig(environmentOf())
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { listen, certificatesPort, healthPort } = read.config
  assert.deepEqual(CONTAINER.ports, [
    { name: 'https', containerPort: listen.port },
    { name: 'certificates', containerPort: certificatesPort },
    { name: 'health', containerPort: healthPort },
  ])
  assert.deepEqual(SERVICE.spec.ports, [
    { name: 'https', port: 443, targetPort: 'https' },
    { name: 'certificates', port: CERTIFICATES_PORT, targetPort: 'certificates' },
  ])
})

test('the NetworkPolicy says for each port of the webhook who may reach it', () => {
  assert.deepEqual(POLICY.policyTypes, ['Ingress', 'Egress'])
  const peers = Object.fromEntries(
    POLICY.ingress.map(({ ports: [{ port }], from }) => [port, from]),
  )
  const sidecars = { matchLabels: { [SERVICE_LABEL.key]: SERVICE_LABEL.value } }
  assert.deepEqual(peers, {
    https: undefined,
    certificates: [
      { namespaceSelector: {}, podSelector: sidecars },
      { podSelector: { matchLabels: { 'app.kubernetes.io/name': GATEWAY } } },
    ],
    health: [{ namespaceSelector: { matchLabels: { metrics: 'enabled' } } }],
  })
  assert.deepEqual(
    Object.keys(peers),
    CONTAINER.ports.map(({ name }) => name),
  )
})

test('the pod passes Pod Security "restricted", and its namespace enforces it', () => {
  assert.deepEqual(restrictedViolations(POD), [])
  const { labels = {} } = theOnly('Namespace', 'base').metadata
  const versions = { enforce: 'v1.27', audit: 'latest', warn: 'latest' }
  const expected = Object.entries(versions).flatMap(([mode, version]) => [
    [`pod-security.kubernetes.io/${mode}`, 'restricted'],
    [`pod-security.kubernetes.io/${mode}-version`, version],
  ])
  const { 'flux-metrics/keep': _kept, ...podSecurity } = labels
  assert.deepEqual(podSecurity, Object.fromEntries(expected))
})

const ProbeSchema = v.looseObject({ httpGet: v.unknown() })

test('the probes ask at paths that are answered under any load', () => {
  const [live, ready] = HEALTH_PATHS
  const probes = Object.entries(CONTAINER).filter(([field]) => field.endsWith('Probe'))
  const asked = probes.map(([field, probe]) => [field, v.parse(ProbeSchema, probe).httpGet])
  assert.deepEqual(Object.fromEntries(asked), {
    startupProbe: { path: live, port: 'health' },
    livenessProbe: { path: live, port: 'health' },
    readinessProbe: { path: ready, port: 'health' },
  })
})
