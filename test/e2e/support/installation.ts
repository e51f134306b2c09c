// Installs the project as a user does: `kubectl apply -k` of a copy of manifests/, with the images under test.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GATEWAY } from '../../../webhook/contract.ts'
import { kubectl } from './kubectl.ts'
import { API_SERVICES, SIDECAR_IMAGE, WEBHOOK_IMAGE } from './manifests.ts'
import { hasAdmissionPolicies } from './server-version.ts'

const MANIFESTS = join(import.meta.dirname, '../../../manifests')

export const WEBHOOK_NAMESPACE = 'flux-metrics'
export const WEBHOOK = 'flux-metrics-webhook'

/** What is installed: `direct` for one MiniCluster in a namespace, or the default, with the gateway. */
export type Kind = { readonly direct: string } | 'gateway'

/** The kustomization that a user writes: other images, external metrics, and the guard where the cluster has its API. */
async function kustomization(kind: Kind): Promise<string> {
  const guard = (await hasAdmissionPolicies()) ? ['manifests/components/guard'] : []
  return JSON.stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [kind === 'gateway' ? 'manifests' : 'manifests/overlays/external'],
    components: kind === 'gateway' ? ['manifests/components/external', ...guard] : guard,
    images: images(),
  })
}

/** The images under test, for the field of a kustomization. */
export function images() {
  return [renamed(WEBHOOK, WEBHOOK_IMAGE), renamed('flux-metrics-sidecar', SIDECAR_IMAGE)]
}

function renamed(name: string, image: string) {
  const [, newName = '', newTag = ''] = /^(.*):([^:/]+)$/.exec(image) ?? []
  return { name, newName, newTag }
}

/** An applied installation. */
export class Installation {
  /** The user's kustomization, with a copy of `manifests`. */
  readonly folder: string
  readonly #deployments: readonly string[]

  private constructor(folder: string, kind: Kind) {
    this.folder = folder
    this.#deployments = kind === 'gateway' ? [WEBHOOK, GATEWAY] : [WEBHOOK]
  }

  /** Applies the manifests. Returns when all Deployments are rolled out. */
  static async apply(kind: Kind): Promise<Installation> {
    const folder = await mkdtemp(join(tmpdir(), 'flux-metrics-e2e-'))
    await cp(MANIFESTS, join(folder, 'manifests'), { recursive: true })
    if (kind !== 'gateway') {
      const service = join(folder, 'manifests/overlays/direct/service.yaml')
      const text = await readFile(service, 'utf8')
      await writeFile(service, text.replace('namespace: default', `namespace: ${kind.direct}`))
    }
    await writeFile(join(folder, 'kustomization.yaml'), await kustomization(kind))
    const installation = new Installation(folder, kind)
    await installation.install()
    return installation
  }

  /** Applies the manifests, once more if {@link uninstall} has removed them. */
  async install(): Promise<void> {
    await run(['apply', '-k', this.folder])
    await this.rolledOut()
  }

  /** Uninstalls as docs/how-to/UPGRADE.md says. `keep`: but for the namespace with the CA. */
  async uninstall({ keep = true } = {}): Promise<void> {
    await run(['delete', '-k', this.folder, ...(keep ? ['-l', '!flux-metrics/keep'] : [])])
  }

  /** Waits until the rollouts of all Deployments are complete. */
  async rolledOut(): Promise<void> {
    for (const name of this.#deployments) {
      const scope = `--namespace=${WEBHOOK_NAMESPACE}`
      await run(['rollout', 'status', `deployment/${name}`, scope, '--timeout=120s'])
    }
  }

  /** Deletes everything that was applied. */
  async remove(): Promise<void> {
    // The gateway would publish its APIServices again.
    await this.#killPods()
    // Before any namespace: while one has no server behind it, no namespace can be deleted.
    await run(['delete', 'apiservices', '--ignore-not-found', ...API_SERVICES])
    await run(['delete', '-k', this.folder, '--ignore-not-found', '--wait'])
    await this.forget()
  }

  /** Leaves everything that was applied to another Installation. */
  async forget(): Promise<void> {
    await rm(this.folder, { recursive: true })
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
