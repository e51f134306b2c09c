// Serves OpenAPI v2 and v3 of the metric paths to kube-apiserver, which merges them into its own documents.
import type Router from 'koa-router'
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import {
  EXTERNAL_GROUP,
  EXTERNAL_VERSION,
  GROUP,
  MINICLUSTERS,
  SERVICES,
  VERSIONS,
  type Version,
  versionPath,
} from '../api-group.ts'
import { derived } from './derived.ts'
import { mergeOpenapi, NO_OPENAPI, type OpenapiParts, type OtherOpenapi } from './openapi-parts.ts'
import { definitionName, metricValueListSchema } from './openapi-schema.ts'
import { createDocument, type StaticDocument, sendTaggedDocument } from './static-document.ts'

/** Described only by another server: external metrics are not in our documents. */
const EXTERNAL_PATH = `/apis/${EXTERNAL_GROUP}/${EXTERNAL_VERSION}`

const PATHS = [
  {
    subject: 'MiniCluster',
    path: `/namespaces/{namespace}/${MINICLUSTERS}/{name}/{metric}`,
    description:
      'A metric of the Flux instance that runs in a MiniCluster; "*" is every MiniCluster',
  },
  {
    subject: 'Service',
    path: `/namespaces/{namespace}/${SERVICES}/{name}/{metric}`,
    description:
      'The same metric, by the Service in front of the lead broker; "*" is every such Service',
  },
  {
    subject: 'Namespace',
    path: '/namespaces/{namespace}/metrics/{metric}',
    description: 'The same metric, by the namespace of the MiniCluster',
  },
] as const

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  namespace: 'Namespace of the object',
  name: 'Name of the object, or "*"',
  metric: 'Name of the metric',
}

const QUERY_PARAMETERS: Readonly<Record<string, string>> = {
  labelSelector: 'Selects the objects of "*" by their labels',
  metricLabelSelector:
    'Selects the series of the metric that are added up, by their labels: "queue=debug"',
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly description: string
}

interface OpenapiOptions {
  readonly catalog: Catalog
  /** Of the program. */
  readonly version: string
  /** What another server describes, behind our own. */
  readonly otherOpenapi?: OtherOpenapi
}

/** Adds `/openapi/v2`, `/openapi/v3` and the documents that the latter names. */
export function routeOpenapi(
  router: Router,
  { catalog, version, otherOpenapi: others = NO_OPENAPI }: OpenapiOptions,
): void {
  const info = { title: 'Flux metrics', version }
  const v2 = derived(
    catalog,
    (metrics) => {
      const { paths, schemas: definitions } = mergeOpenapi(swagger(metrics), others.v2())
      return createDocument({ swagger: '2.0', info, paths, definitions })
    },
    others,
  )
  router.get('/openapi/v2', (ctx) => sendTaggedDocument(ctx, v2()))

  const v3 = (path: string, ours?: Version) =>
    derived(
      catalog,
      (metrics): StaticDocument | undefined => {
        const theirs = others.v3(path)
        if (ours === undefined && theirs === undefined) return undefined
        const own = ours === undefined ? { paths: {}, schemas: {} } : openapi(metrics, ours)
        const { paths, schemas } = mergeOpenapi(own, theirs)
        return createDocument({ openapi: '3.0.0', info, paths, components: { schemas } })
      },
      others,
    )
  const documents = new Map([
    ...VERSIONS.map((one) => [versionPath(one), v3(versionPath(one), one)] as const),
    [EXTERNAL_PATH, v3(EXTERNAL_PATH)],
  ])
  for (const [path, document] of documents) {
    router.get(`/openapi/v3${path}`, (ctx) => {
      const present = document()
      if (present !== undefined) sendTaggedDocument(ctx, present)
    })
  }
  const index = derived(
    catalog,
    () => {
      const paths = [...documents].flatMap(([path, document]) => {
        const { hash } = document() ?? {}
        if (hash === undefined) return []
        return [[path.slice(1), { serverRelativeURL: `/openapi/v3${path}?hash=${hash}` }] as const]
      })
      return createDocument({ paths: Object.fromEntries(paths) })
    },
    others,
  )
  router.get('/openapi/v3', (ctx) => sendTaggedDocument(ctx, index()))
}

function swagger(metrics: readonly Metric[]): OpenapiParts {
  return {
    paths: Object.fromEntries(
      VERSIONS.flatMap((version) =>
        toPaths(version, {
          toParameter: (parameter) => ({
            ...parameter,
            type: 'string',
            ...allowedValues(parameter, metrics),
          }),
          toOperation: (schemaName) => ({
            produces: ['application/json'],
            responses: {
              200: { description: 'OK', schema: { $ref: `#/definitions/${schemaName}` } },
            },
          }),
        }),
      ),
    ),
    schemas: Object.fromEntries(VERSIONS.map(toDefinition)),
  }
}

function openapi(metrics: readonly Metric[], version: Version): OpenapiParts {
  const paths = toPaths(version, {
    toParameter: (parameter) => ({
      ...parameter,
      schema: { type: 'string', ...allowedValues(parameter, metrics) },
    }),
    toOperation: (schemaName) => ({
      responses: {
        200: {
          description: 'OK',
          content: {
            'application/json': { schema: { $ref: `#/components/schemas/${schemaName}` } },
          },
        },
      },
    }),
  })
  return { paths: Object.fromEntries(paths), schemas: Object.fromEntries([toDefinition(version)]) }
}

/** The values of the parameter `metric` are the names of the metrics; other parameters take any value. */
function allowedValues({ name }: Parameter, metrics: readonly Metric[]) {
  return name === 'metric' ? { enum: metrics.map((metric) => metric.name) } : {}
}

/** The parts that v2 and v3 write differently. */
interface Dialect {
  toParameter(parameter: Parameter): object
  toOperation(schemaName: string): object
}

function toPaths(version: Version, dialect: Dialect): (readonly [string, object])[] {
  const tag = `${GROUP}_${version}`
  return PATHS.map(({ subject, path, description }) => [
    versionPath(version) + path,
    {
      parameters: parametersOf(path).map((parameter) => dialect.toParameter(parameter)),
      get: {
        description,
        operationId: `read${version.charAt(0).toUpperCase()}${version.slice(1)}MetricOf${subject}`,
        tags: [tag],
        ...dialect.toOperation(definitionName(version)),
      },
    },
  ])
}

function parametersOf(path: string): Parameter[] {
  const inPath = Object.entries(PATH_PARAMETERS).filter(([name]) => path.includes(`{${name}}`))
  return [
    ...inPath.map(([name, description]) => toParameter(name, 'path', description)),
    ...Object.entries(QUERY_PARAMETERS).map(([name, description]) =>
      toParameter(name, 'query', description),
    ),
  ]
}

function toParameter(name: string, place: 'path' | 'query', description: string): Parameter {
  return { name, in: place, required: place === 'path', description }
}

function toDefinition(version: Version): readonly [string, object] {
  return [definitionName(version), metricValueListSchema(version)]
}
