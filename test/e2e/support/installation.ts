// Installs the project as a user does: `kubectl apply -k` of a copy of manifests/, with the images under test and the
// namespace of the test's MiniCluster.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubectl } from './kubectl.ts'
import { SIDECAR_IMAGE, WEBHOOK_IMAGE } from './manifests.ts'
import { hasAdmissionPolicies } from './server-version.ts'

const MANIFESTS = join(import.meta.dirname, '../../../manifests')

export const WEBHOOK_NAMESPACE = 'flux-metrics'
export const WEBHOOK = 'flux-metrics-webhook'

/** The kustomization that a user writes around an overlay: other images, and the guard where the cluster has its API. */
async function kustomization(): Promise<string> {
  return JSON.stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['manifests/overlays/external'],
    components: (await hasAdmissionPolicies()) ? ['manifests/components/guard'] : [],
    images: [renamed(WEBHOOK, WEBHOOK_IMAGE), renamed('flux-metrics-sidecar', SIDECAR_IMAGE)],
  })
}

function renamed(name: string, image: string) {
  const [, newName = '', newTag = ''] = /^(.*):([^:/]+)$/.exec(image) ?? []
  return { name, newName, newTag }
}

/** An applied installation. */
export class Installation {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Applies the manifests for a MiniCluster in `namespace`. Returns when the webhook is rolled out. */
  static async apply(namespace: string): Promise<Installation> {
    const folder = await mkdtemp(join(tmpdir(), 'flux-metrics-e2e-'))
    await cp(MANIFESTS, join(folder, 'manifests'), { recursive: true })
    const service = join(folder, 'manifests/overlays/direct/service.yaml')
    const text = await readFile(service, 'utf8')
    await writeFile(service, text.replace('namespace: default', `namespace: ${namespace}`))
    await writeFile(join(folder, 'kustomization.yaml'), await kustomization())
    const installation = new Installation(folder)
    await installation.install()
    return installation
  }

  /** Applies the manifests, once more if {@link uninstall} has removed them. */
  async install(): Promise<void> {
    await run(['apply', '-k', this.#folder])
    await this.rolledOut()
  }

  /** Uninstalls as README says. */
  async uninstall(): Promise<void> {
    await run(['delete', '-k', this.#folder, '-l', '!flux-metrics/keep'])
  }

  /** Waits until the rollout of the Deployment is complete. */
  async rolledOut(): Promise<void> {
    await run([
      'rollout',
      'status',
      `deployment/${WEBHOOK}`,
      `--namespace=${WEBHOOK_NAMESPACE}`,
      '--timeout=120s',
    ])
  }

  /** Deletes everything that was applied. */
  async remove(): Promise<void> {
    // APIServices first: while one has no server behind it, no namespace can be deleted.
    await run(['delete', 'apiservices', '-l', 'app.kubernetes.io/part-of=flux-metrics'])
    await this.#killPods()
    await run(['delete', '-k', this.#folder, '--ignore-not-found', '--wait'])
    await this.forget()
  }

  /** Leaves everything that was applied to another Installation. */
  async forget(): Promise<void> {
    await rm(this.#folder, { recursive: true })
  }

  /** Nobody sends reviews any more: the namespace would only wait for pods that wait for them. */
  async #killPods(): Promise<void> {
    const scope = ['--all', `--namespace=${WEBHOOK_NAMESPACE}`]
    await run(['delete', 'deployments,replicasets', ...scope, '--cascade=orphan'])
    await run(['delete', 'pods', ...scope, '--grace-period=1'])
  }
}

/** Runs kubectl and returns its output. Throws if it fails. */
export async function run(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args)
  if (code !== 0) throw new Error(`Cannot run kubectl ${args.join(' ')}: ${stderr.trim()}`)
  return stdout
}
