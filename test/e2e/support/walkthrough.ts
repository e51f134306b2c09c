// What a newcomer does, on a real cluster: the commands of the documentation, run by a shell as they are written. Stand-ins: images that are
// there for those that docker would push, the Flux Operator's part, and simulated brokers in the pods of manifests/examples.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { V1Container, V1PodTemplateSpec } from '@kubernetes/client-node'
import { shownCommands } from '../../docs/pages.ts'
import { ROOT } from '../../support/imports.ts'
import { Operator } from '../../support/operator.ts'
import { claimApiServices } from './api-services.ts'
import { type Cluster, connect, installCrd, removeCrd } from './cluster.ts'
import { run, WEBHOOK_NAMESPACE } from './installation.ts'
import { API_SERVICES, BROKER_IMAGE, SIDECAR_IMAGE, WEBHOOK_IMAGE } from './manifests.ts'
import type { Member } from './members.ts'
import { report } from './report.ts'

/** The MiniCluster of manifests/examples. */
export const SAMPLE: Member = { namespace: 'default', name: 'flux-sample' }

const REGISTRY = 'localhost'

/** The command line from the checkout, and the registry of README's reader. */
const PRELUDE = `set -o pipefail; REGISTRY=${REGISTRY}; flux-metrics() { node webhook/cli/main.ts "$@"; }`

export class Walkthrough {
  readonly cluster: Cluster
  readonly #operator: Operator
  readonly #operatorLog: string[] = []

  private constructor(cluster: Cluster) {
    this.cluster = cluster
    this.#operator = new Operator({
      kubeConfig: cluster.kubeConfig,
      namespaces: [SAMPLE.namespace],
      decorate: withSimulatedBroker,
      log: (line) => this.#operatorLog.push(line),
    })
  }

  /** A cluster with the operator, and without anything of ours. */
  static async create(): Promise<Walkthrough> {
    const cluster = connect()
    await claimApiServices(cluster)
    await run(['delete', 'apiservices', '--ignore-not-found', ...API_SERVICES])
    await installCrd(cluster)
    const walkthrough = new Walkthrough(cluster)
    await walkthrough.#operator.start()
    return walkthrough
  }

  /** Runs a command of a page as it is written. Returns what it prints; throws if it fails. */
  async follow(page: string, beginning: string): Promise<string> {
    const shown = shownCommands(page).find(({ command }) => command.startsWith(beginning))
    if (shown === undefined) throw new Error(`Cannot find "${beginning}" in ${page}`)
    return shell(shown.command)
  }

  async report(): Promise<void> {
    await report(SAMPLE.namespace, { operatorLog: this.#operatorLog, atLength: true })
  }

  async remove(): Promise<void> {
    await run(['delete', '-k', 'manifests/examples', '--ignore-not-found'])
    await run(['delete', '-k', 'manifests', '--ignore-not-found'])
    await this.#operator.stop()
    await removeCrd(this.cluster)
  }

  /** What is left of an installation. */
  async left(): Promise<readonly string[]> {
    const kinds = 'apiservices,clusterroles,clusterrolebindings,mutatingwebhookconfigurations'
    const found = await run(['get', kinds, '-o=name'])
    const ours = found.split('\n').filter((name) => /flux-metrics|custom\.metrics/.test(name))
    const namespace = await run([
      'get',
      'namespace',
      WEBHOOK_NAMESPACE,
      '--ignore-not-found',
      '-o=name',
    ])
    return [...ours, ...(namespace === '' ? [] : [namespace.trim()])]
  }
}

async function shell(command: string): Promise<string> {
  // Images that were pushed have the tag of the release, those under test have another.
  const images = `s|${REGISTRY}/flux-metrics-webhook:[0-9.]*|${WEBHOOK_IMAGE}|; s|${REGISTRY}/flux-metrics-sidecar:[0-9.]*|${SIDECAR_IMAGE}|`
  const script = command.replace('| kubectl apply -f -', `| sed "${images}" | kubectl apply -f -`)
  const child = spawn('bash', ['-c', `${PRELUDE}\n${script}`], { cwd: ROOT, stdio: 'pipe' })
  child.stdin.end()
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  if (code !== 0) throw new Error(`"${command}" ends with code ${code}: ${stderr}${stdout}`)
  return stdout
}

/** The image of the example cannot be pulled here, has a real Flux, and wants more than a small node has. */
function withSimulatedBroker({ metadata, spec }: V1PodTemplateSpec): V1PodTemplateSpec {
  const here = (container: V1Container): V1Container => ({
    ...container,
    image: BROKER_IMAGE,
    resources: { requests: { cpu: '10m', memory: '32Mi' } },
  })
  return {
    ...(metadata !== undefined && { metadata }),
    ...(spec !== undefined && {
      spec: {
        ...spec,
        terminationGracePeriodSeconds: 5,
        initContainers: spec.initContainers?.map(here) ?? [],
        containers: spec.containers.map((container) => ({
          ...here(container),
          command: ['node', '/app/test/support/broker-main.ts'],
          env: [...(container.env ?? []), { name: 'QUORUM', value: '2' }],
        })),
      },
    }),
  }
}
