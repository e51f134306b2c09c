// gateway/ and components/: the gateway's pods, their selectors, ports and probes, and the identity that they ask the webhook for.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as v from 'valibot'
import {
  CERTIFICATES_PORT,
  GATEWAY,
  SERVICE_LABEL,
  TOKEN_AUDIENCE,
} from '../../webhook/contract.ts'
import { readConfig, VARIABLES } from '../../webhook/gateway/config.ts'
import { HEALTH_PATHS, LINGER_MS } from '../../webhook/health.ts'
import { createAuthority } from '../support/certificates.ts'
import {
  BUNDLE,
  environmentOf,
  Selector,
  DEPLOYMENT as WEBHOOK_DEPLOYMENT,
  POD as WEBHOOK_POD,
  SERVICE as WEBHOOK_SERVICE,
  workloadIn,
} from '../support/deployment.ts'
import { readImageSettings } from '../support/image-settings.ts'
import { theOnly } from '../support/manifests.ts'
import { networkPolicy } from '../support/network-policy.ts'
import { restrictedViolations } from '../support/pod-security.ts'

const { deployment: DEPLOYMENT, service: SERVICE } = workloadIn('gateway')
const POD = DEPLOYMENT.spec.template
const [CONTAINER] = POD.spec.containers
const ENVIRONMENT = environmentOf([], CONTAINER)
const { spec: POLICY } = networkPolicy(GATEWAY)

const { spec: BUDGET } = v.parse(
  v.object({ spec: v.looseObject({ minAvailable: v.number(), selector: Selector }) }),
  theOnly('PodDisruptionBudget', 'gateway'),
)

test('every selector has the labels of the pods', () => {
  const spread = POD.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector)
  const selectors = [DEPLOYMENT.spec.selector, BUDGET.selector, POLICY.podSelector, ...spread]
  for (const { matchLabels } of selectors) assert.deepEqual(matchLabels, POD.metadata.labels)
  assert.deepEqual(SERVICE.spec.selector, POD.metadata.labels)
})

test('Service, ServiceAccount and Deployment have the name that the webhook certifies', () => {
  const { metadata } = theOnly('ServiceAccount', 'gateway')
  assert.deepEqual([SERVICE.metadata.name, metadata.name], [GATEWAY, GATEWAY])
  assert.equal(POD.spec.serviceAccountName, GATEWAY)
  const { name, namespace } = theOnly('Deployment', 'gateway').metadata
  assert.deepEqual({ name, namespace }, { name: GATEWAY, namespace: SERVICE.metadata.namespace })
})

test('a replica ends, is evicted and is spread as those of the webhook are', () => {
  const { rollingUpdate } = v.parse(
    v.object({ strategy: v.object({ rollingUpdate: v.unknown() }) }),
    theOnly('Deployment', 'gateway').spec,
  ).strategy
  assert.deepEqual(rollingUpdate, { maxSurge: 1, maxUnavailable: 0 })
  assert.equal(DEPLOYMENT.spec.replicas, WEBHOOK_DEPLOYMENT.spec.replicas)
  assert.equal(BUDGET.unhealthyPodEvictionPolicy, 'AlwaysAllow')
  assert.ok(BUDGET.minAvailable >= 1 && BUDGET.minAvailable < DEPLOYMENT.spec.replicas)
  for (const field of ['enableServiceLinks', 'terminationGracePeriodSeconds'] as const) {
    assert.equal(POD.spec[field], WEBHOOK_POD.spec[field])
  }
  const keys = (pod: typeof POD) =>
    pod.spec.topologySpreadConstraints.map(({ topologyKey }) => topologyKey)
  assert.deepEqual(keys(POD), keys(WEBHOOK_POD))
})

test('the pod passes Pod Security "restricted"', () => {
  assert.deepEqual(restrictedViolations(POD), [])
})

const Probe = v.object({ httpGet: v.unknown() })
const PROBES = v.object({ startupProbe: Probe, livenessProbe: Probe, readinessProbe: Probe })

const MOUNTED = v.parse(
  v.object({
    containers: v.strictTuple([
      v.object({ volumeMounts: v.strictTuple([v.object({ mountPath: v.string() })]) }),
    ]),
    volumes: v.strictTuple([
      v.strictObject({
        name: v.string(),
        projected: v.strictObject({
          sources: v.strictTuple([
            v.strictObject({
              serviceAccountToken: v.object({ audience: v.string(), path: v.string() }),
            }),
          ]),
        }),
      }),
    ]),
  }),
  POD.spec,
)

test('the gateway asks the webhook for its identity, with a token for the webhook alone', () => {
  const { name, namespace } = WEBHOOK_SERVICE.metadata
  const [{ volumeMounts }] = MOUNTED.containers
  const { serviceAccountToken: token } = MOUNTED.volumes[0].projected.sources[0]
  assert.equal(token.audience, TOKEN_AUDIENCE)
  const { IDENTITY_URL, IDENTITY_TOKEN_FILE, IDENTITY_CA } = ENVIRONMENT
  assert.deepEqual(
    { IDENTITY_URL, IDENTITY_TOKEN_FILE, IDENTITY_CA },
    {
      IDENTITY_URL: `https://${name}.${namespace}.svc:${CERTIFICATES_PORT}`,
      IDENTITY_TOKEN_FILE: `${volumeMounts[0].mountPath}/${token.path}`,
      IDENTITY_CA: BUNDLE,
    },
  )
})

test('the NetworkPolicy lets API servers in, and the gateway to the webhook and to the sidecars', () => {
  const peers = Object.fromEntries(
    POLICY.ingress.map(({ ports: [{ port }], from }) => [port, from]),
  )
  assert.deepEqual(peers, {
    https: undefined,
    health: [{ namespaceSelector: { matchLabels: { metrics: 'enabled' } } }],
  })
  const [, webhook, sidecars] = POLICY.egress
  assert.deepEqual(webhook, {
    ports: [{ port: 'certificates' }],
    to: [{ podSelector: { matchLabels: WEBHOOK_POD.metadata.labels } }],
  })
  assert.deepEqual(sidecars, {
    to: [
      {
        namespaceSelector: {},
        podSelector: { matchLabels: { [SERVICE_LABEL.key]: SERVICE_LABEL.value } },
      },
    ],
  })
})

test('the environment has only variables of the gateway, with values that it accepts', async (t) => {
  const known = VARIABLES.map(({ name }) => name)
  const strange = CONTAINER.env.filter(({ name }) => !known.includes(name))
  assert.deepEqual(strange, [])
  const folder = await mkdtemp(join(tmpdir(), 'identity-'))
  t.after(() => rm(folder, { recursive: true }))
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, 'token')
  const { cert } = await createAuthority('flux-metrics')
  const mounted = { IDENTITY_TOKEN_FILE: tokenFile, IDENTITY_CA: cert }
  const read = readConfig({ ...ENVIRONMENT, ...mounted })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { namespace, service, listen, healthPort, externalMetrics } = read.config
  assert.deepEqual({ name: service, namespace }, SERVICE.metadata)
  assert.equal(externalMetrics, false)
  assert.deepEqual(CONTAINER.ports, [
    { name: 'https', containerPort: listen.port },
    { name: 'health', containerPort: healthPort },
  ])
  assert.deepEqual(SERVICE.spec.ports, [{ name: 'https', port: 443, targetPort: 'https' }])
})

test('the probes ask at paths that are answered under any load', () => {
  const [live, ready] = HEALTH_PATHS
  const { startupProbe, livenessProbe, readinessProbe } = v.parse(PROBES, CONTAINER)
  assert.deepEqual(
    [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet),
    [live, live, ready].map((path) => ({ path, port: 'health' })),
  )
})

test('the grace period is long enough for a clean end', () => {
  const drainMs = 5_000
  assert.ok(POD.spec.terminationGracePeriodSeconds * 1_000 >= LINGER_MS + drainMs + 5_000)
})

test('it runs in the image of the webhook, with flags that leave room in its memory for more than the heap', () => {
  const schema = v.object({
    command: v.array(v.string()),
    resources: v.object({ limits: v.object({ memory: v.string() }) }),
  })
  const { command, resources } = v.parse(schema, CONTAINER)
  const { flags } = readImageSettings('gateway')
  assert.deepEqual(command, ['/nodejs/bin/node', ...flags, '/app/gateway.cjs'])
  const heap = Number(/--max-old-space-size=(\d+)/.exec(flags.join(' '))?.[1])
  const [, limit] = /^(\d+)Mi$/.exec(resources.limits.memory) ?? []
  assert.ok(heap + 48 <= Number(limit), `${heap} of ${limit} MiB`)
})
