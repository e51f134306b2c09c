// The parts of an OpenAPI document, v2 or v3, that two servers of one group have together.

export interface OpenapiParts {
  /** By path; "{" begins a parameter. */
  readonly paths: Readonly<Record<string, unknown>>
  /** By name: `definitions` in v2, `components.schemas` in v3. */
  readonly schemas: Readonly<Record<string, unknown>>
}

/** What another server describes in our groups. */
export interface OtherOpenapi {
  /** Grows whenever that changes. */
  readonly version: number
  v2(): OpenapiParts | undefined
  /** @param path of a version: `/apis/GROUP/VERSION` */
  v3(path: string): OpenapiParts | undefined
}

export const NO_OPENAPI: OtherOpenapi = { version: 0, v2: () => undefined, v3: () => undefined }

/** Ours, then what only the other server has. Paths that differ only in the names of their parameters are the same path. */
export function mergeOpenapi(ours: OpenapiParts, theirs: OpenapiParts | undefined): OpenapiParts {
  if (theirs === undefined) return ours
  const own = new Set(Object.keys(ours.paths).map(shapeOf))
  const others = Object.entries(theirs.paths).filter(([path]) => !own.has(shapeOf(path)))
  return {
    paths: { ...ours.paths, ...Object.fromEntries(others) },
    schemas: { ...theirs.schemas, ...ours.schemas },
  }
}

function shapeOf(path: string): string {
  return path.replace(/\{[^{}]*\}/g, '{}')
}
