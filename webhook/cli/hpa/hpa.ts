// `flux-metrics hpa`: the recommended HPA of a MiniCluster. Here are its flags, its help, and what it reads and prints.

import { advise } from '../../admission/minicluster-advice.ts'
import { readAnnotations } from '../../injection/annotations.ts'
import { toMiniCluster } from '../../injection/minicluster.ts'
import type { ServerVersion } from '../../kubernetes/server-version.ts'
import { type Command, EXIT, type ExitCode, type Io, reportProblems } from '../command.ts'
import { type Document, type ReadResult, readDocuments } from '../input/documents.ts'
import { readFlags } from '../input/flags.ts'
import { readInputs } from '../input/inputs.ts'
import { type FoundMiniCluster, isMiniCluster, readObjects } from '../input/objects.ts'
import { DEFAULT_KUBERNETES, readServerVersion } from '../input/server-version.ts'
import { formatCommented } from '../output/commented-yaml.ts'
import { commentsOn } from './hpa-comments.ts'
import { choicesFor, obstacleTo, recommendHpa } from './recommended-hpa.ts'

const FLAGS = {
  filename: { type: 'string', short: 'f', multiple: true },
  kubernetes: { type: 'string' },
} as const

export const HPA: Command = {
  name: 'hpa',
  summary: 'print the recommended HorizontalPodAutoscaler of a MiniCluster',
  help: () => `Usage: flux-metrics hpa [-f FILE]... [options]

Prints the HorizontalPodAutoscaler that we recommend for a MiniCluster, with the reason
for each of its settings: the size that the jobs need, as node_desired_count tells it,
within minSize and maxSize of the MiniCluster. Asks no cluster.

Reads MiniClusters, YAML or JSON, as "kubectl get -o yaml" prints them; other objects are
passed over. Prints one HPA for each.

  -f, --filename FILE    file to read, - for standard input; repeatable [standard input]
      --kubernetes X.Y   version of the API server [${DEFAULT_KUBERNETES}]; before 1.35 an HPA has no
                         tolerance of its own, and node_desired_compensated_count makes
                         up for it

HPAs go to standard output, all else to standard error, also what would keep the metric
from being there or right. Exit code: 0 printed, 2 wrong usage or input.

  kubectl get minicluster flux-sample -o yaml | flux-metrics hpa | kubectl apply -f -
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const flags = readFlags(args, FLAGS)
  if (flags.kind === 'problem') return refuseUsage(flags.problem, io)
  const { filename: files = [], kubernetes = DEFAULT_KUBERNETES } = flags.values
  const serverVersion = readServerVersion(kubernetes)
  if (typeof serverVersion === 'string') return refuseUsage(serverVersion, io)
  const inputs = await readInputs(files, io)
  const readings = inputs.found.map(({ name, text }) => readDocuments(text, name))
  const problems = [...inputs.problems, ...readings.flatMap((reading) => reading.problems)]
  if (problems.length > 0) return reportProblems(io, problems)
  const miniclusters = readMiniClusters(readings.flatMap(({ found }) => found))
  if (miniclusters.problems.length > 0) return reportProblems(io, miniclusters.problems)
  print(miniclusters.found, serverVersion, io)
  return EXIT.ok
}

function refuseUsage(problem: string, io: Io): ExitCode {
  return reportProblems(io, [`flux-metrics hpa: ${problem}`, 'See flux-metrics hpa --help'])
}

/** Those that an HPA can scale; each of the others is a problem. */
function readMiniClusters(documents: readonly Document[]): ReadResult<FoundMiniCluster> {
  const candidates = documents.filter(isMiniCluster)
  if (candidates.length === 0) {
    const kinds = [...new Set(documents.map(({ kind }) => kind))].join(', ')
    const place = documents[0]?.placeOf([]) ?? '?'
    return { found: [], problems: [`${place}: expected a MiniCluster, found ${kinds}`] }
  }
  const { found, problems } = readObjects(candidates, { namespace: '' })
  const miniclusters = found.filter((object) => object.kind === 'MiniCluster')
  const obstacles = miniclusters.flatMap(({ value, document }) => {
    const obstacle = obstacleTo(value)
    return obstacle === undefined ? [] : [`${document.placeOf(obstacle.path)}: ${obstacle.problem}`]
  })
  return { found: miniclusters, problems: [...problems, ...obstacles] }
}

function print(
  miniclusters: readonly FoundMiniCluster[],
  serverVersion: ServerVersion,
  { out, err }: Io,
): void {
  const texts = miniclusters.map(({ value, document }) => {
    const choices = choicesFor(value, serverVersion)
    const hpa = recommendHpa(document.apiVersion, value, choices)
    return formatCommented(hpa, commentsOn(value, choices))
  })
  out.write(texts.join('---\n'))
  for (const minicluster of miniclusters) {
    for (const warning of warningsFor(minicluster)) {
      err.write(`minicluster/${minicluster.value.metadata.name}: warning: ${warning}\n`)
    }
  }
}

/** What would keep the metric from being there, or from being right. */
function warningsFor({ value, document }: FoundMiniCluster): readonly string[] {
  const { settings } = readAnnotations(value.spec.pod.annotations, value.metadata.annotations)
  const unserved =
    'flux-metrics/enabled: expected "true", or no sidecar comes that serves the metric'
  const minicluster = toMiniCluster(document.value)
  const advice = minicluster === undefined ? [] : advise(minicluster, undefined).warnings
  return settings.enabled === true ? advice : [unserved, ...advice]
}
