// Whether the answer to a metric request is about what was asked. It always is, unless a sidecar has a defect; but an HPA compares
// nothing, and would resize a MiniCluster by the number of another. Pure.
import { EXTERNAL_GROUP, GROUP, MINICLUSTERS, NAMESPACES, SERVICES } from '#api/api-group.ts'
import { decodeSegment } from '#api/request.ts'
import { EXPLAIN } from '#metrics/metric.ts'
import { parseBounded } from '#serving/json-bounds.ts'
import { printable } from '#serving/text.ts'
import type { MiniClusterName } from '../peers/peer.ts'

/** resource.Quantity. An HPA reads `null` and nothing as 0. */
const QUANTITY = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/

/** A metric has 400 bytes, and the selector that was asked for. */
const MAX_ITEM_BYTES = 64 * 1024

/** Those of the External API have an item for each queue. */
const MAX_LIST_BYTES = 256 * 1024

/** The gauges of a sidecar have 20 KB, and the longest explanation, with its last hour and its pending jobs, 200 KB. */
const MAX_TEXT_BYTES = 512 * 1024

/** Keys and values: so many have a thousand queues. What is parsed can take twenty times the length of its text. */
const MAX_VALUES = 20_000

type Fields = Readonly<Record<string, unknown>>

/** The fields that tell an item of an answer from others. */
interface Expected {
  readonly listKind: string
  /** Whether the list has one item, no less and no more. */
  readonly isSingle: boolean
  identify(item: Fields): Fields
  readonly identity: Fields
}

/** How long an answer may be: hundreds of requests are answered at once. */
export function longestAnswer(name: MiniClusterName, path: string): number {
  const expected = expectedAt(name, path)
  if (expected === undefined) return MAX_TEXT_BYTES
  return expected.isSingle ? MAX_ITEM_BYTES : MAX_LIST_BYTES
}

/**
 * Compares an answer with the question, which is about this MiniCluster. An empty list would be missing in the lists of several
 * MiniClusters, and an HPA would take their sum for the whole.
 *
 * @param path of the question
 * @returns what the answer is instead; `undefined` if it is about the question, or if the path is no metric's
 */
export function contradiction(
  name: MiniClusterName,
  path: string,
  body: string,
): string | undefined {
  const expected = expectedAt(name, path)
  if (expected === undefined) return undefined
  const json = parseBounded(body, { maxValues: MAX_VALUES })
  if (json.kind !== 'parsed') return json.kind === 'excess' ? json.what : 'no JSON'
  const { kind, items } = fields(json.value)
  if (kind !== expected.listKind || !Array.isArray(items)) return `no ${expected.listKind}`
  if (items.length === 0) return 'an empty list'
  if (expected.isSingle && items.length > 1) return `${items.length} items`
  for (const entry of items) {
    const item = fields(entry)
    const identity = expected.identify(item)
    for (const [key, value] of Object.entries(expected.identity)) {
      if (identity[key] === value) continue
      return `${key} ${shown(identity[key])} instead of ${shown(value)}`
    }
    if (typeof item.value !== 'string' || !QUANTITY.test(item.value)) {
      return `the value ${shown(item.value)}`
    }
  }
  return undefined
}

function expectedAt(name: MiniClusterName, path: string): Expected | undefined {
  const [pathname = ''] = path.split('?')
  const [, apis, group, , , namespace, ...rest] = pathname.split('/').map(decodeSegment)
  if (apis !== 'apis' || namespace === undefined) return undefined
  if (group === EXTERNAL_GROUP) {
    const [metric] = rest
    return {
      listKind: 'ExternalMetricValueList',
      isSingle: false,
      identify: ({ metricName, metricLabels }) => ({
        metric: metricName,
        minicluster: fields(metricLabels).minicluster,
      }),
      identity: { metric, minicluster: name.minicluster },
    }
  }
  if (group !== GROUP) return undefined
  const isOfNamespace = rest.length === 2
  const [resource, object, metric] = isOfNamespace ? [NAMESPACES, undefined, rest[1]] : rest
  if (metric === EXPLAIN && !isOfNamespace) return undefined
  return {
    listKind: 'MetricValueList',
    isSingle: true,
    identify: (item) => ({
      ...fields(item.describedObject),
      // v1beta1 has `metricName`.
      metric: item.metricName ?? fields(item.metric).name,
    }),
    identity: { metric, ...identityOf(name, resource ?? '', object) },
  }
}

/** @param object the name in the path; never `*`, for which each sidecar is asked by the name of its MiniCluster */
function identityOf(name: MiniClusterName, resource: string, object: string | undefined): Fields {
  const { namespace, minicluster } = name
  switch (resource) {
    case NAMESPACES:
      return { kind: 'Namespace', name: namespace }
    case MINICLUSTERS:
      return { kind: 'MiniCluster', namespace, name: minicluster }
    case SERVICES:
      return { kind: 'Service', namespace, name: object }
    default:
      return { kind: resource, namespace }
  }
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function shown(value: unknown): string {
  return printable((JSON.stringify(value) ?? 'nothing').slice(0, 200))
}
