// Helm and kustomize, which make objects of the chart and of the kustomizations. They are looked for in PATH and where .ci/run
// builds them.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { MANIFESTS } from './manifests.ts'

const run = promisify(execFile)

/** Where .ci/run keeps what it builds. */
const BUILT = join(homedir(), '.cache/flux-metrics-tools')

/** The path of a program; `undefined` if it is not there. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), BUILT]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

const helm = findProgram('helm')
const kustomize = findProgram('kustomize')

/** Why the chart is not compared; `false` if it is. */
export const NO_CHART_TOOLS =
  helm === undefined || kustomize === undefined
    ? 'helm and kustomize are not in PATH: .ci/run builds them and compares the chart with the kustomizations'
    : false

export const CHART = join(MANIFESTS, 'chart')

export type Manifest = Readonly<Record<string, unknown>> & {
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string
    readonly namespace?: string
  }
}

/** The objects by kind, namespace and name. */
export type Manifests = ReadonlyMap<string, Manifest>

/** What Helm would apply. @throws Error with Helm's words if it refuses */
export async function renderChart(args: readonly string[]): Promise<Manifests> {
  return byName(await runHelm(['template', 'flux-metrics', CHART, ...args]))
}

export async function runHelm(args: readonly string[]): Promise<string> {
  return output(helm, args)
}

/** What kustomize would apply for a folder. */
export async function buildKustomization(folder: string): Promise<Manifests> {
  return byName(await output(kustomize, ['build', folder]))
}

async function output(program: string | undefined, args: readonly string[]): Promise<string> {
  if (program === undefined) throw new Error(`Cannot run ${args[0]}: ${NO_CHART_TOOLS}`)
  return (await run(program, args, { maxBuffer: 16 * 1024 * 1024 })).stdout
}

function byName(text: string): Manifests {
  const documents = parseAllDocuments(text)
  const objects: Manifest[] = Array.isArray(documents)
    ? documents.map((document) => document.toJS()).filter((value) => value !== null)
    : []
  return new Map(
    objects.map((one) => [`${one.kind} ${one.metadata.namespace ?? ''} ${one.metadata.name}`, one]),
  )
}
