// The schema of MetricValueList, in the part of the language that OpenAPI v2 and v3 share. It has no references: a
// definition with the name of one of Kubernetes' own would have to equal it in every release.
import { GROUP, type Version } from '../api-group.ts'

const STRING = { type: 'string' }

const OBJECT_REFERENCE = object('The object that the metric describes', {
  kind: STRING,
  namespace: STRING,
  name: STRING,
  apiVersion: STRING,
})

const LABEL_SELECTOR = object('The selector of the series that were added up', {
  matchLabels: { type: 'object', additionalProperties: STRING },
  matchExpressions: {
    type: 'array',
    items: object('One condition', {
      key: STRING,
      operator: STRING,
      values: { type: 'array', items: STRING },
    }),
  },
})

const COMMON_PROPERTIES = {
  describedObject: OBJECT_REFERENCE,
  timestamp: { type: 'string', format: 'date-time', description: 'When Flux was read' },
  value: { type: 'string', description: 'A resource.Quantity' },
}

const ITEM_PROPERTIES: Readonly<Record<Version, object>> = {
  v1beta1: { ...COMMON_PROPERTIES, metricName: STRING, selector: LABEL_SELECTOR },
  v1beta2: {
    ...COMMON_PROPERTIES,
    metric: object('The metric', { name: STRING, selector: LABEL_SELECTOR }),
  },
}

/** The name that Kubernetes uses for the schema of this Go type. */
export function definitionName(version: Version): string {
  return `io.k8s.metrics.pkg.apis.custom_metrics.${version}.MetricValueList`
}

export function metricValueListSchema(version: Version) {
  return {
    ...object('Values of a metric, one for each object', {
      kind: STRING,
      apiVersion: STRING,
      metadata: { type: 'object' },
      items: {
        type: 'array',
        items: object('A value of a metric of an object', ITEM_PROPERTIES[version]),
      },
    }),
    required: ['kind', 'apiVersion', 'metadata', 'items'],
    'x-kubernetes-group-version-kind': [{ group: GROUP, version, kind: 'MetricValueList' }],
  }
}

function object(description: string, properties: object) {
  return { type: 'object', description, properties }
}
