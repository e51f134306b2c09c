// `flux-metrics explain`: why a MiniCluster has its size, in the words of its sidecar. Its flags and its help.
import { printableJson, printableLines } from '#serving/text.ts'
import {
  type Command,
  EXIT,
  type ExitCode,
  type Io,
  refuseUsage,
  reportFailure,
} from '../command.ts'
import { isObject, NO_EXPLANATION, parseJson } from '../input/cluster/explanation.ts'
import {
  askForExplanation,
  problemOfTarget,
  readTarget,
  TARGET_FLAGS,
  TARGET_HELP,
  type Target,
} from '../input/cluster/minicluster-target.ts'
import { tooDeep } from '../input/files/json-pieces.ts'
import { readArguments } from '../input/flags.ts'

const FLAGS = {
  ...TARGET_FLAGS,
  jobs: { type: 'boolean' },
  json: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
} as const

interface Question {
  readonly target: Target
  readonly format: Format
  /** Whether to say of each pending job what it waits for. */
  readonly jobs: boolean
}

/** An explanation is 5 deep. */
const MAX_DEPTH = 100

const FORMATS = ['text', 'json', 'yaml'] as const

type Format = (typeof FORMATS)[number]

export const EXPLAIN: Command = {
  name: 'explain',
  summary: 'explain why a MiniCluster has its size, and what prevents another',
  help: () => `Usage: flux-metrics explain MINICLUSTER [options]
       flux-metrics explain --url URL [options]

Explains which size a MiniCluster should have and why: the jobs that keep nodes
busy, the jobs that wait for more nodes, the changes that an HPA would ignore,
and the settings that prevent another size, with a remedy for each. With the
gateway it says which pods are not there and why: no node, a quota, no image.

The command asks the metrics API of the cluster through kubectl. The user needs
permission to get miniclusters.flux-framework.org/explain in the API group
custom.metrics.k8s.io. With --url the command asks a sidecar directly. A sidecar
that accepts only the front proxy of the API server refuses this.

  -n, --namespace NAME   namespace of the MiniCluster [that of the context]
      --jobs             say of each of the first 50 pending jobs what it waits
                         for, and which ranks it would be given
  -o, --output FORMAT    text, or json or yaml, which have more details [text]
      --json             the same as -o json
${TARGET_HELP}

Exit codes: 0 the explanation is printed; 1 no answer; 2 wrong usage.
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const question = readQuestion(args)
  if (typeof question === 'string') return refuseUsage(io, 'explain', question)
  const wrong = await problemOfTarget(question.target, io)
  if (wrong !== undefined) return refuseUsage(io, 'explain', wrong)
  const { target, format, jobs } = question
  const include = jobs ? ['jobs'] : []
  const asked = { format: format === 'text' ? format : 'json', include } as const
  const answer = await askForExplanation(target, asked, io)
  if (answer.kind === 'failure') return reportFailure(io, 'explain', answer.reason)
  const problem = problemOf(answer.text, format)
  if (problem !== undefined) return reportFailure(io, 'explain', problem)
  io.out.write(await render(answer.text, format))
  return EXIT.ok
}

/** @returns a sentence if somebody else answers */
function problemOf(text: string, format: Format): string | undefined {
  if (format !== 'text') {
    const value = parseJson(text)
    const isOurs = isObject(value) && tooDeep(text, MAX_DEPTH) === undefined
    return isOurs ? undefined : NO_EXPLANATION
  }
  return /^\s*(?:[<{[]|$)/.test(text) ? NO_EXPLANATION : undefined
}

/** Loads the yaml package only when it is used. */
async function render(text: string, format: Format): Promise<string> {
  if (format === 'text') return printableLines(text)
  if (format === 'json') return `${printableJson(text.trimEnd())}\n`
  const { stringify } = await import('yaml')
  const shown = (_key: unknown, value: unknown) =>
    typeof value === 'string' ? printableLines(value) : value
  return stringify(JSON.parse(text, shown), { version: '1.1', lineWidth: 0, indentSeq: false })
}

function isFormat(text: string): text is Format {
  return FORMATS.some((format) => format === text)
}

/** @returns a sentence if the arguments are wrong */
function readQuestion(args: readonly string[]): Question | string {
  const read = readArguments(args, FLAGS)
  if (read.kind === 'problem') return read.problem
  const { values, positionals } = read
  const { jobs = false, output = values.json ? 'json' : 'text' } = values
  if (!isFormat(output)) return `--output: expected text, json or yaml, got "${output}"`
  const target = readTarget(values, positionals)
  return typeof target === 'string' ? target : { target, format: output, jobs }
}
