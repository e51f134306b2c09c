// Reads manifests/ as kustomize does: kustomizations, the objects that they name, their patches. It builds nothing.
import { globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import * as v from 'valibot'
import { parseAllDocuments } from 'yaml'
import type { NewObject } from '../../webhook/kubernetes/cluster.ts'

export const MANIFESTS = join(import.meta.dirname, '../../manifests')

const KUSTOMIZATION = 'kustomization.yaml'

/** The fields of the kustomizations. Strict, because no test would check another field. */
const KustomizationSchema = v.strictObject({
  apiVersion: v.string(),
  kind: v.picklist(['Kustomization', 'Component']),
  namespace: v.optional(v.string()),
  resources: v.optional(v.array(v.string()), []),
  patches: v.optional(
    v.array(
      v.strictObject({
        target: v.optional(v.strictObject({ kind: v.string(), name: v.optional(v.string()) })),
        path: v.optional(v.string()),
        patch: v.optional(v.string()),
      }),
    ),
    [],
  ),
  labels: v.optional(
    v.array(
      v.strictObject({
        pairs: v.record(v.string(), v.string()),
        includeTemplates: v.optional(v.boolean(), false),
      }),
    ),
    [],
  ),
  configMapGenerator: v.optional(v.array(v.looseObject({ files: v.array(v.string()) })), []),
  configurations: v.optional(v.array(v.string()), []),
  replacements: v.optional(v.array(v.unknown()), []),
})

/** A kustomization with its folder below manifests/. */
export type Kustomization = v.InferOutput<typeof KustomizationSchema> & { readonly folder: string }

const ObjectSchema = v.looseObject({
  apiVersion: v.string(),
  kind: v.string(),
  metadata: v.strictObject({
    name: v.string(),
    namespace: v.exactOptional(v.string()),
    labels: v.optional(v.record(v.string(), v.string()), {}),
    annotations: v.optional(v.record(v.string(), v.string()), {}),
  }),
})

/** The path of every file, below manifests/. */
export const FILES: readonly string[] = globSync('**', { cwd: MANIFESTS, exclude: ['chart'] })
  .filter((path) => statSync(join(MANIFESTS, path)).isFile())
  .sort()

export function readText(file: string): string {
  return readFileSync(join(MANIFESTS, file), 'utf8')
}

export const KUSTOMIZATIONS: readonly Kustomization[] = FILES.filter((file) =>
  file.endsWith(KUSTOMIZATION),
).map((file) => {
  const [document] = parseYaml(readText(file))
  return { ...v.parse(KustomizationSchema, document), folder: dirname(file) }
})

export function kustomization(folder: string): Kustomization {
  return KUSTOMIZATIONS.find((one) => one.folder === folder) ?? missing(folder)
}

/** Resolves a path in a kustomization to one below manifests/. */
export function resolve({ folder }: Kustomization, path: string): string {
  return normalize(join(folder, path))
}

/** Files for kustomize itself: patches, which are parts of objects, configurations, and what it puts into ConfigMaps. */
const BUILD_FILES: readonly string[] = KUSTOMIZATIONS.flatMap((one) => [
  ...one.patches.flatMap(({ path }) => (path === undefined ? [] : [resolve(one, path)])),
  ...one.configurations.map((path) => resolve(one, path)),
  ...one.configMapGenerator.flatMap(({ files }) => files.map((path) => resolve(one, path))),
])

/** Folders whose objects are steps of kustomize, and not for a cluster. */
const TRANSFORMERS = 'transformers/'

/** The objects of a text. */
export function parseObjects(text: string): readonly NewObject[] {
  return parseYaml(text).map((document) => v.parse(ObjectSchema, document))
}

/** The objects of a file. */
export function readObjects(file: string): readonly NewObject[] {
  return parseObjects(readText(file))
}

/** All objects for a cluster, by their file. */
export const OBJECTS: ReadonlyMap<string, readonly NewObject[]> = new Map(
  FILES.filter(
    (file) =>
      !file.endsWith(KUSTOMIZATION) &&
      !file.startsWith(TRANSFORMERS) &&
      !BUILD_FILES.includes(file),
  ).map((file) => [file, readObjects(file)]),
)

/** The objects below a folder. */
export function objectsBelow(folder: string): readonly NewObject[] {
  return [...OBJECTS].flatMap(([file, objects]) => (file.startsWith(`${folder}/`) ? objects : []))
}

/** The one object of a kind below a folder. */
export function theOnly(kind: string, folder: string): NewObject {
  const found = objectsBelow(folder).filter((object) => object.kind === kind)
  return found.length === 1 && found[0] !== undefined ? found[0] : missing(`${kind} in ${folder}`)
}

export function parseYaml(text: string): readonly unknown[] {
  const documents = parseAllDocuments(text)
  if (!Array.isArray(documents)) return []
  return documents.map((document) => {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) throw problem
    return document.toJS()
  })
}

function missing(what: string): never {
  throw new Error(`Cannot find ${what} in manifests/`)
}
