// `flux-metrics hpa`: the recommended HPA of a MiniCluster. Its flags, its help, its input and its output.
import { advise } from '../../admission/advice/minicluster-advice.ts'
import type { ServerVersion } from '../../kubernetes/server-version.ts'
import { readAnnotations } from '../../objects/annotations.ts'
import { isMiniCluster, toMiniCluster } from '../../objects/minicluster.ts'
import {
  type Command,
  EXIT,
  type ExitCode,
  type Io,
  refuseUsage,
  reportProblems,
} from '../command.ts'
import { type Document, describeUnexpected, type ReadResult } from '../input/files/documents.ts'
import { readDocumentFiles } from '../input/files/inputs.ts'
import { type FoundMiniCluster, readObjects } from '../input/files/objects.ts'
import { readFlags } from '../input/flags.ts'
import { DEFAULT_KUBERNETES, readKubernetesFlag } from '../input/kubernetes-flag.ts'
import { formatCommented } from '../output/commented-yaml.ts'
import { headroomFor, obstacleToHeadroom } from './headroom.ts'
import { commentsOn } from './hpa-comments.ts'
import { adviseOnNodes } from './node-advice.ts'
import { choicesFor, obstacleTo, recommendHpa } from './recommended-hpa.ts'

const FLAGS = {
  filename: { type: 'string', short: 'f', multiple: true },
  kubernetes: { type: 'string' },
  headroom: { type: 'string' },
} as const

export const HPA: Command = {
  name: 'hpa',
  summary: 'print the recommended HorizontalPodAutoscaler of a MiniCluster',
  help: () => `Usage: flux-metrics hpa [-f FILE]... [options]

Prints the HorizontalPodAutoscaler (HPA) that we recommend for a MiniCluster,
with a comment on each of its settings. The HPA follows node_desired_count, the
size that the jobs need, within minSize and maxSize of the MiniCluster. This
command contacts no cluster.

Reads MiniClusters, YAML or JSON, as "kubectl get -o yaml" prints them, and
prints one HPA for each. Objects of other kinds are skipped.

  -f, --filename FILE   file to read, - for standard input; repeatable
                        [standard input]
      --kubernetes X.Y  version of the API server [${DEFAULT_KUBERNETES}]. Before 1.35 an HPA
                        cannot set a tolerance, and follows
                        node_desired_compensated_count instead
      --headroom N      print a CapacityBuffer and a PodTemplate too: the node
                        autoscaler keeps warm nodes for N pods more than run

The HPAs are written to standard output. Problems, and warnings about settings
that would make the metric missing or wrong, let node autoscalers end jobs or
keep nodes that nobody needs, are written to standard error.
Exit codes: 0 the HPAs are printed; 2 wrong usage or input.

Example:
  kubectl get minicluster flux-sample -o yaml | flux-metrics hpa |
    kubectl apply -f -
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const flags = readFlags(args, FLAGS)
  if (flags.kind === 'problem') return refuseUsage(io, 'hpa', flags.problem)
  const { filename: files = [], kubernetes = DEFAULT_KUBERNETES, headroom } = flags.values
  const serverVersion = readKubernetesFlag(kubernetes)
  if (typeof serverVersion === 'string') return refuseUsage(io, 'hpa', serverVersion)
  const pods = readHeadroom(headroom)
  if (typeof pods === 'string') return refuseUsage(io, 'hpa', pods)
  const documents = await readDocumentFiles(files, io)
  if (documents.problems.length > 0) return reportProblems(io, documents.problems)
  const miniclusters = readMiniClusters(documents.found, pods)
  if (miniclusters.problems.length > 0) return reportProblems(io, miniclusters.problems)
  print(miniclusters.found, { serverVersion, pods }, io)
  return EXIT.ok
}

/** @returns the number of pods, `undefined` if none was given, or a sentence about a text that is none */
function readHeadroom(text: string | undefined): number | undefined | string {
  if (text === undefined) return undefined
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text)
  return `--headroom: expected a number of pods, from 1 to 999999, got "${text}"`
}

/** Reads MiniClusters that an HPA can scale, and for which room can be kept. Any other MiniCluster is a problem. */
function readMiniClusters(
  documents: readonly Document[],
  pods: number | undefined,
): ReadResult<FoundMiniCluster> {
  const candidates = documents.filter(isMiniCluster)
  if (candidates.length === 0) {
    return { found: [], problems: [describeUnexpected(documents, 'a MiniCluster')] }
  }
  const { found, problems } = readObjects(candidates, { namespace: '' })
  const miniclusters = found.filter((object) => object.kind === 'MiniCluster')
  const obstacles = miniclusters.flatMap(({ value, document }) => {
    const obstacle = obstacleTo(value)
    if (obstacle !== undefined) return [`${document.placeOf(obstacle.path)}: ${obstacle.problem}`]
    const problem = pods === undefined ? undefined : obstacleToHeadroom(value, pods)
    return problem === undefined ? [] : [`${document.placeOf(['spec'])}: ${problem}`]
  })
  return {
    found: miniclusters,
    problems: [...problems, ...obstacles, ...repetitions(miniclusters)],
  }
}

/** Of two HPAs of one name, kubectl applies both: the second one, with bounds that may be old, would stay. */
function repetitions(miniclusters: readonly FoundMiniCluster[]): readonly string[] {
  const places = new Map<string, string>()
  return miniclusters.flatMap(({ value: { metadata }, document }) => {
    const { namespace, name } = metadata
    const id = namespace ? `${namespace}/${name}` : name
    const place = document.placeOf(['metadata', 'name'])
    const first = places.get(id)
    if (first === undefined) {
      places.set(id, place)
      return []
    }
    return [`${place}: expected each MiniCluster once, got ${id} again: it is at ${first}, too`]
  })
}

interface Printing {
  readonly serverVersion: ServerVersion
  /** The headroom. */
  readonly pods: number | undefined
}

function print(
  miniclusters: readonly FoundMiniCluster[],
  { serverVersion, pods }: Printing,
  { out, err }: Io,
): void {
  const texts = miniclusters.flatMap(({ value, document }) => {
    const choices = choicesFor(value, serverVersion)
    const hpa = recommendHpa(document.apiVersion, value, choices)
    const others = pods === undefined ? [] : headroomFor(value, pods)
    return [
      formatCommented(hpa, commentsOn(value, choices)),
      ...others.map(({ object, comments }) => formatCommented(object, comments)),
    ]
  })
  out.write(texts.join('---\n'))
  for (const minicluster of miniclusters) {
    for (const warning of warningsFor(minicluster)) {
      err.write(`minicluster/${minicluster.value.metadata.name}: warning: ${warning}\n`)
    }
  }
}

/** Settings that would make the metric missing or wrong, end jobs, or keep nodes. */
function warningsFor({ value, document }: FoundMiniCluster): readonly string[] {
  const { settings } = readAnnotations(value.spec.pod.annotations, value.metadata.annotations)
  const notEnabled =
    'flux-metrics/enabled: expected "true": without it no sidecar is injected, and the metric is missing'
  const minicluster = toMiniCluster(document.value)
  const advice = minicluster === undefined ? [] : advise(minicluster, undefined).warnings
  const all = [...advice, ...adviseOnNodes(value).warnings]
  return settings.enabled === true ? all : [notEnabled, ...all]
}
