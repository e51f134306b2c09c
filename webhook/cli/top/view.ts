// What `flux-metrics top` shows of one MiniCluster: one explanation, so that all numbers are of one reading. Pure.
import { spellEnd, spellGoing, spellSeconds } from '#explaining/wording.ts'
import type { ReadExplanation } from '../input/cluster/explanation.ts'
import { INDENT, row } from '../output/rows.ts'
import { describeStates, drawStrip } from './rank-strip.ts'

/** What is shown. */
export interface TopState {
  /** The MiniCluster, as a person would write it. */
  readonly name: string
  /** The latest explanation; `undefined` before the first one. */
  readonly explanation: ReadExplanation | undefined
  /** Why there is no explanation now. The numbers of an earlier one are not shown then. */
  readonly failure: string | undefined
  /** About the HPA, as lines; `undefined`: not asked. */
  readonly hpa: readonly string[] | undefined
}

export interface ViewOptions {
  readonly columns: number
  readonly hasColor: boolean
  /** The most lines; `undefined`: all. */
  readonly rows: number | undefined
}

const MAX_STRIP_LINES = 4

/** The lines, none longer than the terminal is wide. */
export function viewOf(state: TopState, options: ViewOptions): readonly string[] {
  const { explanation, failure, name } = state
  const lines =
    failure !== undefined || explanation === undefined
      ? [name, ...describeFailure(explanation, failure ?? 'no answer yet', options)]
      : [
          `${name}  read ${spellSeconds(explanation.ageSeconds)} ago`,
          ...describeExplanation(explanation, state.hpa, options),
        ]
  const { rows } = options
  if (rows === undefined || lines.length <= rows) return lines
  return [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`]
}

/** An old number would be taken for the present one: only the time of the last reading is told. */
function describeFailure(
  explanation: ReadExplanation | undefined,
  failure: string,
  options: ViewOptions,
): readonly string[] {
  const since = explanation === undefined ? '' : ` since ${explanation.takenAt}`
  return row('unknown', `not known${since}: ${failure}`, { ...options, style: 'red' })
}

function describeExplanation(
  explanation: ReadExplanation,
  hpa: readonly string[] | undefined,
  options: ViewOptions,
): readonly string[] {
  const { ranks, running, jobs, warnings, unknowns, reasons } = explanation
  const waiting = jobs?.first ?? []
  const going = spellGoing(explanation)
  const more = jobs?.more ?? 0
  return [
    ...row('size', describeSize(explanation), options),
    ...(going === undefined ? [] : row('goes', going, options)),
    ...reasons.flatMap(({ text }) => row('because', text, options)),
    ...(hpa ?? []).flatMap((line) => row('HPA', line, options)),
    ...describeRanks(ranks, options),
    ...row('jobs', describeJobs(explanation), options),
    ...(running?.listed ?? []).slice(0, MAX_RUNNING).flatMap((job) => {
      const user = job.user === null ? '' : ` of user ${job.user}`
      const end = job.endsInSeconds === null ? '' : `, ${spellEnd(job.endsInSeconds)}`
      return row('runs', `${job.id}${user} on ${job.ranks}${end}`, options)
    }),
    ...waiting.flatMap(({ id, text }) => row('waits', `${id} ${text}`, options)),
    ...(more > 0 ? row('waits', `and ${more} more`, options) : []),
    ...warnings.flatMap(({ text }) => row('warning', text, { ...options, style: 'yellow' })),
    ...unknowns.flatMap(({ text }) => row('unknown', text, { ...options, style: 'yellow' })),
  ]
}

/** Of more running jobs nobody reads the list: the strip shows where they are. */
const MAX_RUNNING = 10

function describeSize({ present, desired, floor, demand, maximum }: ReadExplanation): string {
  const number = (value: number | null) => value ?? 'unknown'
  return [
    `present ${present}, desired ${number(desired)}`,
    `floor ${number(floor)}, demand ${number(demand)}`,
    ...(maximum === null ? [] : [`maximum ${maximum}`]),
  ].join(', ')
}

function describeRanks(states: ReadExplanation['ranks'], options: ViewOptions): readonly string[] {
  if (states === undefined) return row('ranks', 'this sidecar is too old to tell', options)
  const columns = Math.max(1, options.columns - INDENT)
  const strip = drawStrip(states, { ...options, columns, maxLines: MAX_STRIP_LINES })
  const [first = '', ...rest] = strip
  return [
    `${'ranks'.padEnd(INDENT)}${first}`,
    ...rest.map((line) => `${' '.repeat(INDENT)}${line}`),
    ...row('', describeStates(states).join('; '), options),
  ]
}

function describeJobs({ jobs, running, pending }: ReadExplanation): string {
  const runs = running === null || running === undefined ? undefined : running.listed.length
  const least = running?.areAll === false ? 'at least ' : ''
  const waits = jobs === null || jobs === undefined ? pending?.jobs : jobs.first.length + jobs.more
  return [
    runs === undefined ? 'it is not known how many run' : `${least}${runs} run`,
    waits === undefined ? 'it is not known how many wait' : `${waits} wait`,
  ].join(', ')
}
