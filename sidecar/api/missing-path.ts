// Answers 404 for unknown paths of the metric groups, with the paths that exist or the setting that enables the group.
import type { Middleware } from 'koa'
import { notFound } from '#serving/status.ts'
import { enumerate, quote } from '#serving/text.ts'
import { EXTERNAL_GROUP, EXTERNAL_VERSION, GROUP, VERSIONS } from './api-group.ts'

interface Served {
  readonly versions: readonly string[]
  /** Relative to the path of a version. */
  readonly paths: readonly string[]
}

const CUSTOM: Served = {
  versions: VERSIONS,
  paths: [
    'namespaces/{namespace}/{resource}/{name}/{metric}',
    'namespaces/{namespace}/metrics/{metric}',
  ],
}

const EXTERNAL: Served = {
  versions: [EXTERNAL_VERSION],
  paths: ['namespaces/{namespace}/{metric}'],
}

/**
 * Creates the middleware; it must be behind the routes.
 *
 * @param options.external whether external.metrics.k8s.io is served
 */
export function explainMissingPaths({ external }: { readonly external: boolean }): Middleware {
  return (ctx, next) => {
    const [, apis, group = '', version] = ctx.path.split('/')
    if (apis !== 'apis') return next()
    if (group === GROUP) throw missing(ctx.path, version, CUSTOM)
    if (group !== EXTERNAL_GROUP) return next()
    if (external) throw missing(ctx.path, version, EXTERNAL)
    throw notFound(
      'Cannot find external metrics: they are off; set EXTERNAL_METRICS=true, or the annotation ' +
        'flux-metrics/external-metrics: "true"',
    )
  }
}

function missing(path: string, version: string | undefined, { versions, paths }: Served) {
  if (version === undefined || !versions.includes(version)) {
    return notFound(
      `Nothing is served at ${quote(path)}: expected version ${enumerate(versions, 'or')}`,
    )
  }
  return notFound(`Nothing is served at ${quote(path)}: metrics are at ${enumerate(paths)}`)
}
