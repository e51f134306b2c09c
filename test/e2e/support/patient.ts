// A Patient is the default installation, with the gateway, and one MiniCluster in which nothing is wrong until a test breaks
// something; and the doctor, as a user runs it.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node'
import * as v from 'valibot'
import { examine } from '../../../webhook/cli/doctor/examination.ts'
import { Api } from '../../../webhook/cli/doctor/facts/api.ts'
import { readFacts } from '../../../webhook/cli/doctor/facts/facts.ts'
import type { Code, Finding } from '../../../webhook/cli/doctor/finding.ts'
import {
  choicesFor,
  type RecommendedHpa,
  recommendHpa,
} from '../../../webhook/cli/hpa/recommended-hpa.ts'
import { MiniClusterSource } from '../../../webhook/cli/input/files/minicluster-source.ts'
import { PROTECTION } from '../../../webhook/contract.ts'
import type { MiniCluster } from '../../support/minicluster.ts'
import { Operator } from '../../support/operator.ts'
import { type ApiProxy, startApiProxy } from './api-proxy.ts'
import { awaitApiServices, claimApiServices } from './api-services.ts'
import { type Cluster, connect, createNamespace, installCrd, remove, removeCrd } from './cluster.ts'
import { withShortGrace } from './environment.ts'
import { Installation, run, WEBHOOK_NAMESPACE } from './installation.ts'
import { kubectl } from './kubectl.ts'
import { API_SERVICES, MINICLUSTER, type MiniClusterOptions, miniCluster } from './manifests.ts'
import { leadOf, metricPath } from './members.ts'
import { report } from './report.ts'
import { readVersion } from './server-version.ts'
import { holds } from './wait.ts'

const MAIN = join(import.meta.dirname, '../../../webhook/cli/main.ts')

/** Its pods request little: the one node of a test has no room for more. That is seen all the time. */
export const ALWAYS: readonly Code[] = ['pods-share-nodes']

const ReportSchema = v.object({
  findings: v.array(v.looseObject({ code: v.string() })),
})

const SIZES = { size: 2, minSize: 2, maxSize: 4 } as const

/** Suits autoscaling. */
const SCHEDULER = { simple: true } as const

/** What the doctor printed. */
export interface Seen {
  readonly exitCode: number
  readonly findings: v.InferOutput<typeof ReportSchema>['findings']
}

export class Patient {
  readonly cluster: Cluster
  readonly installation: Installation
  readonly namespace: string
  readonly name = MINICLUSTER
  /** As `flux-metrics hpa` prints it for the MiniCluster. */
  readonly hpa: RecommendedHpa
  readonly #proxy: ApiProxy
  readonly #operatorLog: string[] = []
  #operator: Operator | undefined

  private constructor(
    parts: Pick<Patient, 'cluster' | 'installation' | 'namespace' | 'hpa'>,
    proxy: ApiProxy,
  ) {
    this.cluster = parts.cluster
    this.installation = parts.installation
    this.namespace = parts.namespace
    this.hpa = parts.hpa
    this.#proxy = proxy
  }

  /** Returns when the metrics of the MiniCluster are served. It has no HPA. */
  static async create(): Promise<Patient> {
    const cluster = connect()
    await claimApiServices(cluster)
    // One that an earlier file keeps would be taken over, and change under our hands.
    await run(['delete', 'apiservices', '--ignore-not-found', ...API_SERVICES])
    await installCrd(cluster)
    const namespace = await createNamespace(cluster)
    const installation = await Installation.apply('gateway')
    const object = healthy(namespace, SIZES)
    const source = v.parse(MiniClusterSource, object)
    const choices = choicesFor(source, (await readVersion()).version)
    const hpa = recommendHpa(object.apiVersion ?? '', source, choices)
    const patient = new Patient({ cluster, installation, namespace, hpa }, await startApiProxy())
    try {
      await patient.startOperator()
      await cluster.objects.create(object)
      await patient.published()
      await patient.serves()
      return patient
    } catch (error) {
      await patient.report()
      await patient.remove()
      throw error
    }
  }

  /** Waits until the gateway has published the APIServices, and they are Available. */
  async published(): Promise<void> {
    await holds('the APIServices', async () => {
      return (await kubectl(['get', 'apiservices', ...API_SERVICES])).code === 0
    })
    await awaitApiServices()
  }

  /** Waits until the metrics of the MiniCluster are served. */
  async serves(): Promise<void> {
    await holds('its metrics', async () => {
      return (await kubectl(['get', '--raw', metricPath(this, 'node_desired_count')])).code === 0
    })
  }

  async startOperator(): Promise<void> {
    this.#operator = new Operator({
      kubeConfig: this.cluster.kubeConfig,
      namespaces: [this.namespace],
      decorate: withShortGrace,
      log: (line) => this.#operatorLog.push(line),
    })
    await this.#operator.start()
  }

  async stopOperator(): Promise<void> {
    await this.#operator?.stop()
    this.#operator = undefined
  }

  /** Mends the MiniCluster and its HPA, whatever a failed case has left. */
  async mend(): Promise<void> {
    if (this.#operator === undefined) await this.startOperator()
    const spec = { ...SIZES, flux: { scheduler: SCHEDULER, bursting: null } }
    const metadata = { annotations: { 'flux-metrics/log-levle': null } }
    await this.patch('minicluster', this.name, { metadata, spec })
    await kubectl(['replace', '-f', '-'], JSON.stringify(this.hpa))
    await this.run('delete', 'limitranges,resourcequotas', '--all')
    const protect = Object.entries(PROTECTION).map(([key, value]) => `${key}=${value}`)
    await this.run('annotate', 'pods', '-l', `job-name=${this.name}`, ...protect, '--overwrite')
  }

  /** Creates another MiniCluster, with more fields of its spec. */
  async create(
    options: Partial<MiniClusterOptions>,
    { flux, ...others }: { readonly flux?: object; readonly pod?: object } = {},
  ): Promise<void> {
    const object = healthy(this.namespace, { size: 1, minSize: 1, maxSize: 2, ...options })
    const spec = { ...object.spec, ...others, flux: { ...object.spec.flux, ...flux } }
    await this.cluster.objects.create({ ...object, spec })
  }

  /** Runs kubectl in its namespace. */
  async run(...args: readonly string[]): Promise<string> {
    return run([`--namespace=${this.namespace}`, ...args])
  }

  /** Merges a patch into an object. */
  async patch(kind: string, name: string, patch: object, ...options: readonly string[]) {
    const merge = ['--type=merge', `--patch=${JSON.stringify(patch)}`]
    await this.run('patch', kind, name, ...merge, ...options)
  }

  /** Applies a HPA in the place of the present one. */
  async replaceHpa(hpa: object): Promise<void> {
    const { code, stderr } = await kubectl(['replace', '-f', '-'], JSON.stringify(hpa))
    if (code !== 0) throw new Error(`Cannot replace the HPA: ${stderr.trim()}`)
  }

  async lead(): Promise<V1Pod> {
    return leadOf(this.cluster, this)
  }

  /** Runs the doctor as a user does. */
  async ask(...options: readonly string[]): Promise<Seen> {
    const { name, namespace } = this
    const args = [MAIN, 'doctor', name, `--namespace=${namespace}`, '-o', 'json', ...options]
    const { exitCode, out } = await runNode(args)
    return { exitCode, findings: v.parse(ReportSchema, JSON.parse(out)).findings }
  }

  /** What it finds. The same, but for the thirty processes of kubectl. */
  async #examine(name: string): Promise<readonly Finding[]> {
    const facts = await readFacts(new Api(this.#proxy.get), { namespace: this.namespace, name })
    return examine(facts).findings
  }

  /** Waits until the doctor sees exactly this, and what it always sees. */
  async shows(codes: readonly Code[], name = this.name): Promise<readonly Finding[]> {
    return this.showsOnly([...ALWAYS, ...codes], name)
  }

  /** Waits until the doctor sees exactly this. */
  async showsOnly(codes: readonly Code[], name = this.name): Promise<readonly Finding[]> {
    const expected = spell(codes)
    let seen: readonly Finding[] = []
    try {
      await holds(
        `findings: ${expected}`,
        async () => {
          seen = await this.#examine(name)
          return spell(seen.map(({ code }) => code)) === expected
        },
        PATIENCE_MS,
      )
    } catch (cause) {
      const got = JSON.stringify(seen, undefined, 1)
      throw new Error(`Expected ${expected}, got ${got}`, { cause })
    }
    return seen
  }

  async report(): Promise<void> {
    await report(this.namespace, { operatorLog: this.#operatorLog, atLength: false })
    const scope = `--namespace=${WEBHOOK_NAMESPACE}`
    const { stdout } = await kubectl(['get', 'pods,services,endpointslices', scope, '-o=wide'])
    process.stdout.write(`\n--- the installation\n${stdout}`)
  }

  /** Removes everything, also where other files keep it: the gateway would take their APIServices. */
  async remove(): Promise<void> {
    await this.#operator?.stop()
    await this.#proxy[Symbol.asyncDispose]()
    await this.installation.remove()
    await remove(this.cluster, namespaceObject(this.namespace))
    await removeCrd(this.cluster)
  }
}

function spell(codes: readonly Code[]): string {
  return codes.toSorted().join(' ')
}

/** Objects change within seconds; a HPA asks every 5 s here. */
const PATIENCE_MS = 60_000

function namespaceObject(name: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

function healthy(namespace: string, options: MiniClusterOptions): MiniCluster {
  const annotations = { 'flux-metrics/enabled': 'true', 'flux-metrics/idle-grace-seconds': '0' }
  const object = miniCluster(namespace, { annotations, ...options })
  const flux = { ...object.spec.flux, scheduler: SCHEDULER }
  return { ...object, spec: { ...object.spec, flux } }
}

async function runNode(
  args: readonly string[],
): Promise<{ readonly exitCode: number; readonly out: string; readonly err: string }> {
  const { promise, resolve } = Promise.withResolvers<{
    readonly exitCode: number
    readonly out: string
    readonly err: string
  }>()
  execFile(process.execPath, [...args], (error, out, err) => {
    resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, out, err })
  })
  return promise
}
