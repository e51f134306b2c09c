// `flux-metrics doctor`: what is wrong between a queue and the size of a MiniCluster. Its flags and its help.
import {
  type Command,
  EXIT,
  type ExitCode,
  hasColor,
  type Io,
  refuseUsage,
  reportFailure,
} from '../command.ts'
import { problemOfKubeconfig } from '../input/cluster/kubeconfig.ts'
import { getRaw, type KubectlFlags } from '../input/cluster/kubectl.ts'
import { namespaceOf } from '../input/cluster/minicluster-target.ts'
import { sharedSeconds } from '../input/cluster/patience.ts'
import { problemOfName, problemOfNamespace, readArguments } from '../input/flags.ts'
import { examine, examineInstallation, type Report } from './examination.ts'
import { Api } from './facts/api.ts'
import { readFacts, readInstallation } from './facts/facts.ts'
import type { MiniClusterName } from './facts/minicluster-facts.ts'
import { reportJson, reportLines } from './report.ts'

const FLAGS = {
  namespace: { type: 'string', short: 'n' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  output: { type: 'string', short: 'o' },
  verbose: { type: 'boolean', short: 'v' },
} as const

const FORMATS = ['text', 'json'] as const

type Format = (typeof FORMATS)[number]

const DEFAULT_COLUMNS = 80

/** Of all questions but the first, for which the user may have to log in. */
const ALL_SECONDS = 60

interface Question {
  /** `undefined`: only what is installed is checked. */
  readonly name: string | undefined
  readonly namespace: string | undefined
  readonly kubectl: KubectlFlags
  readonly format: Format
  readonly isVerbose: boolean
}

export const DOCTOR: Command = {
  name: 'doctor',
  summary: 'find out why a MiniCluster is not scaled as it should, with fixes',
  help: () => `Usage: flux-metrics doctor [MINICLUSTER] [options]

Checks the way from the jobs of a MiniCluster to its size, hop by hop: API
server, APIServices, gateway, webhook, certificates, annotations, pods, sidecar,
Flux and its scheduler, HPAs, nodes. It prints one finding with one fix for each
mistake, the worst first. What follows from a mistake is not printed, but that
it was not checked. Without a name it checks what is installed.

It only reads, with kubectl and your own rights: what they do not allow is said,
too. docs/DOCTOR.md has the codes, and a ClusterRole for all checks.

  -n, --namespace NAME   namespace of the MiniCluster [that of the context]
  -o, --output FORMAT    text, or json, whose codes are for programs [text]
  -v, --verbose          also print what was checked and is fine
      --kubeconfig FILE  passed to kubectl
      --context NAME     passed to kubectl

Exit codes: 0 nothing to mend; 1 an error was found; 2 wrong usage; 3 only
warnings were found, which includes that something could not be checked.
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const question = readQuestion(args)
  if (typeof question === 'string') return refuseUsage(io, 'doctor', question)
  const { name, namespace, format, kubectl } = question
  const wrong = await problemOfKubeconfig(kubectl, io)
  if (wrong !== undefined) return refuseUsage(io, 'doctor', wrong)
  const api = apiOf(kubectl, io)
  if (name === undefined) {
    const report = examineInstallation(await readInstallation(api))
    return print(undefined, report, question, io)
  }
  const place = await namespaceOf({ kind: 'cluster', name, namespace, kubectl }, io)
  if (typeof place !== 'string') {
    return reportFailure(io, 'doctor', place.kind === 'failure' ? place.reason : place.text)
  }
  const of = { namespace: place, name }
  return print(of, examine(await readFacts(api, of)), { ...question, format }, io)
}

/** After the first question all others share one time. */
function apiOf(kubectl: KubectlFlags, { env }: Io): Api {
  let secondsLeft: (() => number) | undefined
  return new Api(async (path) => {
    const answer = await getRaw(path, { ...kubectl, seconds: secondsLeft?.() }, env)
    secondsLeft ??= sharedSeconds(ALL_SECONDS)
    return answer
  })
}

function print(
  of: MiniClusterName | undefined,
  report: Report,
  { format, isVerbose }: Question,
  io: Io,
): ExitCode {
  if (format === 'json') io.out.write(reportJson(of, report))
  else {
    const { columns = DEFAULT_COLUMNS } = io.out
    const title = of === undefined ? 'What is installed' : `MiniCluster ${of.namespace}/${of.name}`
    const options = { columns, hasColor: hasColor(io.out, io), isVerbose }
    io.out.write(
      reportLines(title, report, options)
        .map((line) => `${line}\n`)
        .join(''),
    )
  }
  return exitCodeOf(report)
}

export function exitCodeOf({ findings }: Pick<Report, 'findings'>): ExitCode {
  const levels = findings.map(({ level }) => level)
  if (levels.includes('error')) return EXIT.no
  return levels.includes('warning') ? EXIT.warnings : EXIT.ok
}

/** @returns a sentence if the arguments are wrong */
function readQuestion(args: readonly string[]): Question | string {
  const read = readArguments(args, FLAGS)
  if (read.kind === 'problem') return read.problem
  const { values, positionals } = read
  const [name, ...others] = positionals
  const { namespace, kubeconfig, context, output = 'text', verbose = false } = values
  if (others.length > 0) return `expected one MiniCluster, got ${positionals.join(' ')}`
  if (name === undefined && namespace !== undefined) {
    return '--namespace: expected the name of a MiniCluster with it'
  }
  const wrong = problemOfName(name ?? 'a') ?? problemOfNamespace(namespace)
  if (wrong !== undefined) return wrong
  const format = FORMATS.find((one) => one === output)
  if (format === undefined) return `--output: expected text or json, got "${output}"`
  return { name, namespace, kubectl: { kubeconfig, context }, format, isVerbose: verbose }
}
