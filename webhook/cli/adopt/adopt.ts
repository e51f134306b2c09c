// `flux-metrics adopt`: puts the gateway in front of the adapter that serves the metrics APIs now. Its flags, its help, its
// input and its output.
import { TAKE_OVER_ANNOTATION } from '../../contract.ts'
import {
  type Command,
  EXIT,
  type ExitCode,
  type Io,
  refuseUsage,
  reportFailure,
  reportProblems,
} from '../command.ts'
import { problemOfKubeconfig } from '../input/cluster/kubeconfig.ts'
import { getObjects, type KubectlFlags } from '../input/cluster/kubectl.ts'
import { type Document, type ReadResult, readDocuments } from '../input/files/documents.ts'
import { readDocumentFiles, reasonOf } from '../input/files/inputs.ts'
import { readFlags } from '../input/flags.ts'
import { type Adoption, adoptionOf } from './adoption.ts'
import { type ApiService, GROUPS, type Group, NAMES, readApiServices } from './api-services.ts'
import { isOfKeda, KEDA_WARNING, nothingToAdopt } from './external-holder.ts'
import { overlayFiles, WAY_BACK } from './overlay.ts'

const FLAGS = {
  filename: { type: 'string', short: 'f', multiple: true },
  output: { type: 'string', short: 'o' },
  base: { type: 'string' },
  external: { type: 'boolean' },
  registry: { type: 'string' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
} as const

const DEFAULT_BASE = '../manifests'

/** A host, with or without port, and folders: what an image's name may begin with. */
const REGISTRY = /^[\w.-]+(?::\d+)?(?:\/[\w.-]+)*$/

export const ADOPT: Command = {
  name: 'adopt',
  summary: 'install the gateway in front of another metrics adapter',
  help: () => `Usage: flux-metrics adopt [-o DIR] [options]

A cluster has one server of custom metrics. If that is another adapter now, such
as prometheus-adapter, the gateway can stand in front of it: it answers for
MiniClusters, and passes all other requests on to the adapter.

Prints whose the APIServices of the cluster are. With -o, writes a kustomization
that installs the gateway in front of the adapter, and ${WAY_BACK}, which
gives the APIServices back to it. Changes nothing in the cluster.

  -o, --output DIR      folder to create for the kustomization. Nothing that
                        exists is overwritten
      --base BASE       the default manifests of flux-metrics: a path as seen
                        from DIR, or a URL as kustomize takes it [${DEFAULT_BASE}]
      --registry NAME   where nodes pull the images of flux-metrics from, as
                        registry.example/flux. Without it, or a BASE that names
                        them, edit the images in kustomization.yaml
      --external        let the gateway serve external metrics as well
  -f, --filename FILE   read the APIServices from a file, - for standard input;
                        repeatable [ask the cluster through kubectl]
      --kubeconfig FILE passed to kubectl
      --context NAME    passed to kubectl

Exit codes: 0 the files are written, or there is nothing to adopt; 1 no answer,
or it cannot be adopted; 2 wrong usage or input.

Example:
  flux-metrics adopt -o overlay --registry registry.example/flux &&
    kubectl apply -k overlay
`,
  run,
}

interface Flags {
  readonly output?: string
  readonly base?: string
  readonly external?: boolean
  readonly registry?: string
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const flags = readFlags(args, FLAGS)
  if (flags.kind === 'problem') return refuseUsage(io, 'adopt', flags.problem)
  const { filename: files = [], kubeconfig, context } = flags.values
  const kubectl = Object.entries({ kubeconfig, context }).find(([, value]) => value !== undefined)
  if (files.length > 0 && kubectl !== undefined) {
    return refuseUsage(io, 'adopt', `--${kubectl[0]}: cannot be used with -f`)
  }
  const { registry } = flags.values
  if (registry !== undefined && !REGISTRY.test(registry)) {
    const problem = `--registry: expected a name such as registry.example/flux, got "${registry}"`
    return refuseUsage(io, 'adopt', problem)
  }
  const wrong = await problemOfKubeconfig({ kubeconfig, context }, io)
  if (wrong !== undefined) return refuseUsage(io, 'adopt', wrong)
  const documents =
    files.length > 0
      ? await readDocumentFiles(files, io)
      : await askCluster({ kubeconfig, context }, io)
  if (typeof documents === 'string') return reportFailure(io, 'adopt', documents)
  const { found, problems } = readApiServices(documents.found)
  const all = [...documents.problems, ...problems]
  if (all.length > 0) return reportProblems(io, all)
  return adopt(found, flags.values, io)
}

/** @returns a sentence if there is no answer */
async function askCluster(flags: KubectlFlags, io: Io): Promise<ReadResult<Document> | string> {
  const answer = await getObjects('apiservices.apiregistration.k8s.io', NAMES, flags, io.env)
  if (answer.kind === 'failure') return answer.reason
  // kubectl prints nothing if it finds nothing.
  if (answer.text.trim() === '') return { found: [], problems: [] }
  return readDocuments(answer.text, 'kubectl')
}

async function adopt(
  apiServices: readonly ApiService[],
  { output, base = DEFAULT_BASE, external = false, registry }: Flags,
  io: Io,
): Promise<ExitCode> {
  io.out.write(`${describeHolders(apiServices)}\n`)
  const groups: readonly Group[] = external ? ['custom', 'external'] : ['custom']
  const results = groups.map((group) => adoptionOf(group, apiServices))
  const obstacles = results.filter((result) => typeof result === 'string')
  if (obstacles.length > 0) {
    for (const obstacle of obstacles) reportFailure(io, 'adopt', obstacle)
    return EXIT.no
  }
  const adoptions = results.filter((result) => typeof result === 'object')
  if (adoptions.length === 0) {
    io.out.write(`\n${nothingToAdopt(apiServices, external)}\n`)
    return EXIT.ok
  }
  io.out.write(`\n${adoptions.map(describeAdoption).join('')}`)
  if (output === undefined) {
    io.out.write('\nName a folder with -o to write the kustomization.\n')
    return EXIT.ok
  }
  const problem = await write(output, overlayFiles(adoptions, { base, external, registry }), io)
  if (problem !== undefined) return reportFailure(io, 'adopt', problem)
  if (registry === undefined && base === DEFAULT_BASE) {
    io.err.write(
      `flux-metrics adopt: warning: nodes can pull no image without a registry: name yours in ${output}/kustomization.yaml\n`,
    )
  }
  if (adoptions.some(isOfKeda)) io.err.write(`flux-metrics adopt: warning: ${KEDA_WARNING}\n`)
  for (const { ca, service } of adoptions) {
    if (ca === undefined) {
      io.err.write(
        `flux-metrics adopt: warning: the gateway will not verify ${service}, as API servers do not now\n`,
      )
    }
  }
  io.out.write(describeCommands(output, adoptions))
  return EXIT.ok
}

function describeHolders(apiServices: readonly ApiService[]): string {
  const rows = Object.values(GROUPS)
    .flat()
    .map((name) => [name, holderOf(apiServices.find((one) => one.name === name))])
  const width = Math.max(...rows.map(([name = '']) => name.length))
  return rows.map(([name = '', holder]) => `${name.padEnd(width)}  ${holder}`).join('\n')
}

function holderOf(apiService: ApiService | undefined): string {
  if (apiService === undefined) return 'nobody'
  const { service = 'the API server itself', isOurs } = apiService
  return isOurs ? `${service} (flux-metrics)` : service
}

function describeAdoption({ service, group }: Adoption): string {
  return `The gateway will pass on to ${service} all requests for ${group} metrics that are not about MiniClusters.\n`
}

/** @returns a sentence if the files could not be written */
async function write(
  folder: string,
  files: ReadonlyMap<string, string>,
  io: Io,
): Promise<string | undefined> {
  try {
    await io.createFolder(folder)
  } catch (error) {
    return `Cannot create the folder ${folder}: ${reasonOf(error)}: -o must name a new folder, in one that exists`
  }
  for (const [name, text] of files) {
    const path = `${folder}/${name}`
    try {
      await io.writeFile(path, text)
    } catch (error) {
      return `Cannot write ${path}: ${reasonOf(error)}`
    }
  }
  return undefined
}

function describeCommands(folder: string, adoptions: readonly Adoption[]): string {
  const kept = adoptions.flatMap(({ apiServices }) => apiServices.filter(({ isKept }) => isKept))
  const lines = [
    '',
    `Written to ${folder}. Keep ${folder}/${WAY_BACK}.`,
    '',
    'To install:',
    ...kept.map(({ name }) => `  kubectl annotate apiservice ${name} ${TAKE_OVER_ANNOTATION}-`),
    `  kubectl apply -k ${folder}`,
    '',
    'The way back:',
    `  kubectl replace -f ${folder}/${WAY_BACK}`,
    `  kubectl delete -k ${folder}`,
  ]
  return `${lines.join('\n')}\n`
}
