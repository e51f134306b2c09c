// What `flux-metrics top` shows of one MiniCluster: one explanation, so that all numbers are of one reading. Pure.
import { spellSeconds } from '#explaining/wording.ts'
import type { ReadExplanation } from '../input/explanation.ts'
import { paint, type Style } from '../output/style.ts'
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

/** The widest subject and two spaces. */
const INDENT = 9

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
  const more = jobs?.more ?? 0
  return [
    ...row('size', describeSize(explanation), options),
    ...reasons.flatMap((reason) => row('because', reason, options)),
    ...(hpa ?? []).flatMap((line) => row('HPA', line, options)),
    ...describeRanks(ranks, options),
    ...row('jobs', describeJobs(explanation), options),
    ...(running?.listed ?? []).slice(0, MAX_RUNNING).flatMap((job) => {
      const user = job.user === null ? '' : ` of user ${job.user}`
      const end =
        job.endsInSeconds === null ? '' : `, ends within ${spellSeconds(job.endsInSeconds)}`
      return row('runs', `${job.id}${user} on ${job.ranks}${end}`, options)
    }),
    ...waiting.flatMap(({ id, text }) => row('waits', `${id} ${text}`, options)),
    ...(more > 0 ? row('waits', `and ${more} more`, options) : []),
    ...warnings.flatMap((warning) => row('warning', warning, { ...options, style: 'yellow' })),
    ...unknowns.flatMap((unknown) => row('unknown', unknown, { ...options, style: 'yellow' })),
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

/** Breaks a text at spaces, in lines beside its subject. Control characters are replaced: users write notes and reasons. */
function row(
  subject: string,
  text: string,
  { columns, hasColor, style }: ViewOptions & { readonly style?: Style },
): readonly string[] {
  const width = Math.max(10, columns - INDENT)
  const lines: string[] = []
  let line = ''
  for (const word of text.replace(/\p{C}/gu, '?').split(' ')) {
    for (const part of pieces(word, width)) {
      if (line !== '' && line.length + 1 + part.length > width) {
        lines.push(line)
        line = part
      } else line = line === '' ? part : `${line} ${part}`
    }
  }
  lines.push(line)
  return lines.map((one, index) => {
    const shown = style === undefined ? one : paint(one, style, hasColor)
    return `${(index === 0 ? subject : '').padEnd(INDENT)}${shown}`
  })
}

function pieces(word: string, width: number): readonly string[] {
  if (word.length <= width) return [word]
  return Array.from({ length: Math.ceil(word.length / width) }, (_, index) =>
    word.slice(index * width, (index + 1) * width),
  )
}
