// The Helm chart on a real cluster: installed, upgraded, rolled back and uninstalled by real Helm. That it makes the same objects as
// the kustomizations is tested in manifests/chart.test.ts.
import assert from 'node:assert/strict'
import packageJson from '../../package.json' with { type: 'json' }
import { CHART, NO_CHART_TOOLS, runHelm } from '../support/chart-tools.ts'
import { claimApiServices } from './support/api-services.ts'
import { withShared } from './support/cases.ts'
import { type Cluster, connect, remove } from './support/cluster.ts'
import { run, WEBHOOK, WEBHOOK_NAMESPACE } from './support/installation.ts'
import { getRaw, kubectl } from './support/kubectl.ts'
import { API_SERVICES, GROUP, SIDECAR_IMAGE, WEBHOOK_IMAGE } from './support/manifests.ts'
import { report } from './support/report.ts'
import { awaitPublished, left, namespaceComesAndGoes } from './support/traces.ts'
import { holds } from './support/wait.ts'

const SCOPE = `--namespace=${WEBHOOK_NAMESPACE}`
const RELEASE = 'flux-metrics'

/** Kinds outside of namespaces of which an installation has objects. */
const KINDS =
  'clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings'

/** Helm's arguments for the images under test. */
const IMAGES = [
  ...imageValues('image', WEBHOOK_IMAGE),
  ...imageValues('sidecar.image', SIDECAR_IMAGE),
]

function imageValues(key: string, image: string): readonly string[] {
  const [, repository = '', tag = ''] = /^(.*):([^:/]+)$/.exec(image) ?? []
  return [`--set-string=${key}.repository=${repository}`, `--set-string=${key}.tag=${tag}`]
}

const helm = (command: string, ...args: string[]) =>
  runHelm([command, RELEASE, ...args, SCOPE, '--wait', '--timeout=2m'])

class Release {
  readonly cluster: Cluster

  private constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  /** Installs into a new namespace. */
  static async install(): Promise<Release> {
    if (NO_CHART_TOOLS !== false) throw new Error(NO_CHART_TOOLS)
    const cluster = connect()
    await claimApiServices(cluster)
    const release = new Release(cluster)
    await release.clear()
    await run(['create', 'namespace', WEBHOOK_NAMESPACE])
    await run([
      'label',
      'namespace',
      WEBHOOK_NAMESPACE,
      'pod-security.kubernetes.io/enforce=restricted',
    ])
    await helm('install', CHART, ...IMAGES, '--set=externalMetrics.enabled=true,guard.enabled=true')
    return release
  }

  /** Removes what was installed here in any way. */
  async clear(): Promise<void> {
    // The gateway would publish its APIServices again.
    await kubectl(['delete', 'deployments', '--all', SCOPE, '--cascade=foreground'])
    await run(['delete', 'apiservices', '--ignore-not-found', ...API_SERVICES])
    await run(['delete', KINDS, '-l', 'app.kubernetes.io/part-of=flux-metrics'])
    await run(['delete', 'namespace', WEBHOOK_NAMESPACE, '--ignore-not-found'])
  }

  async report(): Promise<void> {
    await report(WEBHOOK_NAMESPACE, { operatorLog: [], atLength: true })
  }

  async remove(): Promise<void> {
    await this.clear()
  }
}

/** What the webhook has written into objects of the chart. */
async function published(): Promise<string> {
  const bundle = '-o=jsonpath={.webhooks[*].clientConfig.caBundle}'
  const data = '-o=jsonpath={.data}'
  const both = [
    await run(['get', 'mutatingwebhookconfiguration', WEBHOOK, bundle]),
    await run(['get', 'configmap', 'flux-metrics-ca-bundle', SCOPE, data]),
  ]
  for (const text of both) assert.ok(text.length > 200, text)
  return both.join('\n')
}

/** The log level of the webhook, and its NetworkPolicies. */
async function options(): Promise<readonly string[]> {
  const level = '-o=jsonpath={.spec.template.spec.containers[0].env[?(@.name=="LOG_LEVEL")].value}'
  const policies = await run(['get', 'networkpolicies', SCOPE, '-o=name'])
  return [await run(['get', 'deployment', WEBHOOK, SCOPE, level]), ...policies.trim().split('\n')]
}

let before = ''

withShared('the Helm chart', () => Release.install(), {
  'installed, it serves the metrics APIs': async ({ cluster }) => {
    await awaitPublished()
    const list = (await getRaw(`/apis/${GROUP}/v1beta2`)) as { resources: unknown[] }
    assert.ok(list.resources.length > 20)
    await namespaceComesAndGoes(cluster)
    before = await published()
    assert.match(await runHelm(['get', 'notes', RELEASE, SCOPE]), /is installed in namespace flux-/)
  },

  'the command line is in the image of the webhook': async () => {
    const version = ['exec', `deployment/${WEBHOOK}`, SCOPE, '--', 'flux-metrics', '--version']
    assert.equal(await run(version), `${packageJson.version}\n`)
  },

  'upgraded, it has the new values, and what the webhook has written': async () => {
    const values = '--set=webhook.logLevel=debug,networkPolicy.enabled=true'
    await helm('upgrade', CHART, '--reset-then-reuse-values', values)
    assert.deepEqual(await options(), [
      'debug',
      'networkpolicy.networking.k8s.io/flux-metrics-gateway',
      'networkpolicy.networking.k8s.io/flux-metrics-webhook',
    ])
    assert.equal(await published(), before)
  },

  'rolled back, it has the old values, and the APIs are still served': async () => {
    await helm('rollback', '1')
    assert.deepEqual(await options(), ['', ''])
    assert.equal(await published(), before)
    await awaitPublished()
  },

  'uninstalled, it leaves the CA, and nothing once the namespace is deleted': async ({
    cluster,
  }) => {
    await helm('uninstall')
    await holds('nothing left', async () => (await left()).length === 0)
    await namespaceComesAndGoes(cluster)
    const secrets = await run(['get', 'secrets', '-o=name', SCOPE])
    assert.equal(secrets, 'secret/flux-metrics-ca\n')
    assert.equal(
      await run(['get', KINDS, '-o=name', '-l', 'app.kubernetes.io/part-of=flux-metrics']),
      '',
    )
    await remove(cluster, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: WEBHOOK_NAMESPACE },
    })
  },
})
