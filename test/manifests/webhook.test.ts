// base/ and components/network-policy: the webhook's pods, their selectors, environment, ports and probes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import packageJson from '../../package.json' with { type: 'json' }
import { HEALTH_PATHS } from '../../webhook/app.ts'
import { readConfig, VARIABLES } from '../../webhook/config.ts'
import {
  CONTAINER,
  DEPLOYMENT,
  environmentOf,
  NAMESPACE,
  POD,
  SERVICE,
  Selector,
} from '../support/deployment.ts'
import { objectsBelow, theOnly } from '../support/manifests.ts'
import { restrictedViolations } from '../support/pod-security.ts'

const { spec: POLICY } = v.parse(
  v.object({
    spec: v.object({
      podSelector: Selector,
      policyTypes: v.array(v.string()),
      ingress: v.unknown(),
    }),
  }),
  theOnly('NetworkPolicy', 'components/network-policy'),
)

const { spec: BUDGET } = v.parse(
  v.object({ spec: v.strictObject({ minAvailable: v.number(), selector: Selector }) }),
  theOnly('PodDisruptionBudget', 'base'),
)

const [SPREAD] = POD.spec.topologySpreadConstraints

const SELECTORS = {
  Deployment: DEPLOYMENT.spec.selector.matchLabels,
  Service: SERVICE.spec.selector,
  PodDisruptionBudget: BUDGET.selector.matchLabels,
  NetworkPolicy: POLICY.podSelector.matchLabels,
  topologySpreadConstraints: SPREAD.labelSelector.matchLabels,
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

test('all objects are in one namespace, except the RoleBinding in kube-system', () => {
  const elsewhere = [...objectsBelow('base'), ...objectsBelow('components')].filter(
    ({ metadata }) => metadata.namespace !== undefined && metadata.namespace !== NAMESPACE,
  )
  const places = elsewhere.map(({ kind, metadata }) => [kind, metadata.namespace])
  assert.deepEqual(places, [['RoleBinding', 'kube-system']])
})

test('the Service leads from port 443 to the port of the webhook', () => {
  const read = readConfig(environmentOf())
  const port = read.kind === 'config' ? read.config.listen.port : undefined
  assert.deepEqual(CONTAINER.ports, [{ name: 'https', containerPort: port }])
  assert.deepEqual(SERVICE.spec.ports, [{ name: 'https', port: 443, targetPort: 'https' }])
})

test('the NetworkPolicy allows connections to that port', () => {
  assert.deepEqual(POLICY.policyTypes, ['Ingress', 'Egress'])
  assert.deepEqual(POLICY.ingress, [{ ports: [{ port: 'https' }] }])
})

test('the pod passes Pod Security "restricted", and its namespace enforces it', () => {
  assert.deepEqual(restrictedViolations(POD), [])
  const { labels } = theOnly('Namespace', 'base').metadata
  assert.deepEqual(labels, { 'pod-security.kubernetes.io/enforce': 'restricted' })
})

const ProbeSchema = v.looseObject({ httpGet: v.unknown() })

test('the probes ask at paths that are answered under any load', () => {
  const [live, ready] = HEALTH_PATHS
  const probes = Object.entries(CONTAINER).filter(([field]) => field.endsWith('Probe'))
  const asked = probes.map(([field, probe]) => [field, v.parse(ProbeSchema, probe).httpGet])
  const https = { port: 'https', scheme: 'HTTPS' }
  assert.deepEqual(Object.fromEntries(asked), {
    startupProbe: { path: live, ...https },
    livenessProbe: { path: live, ...https },
    readinessProbe: { path: ready, ...https },
  })
})
