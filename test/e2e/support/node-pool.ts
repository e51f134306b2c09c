// A NodePool of Karpenter, the node autoscaler, with its kwok provider: the nodes that it buys are objects, on which pods are said
// to run. MiniClusters choose it by a label of its nodes.
import * as v from 'valibot'
import { run } from './installation.ts'
import { kubectl } from './kubectl.ts'
import { holds } from './wait.ts'

/** Why tests with Karpenter cannot run here; `undefined` if they can. Objects of the cluster do not show whether it runs. */
export const NO_KARPENTER =
  process.env.E2E_KARPENTER === 'true'
    ? undefined
    : 'E2E_KARPENTER does not say that Karpenter runs, with its kwok provider'

/** The label of its nodes with its name. */
export const NODES_LABEL = 'flux-metrics-e2e/nodes'

export interface NodePoolOptions {
  readonly name: string
  /** The sizes of its nodes in CPUs, of which a tenth of one is not for pods. Karpenter buys the cheapest that fit. */
  readonly cpus: readonly number[]
  /** The time until a bought node appears. Default: none. */
  readonly bootTime?: string
}

const List = v.object({ items: v.array(v.object({ metadata: v.object({ name: v.string() }) })) })

export class NodePool {
  readonly name: string

  private constructor(name: string) {
    this.name = name
  }

  /** Nodes that are empty or not full are consolidated after five seconds. */
  static async create({ name, cpus, bootTime = '0s' }: NodePoolOptions): Promise<NodePool> {
    const isIn = (key: string, ...values: string[]) => ({ key, operator: 'In', values })
    const nodeClass = {
      apiVersion: 'karpenter.kwok.sh/v1alpha1',
      kind: 'KWOKNodeClass',
      metadata: { name },
      spec: { nodeRegistrationDelay: bootTime },
    }
    const spec = {
      nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name },
      expireAfter: 'Never',
      requirements: [
        isIn('kubernetes.io/arch', 'amd64'),
        isIn('kubernetes.io/os', 'linux'),
        isIn('karpenter.sh/capacity-type', 'on-demand'),
        isIn('karpenter.kwok.sh/instance-cpu', ...cpus.map(String)),
        isIn('karpenter.kwok.sh/instance-family', 'c'),
      ],
    }
    const pool = {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name },
      spec: {
        template: { metadata: { labels: { [NODES_LABEL]: name } }, spec },
        disruption: {
          consolidationPolicy: 'WhenEmptyOrUnderutilized',
          consolidateAfter: '5s',
          budgets: [{ nodes: '100%' }],
        },
      },
    }
    for (const object of [nodeClass, pool]) await apply(object)
    return new NodePool(name)
  }

  /** The CPUs of all its nodes, at most; `null`: any number. */
  async limit(cpu: number | null): Promise<void> {
    const limits = cpu === null ? null : { cpu: String(cpu) }
    const patch = JSON.stringify({ spec: { limits } })
    await run(['patch', 'nodepool', this.name, '--type=merge', `--patch=${patch}`])
  }

  /** The names of what was bought and not yet given back. */
  async nodeClaims(): Promise<readonly string[]> {
    const selector = `--selector=karpenter.sh/nodepool=${this.name}`
    const { items } = v.parse(
      List,
      JSON.parse(await run(['get', 'nodeclaims', selector, '-ojson'])),
    )
    return items.map(({ metadata }) => metadata.name)
  }

  /** Waits until everything is given back. */
  async isEmpty(): Promise<void> {
    await holds('no node of the NodePool', async () => (await this.nodeClaims()).length === 0)
  }

  /** Protected pods would keep its nodes: they must be gone. */
  async remove(): Promise<void> {
    await run(['delete', 'nodepool', this.name, '--ignore-not-found', '--timeout=60s'])
    await run(['delete', 'kwoknodeclass', this.name, '--ignore-not-found', '--timeout=60s'])
  }
}

async function apply(object: object): Promise<void> {
  const { code, stderr } = await kubectl(['apply', '-f', '-'], JSON.stringify(object))
  if (code !== 0) throw new Error(`Cannot apply: ${stderr.trim()}`)
}
