// Whose a request for a custom metric is: one MiniCluster's, several ones', or the adapter's that served the API before. Asks
// nobody.
import { MINICLUSTERS, NAMESPACES, SERVICES } from '#api/api-group.ts'
import { labelsOfMiniCluster, labelsOfService } from '#api/described-object.ts'
import type { MetricTarget } from '#api/metric-path.ts'
import type { Labels } from '#api/selectors/label.ts'
import { matchesLabels, type Selector } from '#api/selectors/selector.ts'
import { EXPLAIN } from '#metrics/metric.ts'
import { badRequest, notFound, type StatusError } from '#serving/status.ts'
import { enumerate, quote, shorten } from '#serving/text.ts'
import { METRICS_SERVICE } from '../../contract.ts'
import type { MiniClusterName } from '../peers/peer.ts'

/** The path below a version that a sidecar serves, without the metric. */
export interface Subject extends MiniClusterName {
  readonly path: string
}

export type Destination =
  /** The answer of this sidecar is the answer. */
  | { readonly kind: 'one'; readonly subject: Subject }
  /** The answers of all of them together, perhaps of none. */
  | { readonly kind: 'each'; readonly subjects: readonly Subject[] }
  /** It is not about MiniClusters: the adapter that served the API before has it. */
  | { readonly kind: 'upstream' }
  | { readonly kind: 'nowhere'; readonly error: StatusError }

/** What is known for the decision. A function is called only if the request may be ours. */
export interface Surroundings {
  /** The MiniClusters of the namespace that have a pod with a sidecar, in alphabetical order. */
  readonly miniclusters: () => readonly MiniClusterName[]
  /** Selects the objects of `*`. */
  readonly labelSelector: () => Selector
  /** Whether another adapter served the API before. */
  readonly hasUpstream: boolean
  /** Whether the metric is one that every sidecar has. */
  readonly isBuiltIn: boolean
}

/** More are not asked for one answer. */
export const MAX_SUBJECTS = 512

/** More are not named in a sentence. */
const MAX_NAMED = 5

export function destinationOf(target: MetricTarget, surroundings: Surroundings): Destination {
  const { namespace, resource, name } = target
  if (name === undefined) return ofNamespace(target, surroundings)
  if (resource === MINICLUSTERS) {
    if (name !== '*')
      return { kind: 'one', subject: asMiniCluster({ namespace, minicluster: name }) }
    const selected = select(surroundings, labelsOfMiniCluster)
    // A list counts those beyond its rows, and asks none of them.
    const isList = target.metric === EXPLAIN
    return isList ? { kind: 'each', subjects: selected.map(asMiniCluster) } : each(selected)
  }
  if (resource === SERVICES && name === METRICS_SERVICE) {
    const miniclusters = surroundings.miniclusters()
    // Adapters made from the usual template have a Service of this name themselves.
    const isOther = miniclusters.length === 0 && !surroundings.isBuiltIn
    return surroundings.hasUpstream && isOther
      ? { kind: 'upstream' }
      : ofService(miniclusters, target)
  }
  if (surroundings.hasUpstream) return { kind: 'upstream' }
  if (resource === SERVICES && name === '*') {
    const matching = select(surroundings, labelsOfService)
    return matching.length === 0 ? each([]) : ofService(matching, target)
  }
  const what = `${shorten(resource)} ${quote(name)}`
  return nowhere(
    `Cannot find metrics of ${what} in namespace ${quote(namespace)}: the metrics here describe ` +
      `MiniClusters (${MINICLUSTERS}), Service "${METRICS_SERVICE}" (${SERVICES}) and namespaces`,
  )
}

function ofNamespace(
  { namespace, metric }: MetricTarget,
  { miniclusters: find, hasUpstream, isBuiltIn }: Surroundings,
): Destination {
  if (hasUpstream && !isBuiltIn) return { kind: 'upstream' }
  const miniclusters = find()
  const [only, ...others] = miniclusters
  if (hasUpstream && only === undefined) return { kind: 'upstream' }
  if (only === undefined) {
    return nowhere(
      `Cannot find metric ${shorten(metric)} for ${NAMESPACES} ${quote(namespace)}: no MiniCluster there has metrics`,
    )
  }
  if (others.length > 0) return each(miniclusters)
  const path = `/namespaces/${encodeURIComponent(namespace)}/metrics/`
  return { kind: 'one', subject: { ...only, path } }
}

/** The Service stands for the one MiniCluster of its namespace, as it did in the prototype. */
function ofService(
  miniclusters: readonly MiniClusterName[],
  { namespace }: MetricTarget,
): Destination {
  const [only, ...others] = miniclusters
  if (only !== undefined && others.length === 0) {
    const path = `/namespaces/${encodeURIComponent(namespace)}/${SERVICES}/${METRICS_SERVICE}/`
    return { kind: 'one', subject: { ...only, path } }
  }
  const where = `namespace ${quote(namespace)}`
  if (only === undefined) {
    return nowhere(
      `Cannot find metrics of Service "${METRICS_SERVICE}": no MiniCluster of ${where} has metrics`,
    )
  }
  return nowhere(
    `Cannot find metrics of Service "${METRICS_SERVICE}": ${where} has ${miniclusters.length} MiniClusters with metrics; ` +
      `ask for one of them, as ${MINICLUSTERS}: ${namesOf(miniclusters)}`,
  )
}

function select(
  { miniclusters, labelSelector }: Surroundings,
  labelsOf: (minicluster: string) => Labels,
): readonly MiniClusterName[] {
  const selector = labelSelector()
  return miniclusters().filter(({ minicluster }) => matchesLabels(selector, labelsOf(minicluster)))
}

function each(miniclusters: readonly MiniClusterName[]): Destination {
  checkNumber(miniclusters)
  return { kind: 'each', subjects: miniclusters.map(asMiniCluster) }
}

/** @throws StatusError 400 if too many would be asked for one answer */
export function checkNumber(miniclusters: readonly MiniClusterName[]): void {
  if (miniclusters.length <= MAX_SUBJECTS) return
  throw badRequest(
    `Cannot answer for ${miniclusters.length} MiniClusters at once: expected at most ${MAX_SUBJECTS}; select fewer with labelSelector`,
  )
}

/** The path of a MiniCluster below a version, as its own sidecar serves it. */
export function asMiniCluster(name: MiniClusterName): Subject {
  const { namespace, minicluster } = name
  const [place, object] = [namespace, minicluster].map(encodeURIComponent)
  return { ...name, path: `/namespaces/${place}/${MINICLUSTERS}/${object}/` }
}

function nowhere(message: string): Destination {
  return { kind: 'nowhere', error: notFound(message) }
}

/** Some of the names, for a sentence. */
export function namesOf(miniclusters: readonly MiniClusterName[]): string {
  const names = miniclusters.slice(0, MAX_NAMED).map(({ minicluster }) => minicluster)
  const more = miniclusters.length - names.length
  return enumerate(more > 0 ? [...names, `${more} more`] : names)
}
