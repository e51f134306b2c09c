// An HPA whose pods another HPA has, too: the controller lets neither follow its metric. Those that scale the same MiniCluster are
// rivals before this; here the other one scales something else, whose selector finds the pods of the MiniCluster. Pure.
import type { Condition } from '../../../../objects/conditions.ts'
import { type Hpa, spellHpa } from '../../../input/cluster/hpa.ts'
import { type Finding, finding } from '../../finding.ts'

/** How the controller names two of them: `(e.g. [hpc/one hpc/two])`. */
const NAMES = /\(e\.g\. \[([^\]]*)\]\)/

/** @param condition ScalingActive, which is False. @returns `undefined` if that has another reason */
export function sharedPods({ reason, message: words }: Condition, hpa: Hpa): Finding | undefined {
  if (reason !== 'AmbiguousSelector') return undefined
  const { namespace, name } = hpa.metadata
  const named = NAMES.exec(words)?.[1]?.split(' ') ?? []
  const others = named.filter((one) => one !== `${namespace}/${name}`).join(' and ')
  const other = others === '' ? 'the other HPA' : `HPA ${others}`
  return finding('hpa-selector', {
    subject: spellHpa(hpa),
    message: `another HPA has its pods, too, and Kubernetes lets neither follow its metric: ${words}`,
    fix: `let what ${other} scales select by labels that the pods of the MiniCluster do not have, or delete that HPA`,
  })
}
