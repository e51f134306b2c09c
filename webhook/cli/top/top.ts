// `flux-metrics top`: a MiniCluster in a terminal, live. Its flags, its help, and the loop.
import { sleep } from '#serving/waiting/sleep.ts'
import {
  type Command,
  EXIT,
  type ExitCode,
  hasColor,
  type Io,
  refuseUsage,
  reportFailure,
} from '../command.ts'
import {
  type AutoscalerState,
  readAutoscalers,
  withoutAnswered,
} from '../input/cluster/autoscaler-state.ts'
import { readExplanation } from '../input/cluster/explanation.ts'
import {
  askForExplanation,
  namespaceOf,
  problemOfTarget,
  readTarget,
  TARGET_FLAGS,
  TARGET_HELP,
  type Target,
  withPatience,
} from '../input/cluster/minicluster-target.ts'
import { NEXT_SECONDS, type Patience } from '../input/cluster/patience.ts'
import { readArguments } from '../input/flags.ts'
import { type TopState, viewOf } from './view.ts'

const FLAGS = {
  ...TARGET_FLAGS,
  once: { type: 'boolean' },
  interval: { type: 'string' },
} as const

const DEFAULT_SECONDS = 2

/** Goes to the upper left corner, writes over what is there, and clears the rest. */
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'
/** A screen of its own without a cursor, and back. */
const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'

const DEFAULT_COLUMNS = 80

interface Question {
  readonly target: Target
  readonly once: boolean
  readonly seconds: number
}

export const TOP: Command = {
  name: 'top',
  summary: 'show ranks, jobs and sizes of a MiniCluster in the terminal, live',
  help: () => `Usage: flux-metrics top MINICLUSTER [options]
       flux-metrics top --url URL [options]

Shows a MiniCluster until Ctrl-C: its size and why, what Kubernetes says of its
HPA, the state of each rank, the jobs that run, and what each pending job waits
for. All numbers are of one reading of Flux. While Flux is not read, the reason
is shown instead of old numbers.

Without a terminal, or with --once, it prints the state once. The user needs the
permissions of "flux-metrics explain"; with permission to list HPAs in the
namespace, their state is shown, too.

  -n, --namespace NAME   namespace of the MiniCluster [that of the context]
      --once             print once, and end
      --interval SECONDS time between two readings [${DEFAULT_SECONDS}]
${TARGET_HELP}

Exit codes: 0 shown; 1 no answer (with --once); 2 wrong usage.
`,
  run,
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const question = readQuestion(args)
  if (typeof question === 'string') return refuseUsage(io, 'top', question)
  const wrong = await problemOfTarget(question.target, io)
  if (wrong !== undefined) return refuseUsage(io, 'top', wrong)
  return question.once || !io.out.isTerminal ? showOnce(question, io) : showLive(question, io)
}

function readQuestion(args: readonly string[]): Question | string {
  const read = readArguments(args, FLAGS)
  if (read.kind === 'problem') return read.problem
  const { values, positionals } = read
  const { once = false, interval = String(DEFAULT_SECONDS) } = values
  const seconds = Number(interval)
  if (!(seconds >= 0.5 && seconds <= 3600)) {
    return `--interval: expected seconds from 0.5 to 3600, got "${interval}"`
  }
  const target = readTarget(values, positionals)
  return typeof target === 'string' ? target : { target, once, seconds }
}

async function showOnce({ target }: Question, io: Io): Promise<ExitCode> {
  const state = await readState(target, undefined, io)
  if (state.failure !== undefined) return reportFailure(io, 'top', state.failure)
  const lines = viewOf(state, { ...sizeOf(io), rows: undefined })
  io.out.write(lines.map((line) => `${line}\n`).join(''))
  return EXIT.ok
}

async function showLive({ target, seconds }: Question, io: Io): Promise<ExitCode> {
  const stop = new AbortController()
  const restore = io.onInterrupt(() => stop.abort())
  io.out.write(ENTER)
  try {
    let state: TopState | undefined
    while (!stop.signal.aborted) {
      state = await readState(withPatience(target, patienceAfter(state, stop.signal)), state, io)
      if (stop.signal.aborted) break
      const lines = viewOf(state, sizeOf(io))
      const text = lines.map((line) => `${line}${CLEAR_LINE}`).join('\n')
      io.out.write(`${HOME}${text}${CLEAR_BELOW}`)
      await sleep(seconds * 1000, stop.signal)
    }
  } finally {
    io.out.write(LEAVE)
    restore()
  }
  return EXIT.ok
}

/** The user may have to log in at first. */
function patienceAfter(before: TopState | undefined, stop: AbortSignal): Patience {
  return before === undefined ? { stop } : { stop, seconds: NEXT_SECONDS }
}

function sizeOf(io: Io) {
  const { columns = DEFAULT_COLUMNS, rows } = io.out
  return { columns, rows, hasColor: hasColor(io.out, io) }
}

/** @param before what was shown last: the time of the last reading stays known while there is none */
async function readState(target: Target, before: TopState | undefined, io: Io): Promise<TopState> {
  const question = { format: 'json', include: ['jobs', 'ranks'] } as const
  const [answer, autoscalers] = await Promise.all([
    askForExplanation(target, question, io),
    readHpas(target, io),
  ])
  const name =
    target.kind === 'sidecar'
      ? target.url.host
      : `${target.name}${target.namespace === undefined ? '' : ` in ${target.namespace}`}`
  const last = before?.explanation
  const hpa = autoscalers?.lines
  if (answer.kind === 'failure') {
    return { name, explanation: last, failure: answer.reason, hpa }
  }
  const explanation = readExplanation(answer.text)
  return typeof explanation === 'string'
    ? { name, explanation: last, failure: explanation, hpa }
    : {
        ...{ name, failure: undefined, hpa },
        explanation: withoutAnswered(explanation, autoscalers?.hpas),
      }
}

async function readHpas(target: Target, io: Io): Promise<AutoscalerState | undefined> {
  if (target.kind === 'sidecar') return undefined
  const namespace = await namespaceOf(target, io)
  if (typeof namespace !== 'string') return undefined
  return readAutoscalers({ name: target.name, namespace }, target.kubectl, io)
}
