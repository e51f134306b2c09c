// The default installation on a real cluster: whose APIServices the gateway takes and whose not, and that nothing is left of it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { GATEWAY, METRICS_SERVICE } from '../../webhook/contract.ts'
import { MANIFESTS } from '../support/manifests.ts'
import { claimApiServices } from './support/api-services.ts'
import { withShared } from './support/cases.ts'
import { type Cluster, connect, createNamespace, remove } from './support/cluster.ts'
import { Installation, run, WEBHOOK_NAMESPACE } from './support/installation.ts'
import { kubectl } from './support/kubectl.ts'
import { API_SERVICES, GROUP } from './support/manifests.ts'
import { report } from './support/report.ts'
import { hasAdmissionPolicies } from './support/server-version.ts'
import { awaitPublished, leadsTo, left, namespaceComesAndGoes } from './support/traces.ts'
import { holds } from './support/wait.ts'

const V1BETA1 = 'v1beta1.custom.metrics.k8s.io'
const V1BETA2 = 'v1beta2.custom.metrics.k8s.io'

class Default {
  readonly cluster: Cluster
  readonly installation: Installation

  private constructor(cluster: Cluster, installation: Installation) {
    this.cluster = cluster
    this.installation = installation
  }

  /** Installs beside an APIService of another adapter, which has no server. */
  static async create(): Promise<Default> {
    const cluster = connect()
    await claimApiServices(cluster)
    await run(['delete', 'apiservices', '--ignore-not-found', ...API_SERVICES])
    const { code, stderr } = await kubectl(['create', '-f', '-'], JSON.stringify(FOREIGN))
    assert.equal(code, 0, stderr)
    return new Default(cluster, await Installation.apply('gateway'))
  }

  async report(): Promise<void> {
    await report(WEBHOOK_NAMESPACE, { operatorLog: [], atLength: true })
  }

  async remove(): Promise<void> {
    await this.installation.remove()
  }
}

function apiService(group: string, service: object) {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1beta1.${group}` },
    spec: {
      ...{ group, version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100 },
      ...{ insecureSkipTLSVerify: true, service },
    },
  }
}

const FOREIGN = apiService(GROUP, { name: 'prometheus-adapter', namespace: 'monitoring' })
const STRANGE = apiService('strange.example', { name: GATEWAY, namespace: WEBHOOK_NAMESPACE })

const AS_GATEWAY = `--as=system:serviceaccount:${WEBHOOK_NAMESPACE}:${GATEWAY}`

interface Spec {
  readonly service: object
  readonly caBundle?: string
}

/** Replaces an APIService with the rights of the gateway. Returns the refusal; empty if the API server accepts it. */
async function replaceAsGateway(edit: (spec: Spec) => object): Promise<string> {
  const object = JSON.parse(await run(['get', 'apiservice', V1BETA2, '-o=json']))
  const changed = JSON.stringify({ ...object, spec: edit(object.spec) })
  const replace = [AS_GATEWAY, 'replace', '--dry-run=server', '-f', '-']
  const { code, stderr } = await kubectl(replace, changed)
  return code === 0 ? '' : stderr.trim()
}

withShared('the default installation', () => Default.create(), {
  'the APIServices of another adapter are left alone, and an Event says so': async () => {
    assert.equal(await leadsTo(V1BETA1), 'monitoring/prometheus-adapter')
    assert.equal(await leadsTo(V1BETA2), '')
    await holds('an Event', async () => {
      const described = await run(['describe', 'apiservice', V1BETA1])
      return /Warning +NotPublished .*flux-metrics adopt/.test(described)
    })
  },

  'when that adapter is gone they are published, and Available without any MiniCluster': async ({
    cluster,
  }) => {
    await run(['delete', 'apiservice', V1BETA1])
    await awaitPublished()
    await namespaceComesAndGoes(cluster)
  },

  'one over which another adapter is installed is released, with the guard too': async () => {
    const { spec, ...adapter } = FOREIGN
    const { insecureSkipTLSVerify: _removed, ...verified } = spec
    const apply = ['apply', '--server-side', '--force-conflicts', '-f', '-']
    const applied = await kubectl(apply, JSON.stringify({ ...adapter, spec: verified }))
    assert.equal(applied.code, 0, applied.stderr)
    await holds('an APIService without our label and our owner', async () => {
      const { metadata } = JSON.parse(await run(['get', 'apiservice', V1BETA1, '-o=json']))
      return metadata.labels === undefined && metadata.ownerReferences === undefined
    })
    assert.equal(await leadsTo(V1BETA1), 'monitoring/prometheus-adapter')
    await run(['delete', 'apiservice', V1BETA1])
    await awaitPublished()
  },

  'those of overlays/direct are left alone, and taken over when the annotation is removed': async ({
    cluster,
  }) => {
    await run(['apply', '-f', join(MANIFESTS, 'overlays/direct/api-services.yaml')])
    await holds('an Event', async () => {
      const described = await run(['describe', 'apiservice', V1BETA2])
      return /Warning +NotPublished .*flux-metrics\/take-over=never/.test(described)
    })
    assert.equal(await leadsTo(V1BETA1), `default/${METRICS_SERVICE}`)
    // The contrast: without the sidecar to which they lead, no namespace ends.
    const stuck = await createNamespace(cluster)
    await run(['delete', 'namespace', stuck, '--wait=false'])
    await holds('a namespace that does not end', async () => {
      const type = 'NamespaceDeletionDiscoveryFailure'
      const path = `-o=jsonpath={.status.conditions[?(@.type=="${type}")].message}`
      return (await run(['get', 'namespace', stuck, path])).includes('custom.metrics.k8s.io')
    })
    await run(['annotate', 'apiservice', V1BETA1, V1BETA2, 'flux-metrics/take-over-'])
    await awaitPublished()
    await namespaceComesAndGoes(cluster)
    await remove(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: stuck } })
  },

  'components/guard refuses what the gateway does not need': async (_installed, t) => {
    if (!(await hasAdmissionPolicies())) return t.skip('the API server is older than 1.30')
    for (const edit of [
      (spec: Spec) => ({ ...spec, service: { ...spec.service, namespace: 'kube-system' } }),
      ({ caBundle: _removed, ...spec }: Spec) => ({ ...spec, insecureSkipTLSVerify: true }),
    ]) {
      assert.match(await replaceAsGateway(edit), /ValidatingAdmissionPolicy .* denied/)
    }
    assert.equal(await replaceAsGateway((spec) => ({ ...spec, groupPriorityMinimum: 99 })), '')
    const created = await kubectl([AS_GATEWAY, 'create', '-f', '-'], JSON.stringify(STRANGE))
    assert.match(created.stderr, /ValidatingAdmissionPolicy .* denied/)
  },

  'uninstalled with -l !flux-metrics/keep, only the namespace with the CA is left': async ({
    cluster,
    installation,
  }) => {
    await installation.uninstall()
    await holds('nothing left', async () => (await left()).length === 0)
    await namespaceComesAndGoes(cluster)
    assert.match(
      await run(['get', 'secrets', '-o=name', `--namespace=${WEBHOOK_NAMESPACE}`]),
      /flux-metrics-ca/,
    )
  },

  'installed again and uninstalled, nothing is left': async ({ cluster, installation }) => {
    await installation.install()
    await awaitPublished()
    await installation.uninstall({ keep: false })
    assert.deepEqual(await left(), [])
    const namespace = await run(['get', 'namespace', WEBHOOK_NAMESPACE, '--ignore-not-found'])
    assert.equal(namespace, '')
    await namespaceComesAndGoes(cluster)
  },
})
