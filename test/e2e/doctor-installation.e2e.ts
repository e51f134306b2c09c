// The same about what is installed, about rights, and about what happens to pods. It takes the installation apart, and waits for it.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONTAINER_NAME, GATEWAY, METRICS_SERVICE, SERVICE_LABEL } from '../../webhook/contract.ts'
import { doctorRole } from '../docs/doctor-role.ts'
import { createAuthority } from '../support/certificates.ts'
import { postControl } from './support/control.ts'
import { run, WEBHOOK, WEBHOOK_NAMESPACE } from './support/installation.ts'
import { kubectl } from './support/kubectl.ts'
import { API_SERVICES, HOLD_FILE } from './support/manifests.ts'
import { ALWAYS } from './support/patient.ts'
import { codesOf, create, encoded, withPatient } from './support/patient-cases.ts'
import { readsEndpointSlices } from './support/server-version.ts'
import { eventually, holds } from './support/wait.ts'

const SCOPE = `--namespace=${WEBHOOK_NAMESPACE}`
const CONTROLLER = 'system:controller:horizontal-pod-autoscaler'
const [NEWER = '', OLDER = '', EXTERNAL = ''] = API_SERVICES

/** An object, to be written again later. */
async function saved(...reference: readonly string[]): Promise<object> {
  const object = JSON.parse(await run(['get', ...reference, '-o=json']))
  const {
    resourceVersion: _version,
    uid: _uid,
    managedFields: _fields,
    ...metadata
  } = object.metadata
  return { ...object, metadata }
}

async function patch(kind: string, name: string, change: object): Promise<void> {
  const merge = ['--type=merge', `--patch=${JSON.stringify(change)}`]
  await run(['patch', kind, name, ...merge, SCOPE])
}

/** Leads an APIService elsewhere. Without label, or with the annotation, nobody leads it back. */
async function lead(name: string, change: object): Promise<void> {
  await run(['patch', 'apiservice', name, '--type=merge', `--patch=${JSON.stringify(change)}`])
}

/** Returns when all replicas serve, or have ended: until then they would mend what is broken. */
async function scale(deployment: string, replicas: number): Promise<void> {
  await run(['scale', 'deployment', deployment, `--replicas=${replicas}`, SCOPE])
  const timeout = '--timeout=120s'
  if (replicas > 0) await run(['rollout', 'status', `deployment/${deployment}`, SCOPE, timeout])
  else {
    const pods = ['pods', '-l', `app.kubernetes.io/name=${deployment}`]
    await run(['wait', '--for=delete', ...pods, SCOPE, timeout])
  }
}

/** The Service of the prototype, in front of any pods. */
function prototypeService(namespace: string, selector: object) {
  const ports = [{ port: 443, targetPort: 8443 }]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: METRICS_SERVICE, namespace },
    spec: { selector, ports },
  }
}

/** Puts a port of a pod of the gateway behind a Service of the gateway's name in another namespace. */
async function lendEndpoint(namespace: string, port: number): Promise<void> {
  const pods = ['pods', '-l', `app.kubernetes.io/name=${GATEWAY}`]
  const address = await run(['get', ...pods, SCOPE, '-o=jsonpath={.items[0].status.podIP}'])
  const ports = [{ name: '', port, protocol: 'TCP' }]
  await create({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: GATEWAY, namespace, labels: { 'kubernetes.io/service-name': GATEWAY } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports,
  })
  if (await readsEndpointSlices()) return
  // Not copied into a second EndpointSlice.
  const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' }
  await create({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: GATEWAY, namespace, labels },
    subsets: [{ addresses: [{ ip: address }], ports }],
  })
}

withPatient('the doctor, about what is installed', {
  'it finds nothing where nothing is wrong': async (patient) => {
    await create(patient.hpa)
    await patient.shows([])
  },

  'the rights of the controller of HPAs': async (patient) => {
    const role = await saved('clusterrole', CONTROLLER)
    const rules: readonly { apiGroups: string[]; resources: string[] }[] = Object(role).rules
    const without = async (refused: (rule: (typeof rules)[number]) => boolean) => {
      const change = { rules: rules.filter((rule) => !refused(rule)) }
      await run([
        'patch',
        'clusterrole',
        CONTROLLER,
        '--type=merge',
        `--patch=${JSON.stringify(change)}`,
      ])
    }
    try {
      await without(({ apiGroups }) => apiGroups.includes('custom.metrics.k8s.io'))
      await patient.shows(['hpa-forbidden'])
      await without(({ resources }) => resources.includes('*/scale'))
      await patient.shows(['hpa-unable'])
    } finally {
      await without(() => false)
    }
    await patient.shows([])
  },

  'pods that are not there, and pods that may be evicted': async (patient) => {
    const { name, namespace } = patient
    const [worker = ''] = (
      await patient.run(
        'get',
        'pods',
        '-l',
        `job-name=${name},batch.kubernetes.io/job-completion-index=1`,
        '-o=name',
      )
    ).split('\n')
    await patient.run('annotate', worker, 'karpenter.sh/do-not-disrupt-')
    await create({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'large', namespace },
      spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '1000' } }] },
    })
    // The HPA makes it grow.
    const broker = { namespace, pod: (await patient.lead()).metadata?.name ?? '' }
    await postControl(broker, '/jobs', { nodes: 3 })
    await patient.shows(['pods-unscheduled', 'pods-unprotected', 'flux-unknown'])
    await patient.run('annotate', worker, 'karpenter.sh/do-not-disrupt=true')
    await patient.run('delete', 'limitrange', 'large')
    await create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'few', namespace },
      spec: { hard: { pods: '2' } },
    })
    // Without it in its status the quota refuses nothing.
    await patient.run('wait', 'resourcequota/few', '--for=jsonpath={.status.hard.pods}=2')
    await patient.run(
      'delete',
      'pods',
      '-l',
      `job-name=${name}`,
      '--field-selector=status.phase=Pending',
    )
    await patient.shows(['pods-refused', 'flux-unknown'])
    await patient.run('delete', 'resourcequota', 'few')
    await postControl(broker, '/jobs/cancel-all', {})
    await patient.patch('minicluster', name, { spec: { size: 2 } })
    await patient.shows([])
  },

  'what Flux says of itself': async (patient) => {
    const { hpa, namespace } = patient
    const pod = (await patient.lead()).metadata?.name ?? ''
    const broker = { namespace, pod }
    await postControl(broker, '/drain', { rank: 1, reason: 'memory is broken' })
    await postControl(broker, '/jobs', { nodes: 3 })
    await patient.replaceHpa({ ...hpa, spec: { ...hpa.spec, maxReplicas: 2 } })
    await patient.shows(['flux-warning', 'flux-unknown', 'hpa-at-maximum', 'hpa-below-maximum'])
    await postControl(broker, '/jobs/cancel-all', {})
    await postControl(broker, '/undrain', { rank: 1 })
    await patient.replaceHpa(hpa)
    await patient.shows([])
    const inLead = ['exec', pod, `--container=${patient.name}`, '--']
    await patient.run(...inLead, 'touch', HOLD_FILE)
    await postControl(broker, '/kill', {})
    await patient.shows(['flux-unread'])
    await eventually('the container of the broker', async () =>
      (await kubectl([`--namespace=${namespace}`, ...inLead, 'rm', HOLD_FILE])).code === 0
        ? true
        : undefined,
    )
    await patient.serves()
    await patient.shows([])
  },

  'the configuration of the webhook': async (patient) => {
    const before = await saved('mutatingwebhookconfiguration', WEBHOOK)
    const [first, ...others] = Object(before).webhooks
    const expression = {
      key: 'kubernetes.io/metadata.name',
      operator: 'NotIn',
      values: [patient.namespace],
    }
    const webhook = {
      ...first,
      failurePolicy: 'Fail',
      namespaceSelector: { matchExpressions: [expression] },
      objectSelector: { matchLabels: { ...first.objectSelector.matchLabels, metrics: 'yes' } },
    }
    await patch('mutatingwebhookconfiguration', WEBHOOK, { webhooks: [webhook, ...others] })
    await patient.shows([
      'webhook-fails-closed',
      'webhook-excludes-namespace',
      'webhook-excludes-pod',
    ])
    await run(['delete', 'mutatingwebhookconfiguration', WEBHOOK])
    await patient.shows(['webhook-absent'])
    await create(before)
    await patient.shows([])
  },

  'Services without port, and without pods; CA bundles; APIs that nobody serves': async (
    patient,
  ) => {
    const { hpa } = patient
    await patch('service', GATEWAY, {
      spec: { ports: [{ name: 'https', port: 444, targetPort: 'https' }] },
    })
    const [reviews] = Object(await saved('service', WEBHOOK, SCOPE)).spec.ports
    await patch('service', WEBHOOK, { spec: { ports: [reviews] } })
    await patient.shows(['api-target-port', 'webhook-target-port'])
    await run(['delete', 'service', GATEWAY, WEBHOOK, SCOPE])
    await patient.shows(['api-target-absent', 'webhook-target-absent'])
    // Restores the Services.
    await patient.installation.install()
    await scale(WEBHOOK, 0)
    await scale(GATEWAY, 0)
    await patient.shows(['api-without-pods', 'webhook-without-pods'])
    const other = encoded((await createAuthority('another')).cert)
    const past = encoded(
      (await createAuthority('another', { notAfter: new Date(Date.now() - 1) })).cert,
    )
    await lead(NEWER, { spec: { caBundle: other } })
    await lead(OLDER, { spec: { caBundle: past } })
    const caBundle = (bundle: string) =>
      run([
        'patch',
        'mutatingwebhookconfiguration',
        WEBHOOK,
        '--type=json',
        `--patch=${JSON.stringify([0, 1].map((index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: bundle })))}`,
      ])
    await caBundle(other)
    await patient.shows([
      'api-without-pods',
      'api-ca-other',
      'api-ca-expired',
      'webhook-without-pods',
      'webhook-ca-other',
    ])
    await lead(NEWER, { spec: { caBundle: null, insecureSkipTLSVerify: true } })
    await lead(OLDER, { spec: { caBundle: null } })
    await caBundle(past)
    await patient.shows([
      'api-without-pods',
      'api-unverified',
      'api-ca-empty',
      'webhook-without-pods',
      'webhook-ca-expired',
    ])
    const external = {
      type: 'External',
      external: {
        metric: { name: 'node_desired_count' },
        target: { type: 'AverageValue', averageValue: '1' },
      },
    }
    await patient.replaceHpa({ ...hpa, spec: { ...hpa.spec, metrics: [external] } })
    await run(['delete', 'apiservice', NEWER, OLDER])
    await patient.shows([
      'api-service-absent',
      'external-api-unavailable',
      'webhook-without-pods',
      'webhook-ca-expired',
    ])
    await lead(EXTERNAL, { metadata: { labels: null }, spec: { service: { name: 'keda' } } })
    const adapter = await saved('apiservice', EXTERNAL)
    await create({
      ...adapter,
      metadata: { name: NEWER },
      spec: { ...Object(adapter).spec, group: 'custom.metrics.k8s.io', version: 'v1beta2' },
    })
    await patient.shows([
      'api-service-foreign',
      'external-api-foreign',
      'webhook-without-pods',
      'webhook-ca-expired',
    ])
    await run(['delete', 'apiservice', NEWER, EXTERNAL])
    await patient.shows([
      'api-service-absent',
      'external-api-absent',
      'webhook-without-pods',
      'webhook-ca-expired',
    ])
    await scale(WEBHOOK, 2)
    await scale(GATEWAY, 2)
    await patient.replaceHpa(hpa)
    await patient.published()
    await patient.shows([])
  },

  'APIServices that lead elsewhere': async (patient) => {
    const { namespace } = patient
    const kept = { annotations: { 'flux-metrics/take-over': 'never' } }
    const both = async (service: object, spec: object = {}) => {
      for (const name of [OLDER, NEWER]) {
        await lead(name, { metadata: kept, spec: { service, ...spec } })
      }
    }
    const metadata = { name: GATEWAY, namespace }
    await create({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 443 }] } })
    await lendEndpoint(namespace, 9)
    await both({ name: GATEWAY, namespace })
    await patient.shows(['api-unavailable'])
    await patient.run('delete', 'endpointslice,endpoints', GATEWAY, '--ignore-not-found')
    // The certificate is for the gateway's own namespace.
    await lendEndpoint(namespace, 8443)
    await patient.shows(['api-certificate'])
    await create(prototypeService(WEBHOOK_NAMESPACE, { 'app.kubernetes.io/name': GATEWAY }))
    await create(prototypeService(namespace, { [SERVICE_LABEL.key]: SERVICE_LABEL.value }))
    // The webhook would verify them again.
    const unverified = { caBundle: null, insecureSkipTLSVerify: true }
    for (const name of [OLDER, NEWER])
      await run(['label', 'apiservice', name, 'flux-metrics/ca-bundle=false', '--overwrite'])
    await both({ name: METRICS_SERVICE, namespace: WEBHOOK_NAMESPACE }, unverified)
    await patient.shows(['api-unverified', 'api-unverified', 'api-unreached'])
    await both({ name: METRICS_SERVICE, namespace }, unverified)
    await patient.shows(['api-unverified', 'api-unverified', 'api-shared'])
    // The gateway publishes what is not there.
    await run(['delete', 'apiservice', OLDER, NEWER])
    await patient.published()
    await lead(OLDER, { metadata: { labels: null }, spec: { service: { name: 'adapter' } } })
    await patient.shows(['api-service-split'])
    await run(['delete', 'apiservice', OLDER])
    await run(['delete', 'service', METRICS_SERVICE, SCOPE])
    await patient.published()
    await patient.shows([])
  },

  'a user without rights, one with the role of DOCTOR.md, and no cluster at all': async (
    patient,
  ) => {
    const { namespace } = patient
    const folder = await mkdtemp(join(tmpdir(), 'flux-metrics-e2e-'))
    const account = 'doctor'
    try {
      await patient.run('create', 'serviceaccount', account)
      const token = (await patient.run('create', 'token', account)).trim()
      const config = JSON.parse(await run(['config', 'view', '--raw', '--minify', '-o=json']))
      config.users = [{ name: config.contexts[0].context.user, user: { token } }]
      const file = join(folder, 'kubeconfig')
      await writeFile(file, JSON.stringify(config))
      const as = ['--kubeconfig', file]
      const stranger = await patient.ask(...as)
      assert.deepEqual(codesOf(stranger.findings), ['not-readable'])
      assert.equal(stranger.exitCode, 3)
      await create(doctorRole())
      const subject = `--serviceaccount=${namespace}:${account}`
      await run([
        'create',
        'clusterrolebinding',
        'flux-metrics-doctor',
        '--clusterrole=flux-metrics-doctor',
        subject,
      ])
      await holds('all that there is to see', async () => {
        const { findings } = await patient.ask(...as)
        return codesOf(findings).join() === ALWAYS.join()
      })
      config.clusters[0].cluster.server = 'https://127.0.0.1:1'
      await writeFile(file, JSON.stringify(config))
      const { findings, exitCode } = await patient.ask(...as)
      assert.deepEqual(codesOf(findings), ['api-server-unreachable'])
      assert.equal(exitCode, 1)
    } finally {
      await run([
        'delete',
        'clusterrole,clusterrolebinding',
        'flux-metrics-doctor',
        '--ignore-not-found',
      ])
      await rm(folder, { recursive: true })
    }
  },

  // The last case: a restart is told for an hour.
  'a sidecar that was started again': async (patient) => {
    const pod = (await patient.lead()).metadata?.name ?? ''
    const program = ['/nodejs/bin/node', '-e', 'process.kill(1)']
    await patient.run('exec', pod, `--container=${CONTAINER_NAME}`, '--', ...program)
    await patient.shows(['sidecar-restarts'])
  },
})
