// Formats an explanation for a terminal, 80 columns wide: the summary, then lines that begin with their subject. Pure.

import { printable } from '#serving/text.ts'
import type { DetailedExplanation } from './details.ts'
import type {
  DrainExplanation,
  Explanation,
  PendingCounts,
  QueueExplanation,
} from './explanation.ts'
import type { HeldDrainExplanation } from './held-drains.ts'
import { plural, spellGoing, spellSeconds } from './wording.ts'

const COLUMNS = 80

/** The most queues and the most drains that are shown; the JSON has all of them. */
const MAX_ROWS = 5

/** The longest subject and a space. */
const INDENT = 9

/** A line, or several, and what it is about. */
type Row = readonly [subject: string, text: string]

/** Formats the explanation; the text ends with a newline. */
export function formatExplanation(explanation: DetailedExplanation): string {
  const rows: readonly Row[] = [
    ['nodes', describeNodes(explanation)],
    ...describeGoing(explanation),
    ['pending', describePending(explanation.pending)],
    ...firstRows(explanation.queues.filter(isOfInterest).map(describeQueue), 'queue'),
    ...firstRows(explanation.drains.filter(({ isOwn }) => isOwn).map(describeDrain), 'drained'),
    ...firstRows((explanation.held ?? []).map(describeHeld), 'held'),
    ...describeJobs(explanation),
    ...explanation.warnings.map((warning) => ['warning', warning] as const),
    ...explanation.unknowns.map((unknown) => ['unknown', unknown] as const),
    ['read', `${spellSeconds(explanation.ageSeconds)} ago, at ${explanation.takenAt}`],
  ]
  const lines = [
    ...wrap(explanation.summary, { first: '', rest: '  ' }),
    ...rows.flatMap(([subject, text]) => formatRow(subject, text)),
  ]
  return `${lines.join('\n')}\n`
}

/** The lines of one row. */
function formatRow(subject: string, text: string): readonly string[] {
  return wrap(text, { first: subject.padEnd(INDENT), rest: ' '.repeat(INDENT) })
}

/**
 * Adds rows to an explanation that was formatted by {@link formatExplanation}, of this version or another, before its last row,
 * which says when Flux was read.
 */
export function addRows(text: string, rows: readonly Row[]): string {
  const at = text.lastIndexOf('\nread ') + 1
  const added = rows.flatMap(([subject, words]) => formatRow(subject, words))
  const lines = added.map((line) => `${line}\n`).join('')
  return at === 0 ? `${text}${lines}` : `${text.slice(0, at)}${lines}${text.slice(at)}`
}

function describeGoing(explanation: Explanation): readonly Row[] {
  const going = spellGoing(explanation)
  return going === undefined ? [] : [['goes', going]]
}

function describeNodes(explanation: Explanation): string {
  const { desired, present, floor, demand, quorum, maximum } = explanation
  return [
    `present ${present}`,
    `desired ${desired ?? 'unknown'}`,
    `floor ${floor ?? 'unknown'}`,
    `demand ${demand ?? 'unknown'}`,
    `quorum ${quorum}`,
    ...(maximum === null ? [] : [`maximum ${maximum}`]),
  ].join(', ')
}

function describePending(pending: PendingCounts | null): string {
  if (pending === null) return 'unknown'
  const { jobs, nodes, held, infeasible, ineligible, isCut } = pending
  const given = nodes === 0 ? 'that no node is given to' : `for ${plural(nodes, 'node')}`
  const counts = [
    ...(jobs > 0 ? [`${isCut ? 'at least ' : ''}${plural(jobs, 'job')} ${given}`] : []),
    ...(held > 0 ? [`${held} held`] : []),
    ...(infeasible > 0 ? [`${infeasible} infeasible`] : []),
    ...(ineligible > 0 ? [`${ineligible} not eligible`] : []),
  ]
  return counts.length === 0 ? 'no job' : counts.join(', ')
}

/** Every job that the explanation names has a row. */
function describeJobs({ jobs }: DetailedExplanation): readonly Row[] {
  if (jobs === undefined) return []
  if (jobs === null) return [['job', 'unknown: Flux does not show the jobs']]
  const { first, more } = jobs
  return [
    ...first.map(({ id, text }): Row => ['job', `${id} ${text}`]),
    ...(more === 0 ? [] : [['job', `and ${more} more`] as const]),
  ]
}

function isOfInterest({ started, pending }: QueueExplanation): boolean {
  const { jobs, held, infeasible, ineligible } = pending
  return !started || jobs + held + infeasible + ineligible > 0
}

function describeQueue({ name, desired, started, pending }: QueueExplanation): string {
  const size = desired === null ? '' : `, desired ${desired}`
  return `${name}: ${describePending(pending)}${size}${started ? '' : ', stopped'}`
}

function describeHeld({ ranks, reason, untilSeconds }: HeldDrainExplanation): string {
  const until = untilSeconds === null ? '' : `, for ${spellSeconds(untilSeconds)} at most`
  return `ranks ${ranks} stay drained${until}: ${reason}`
}

/** Only our own drains are shown here: the others are in the warnings. */
function describeDrain({ ranks, reason }: DrainExplanation): string {
  return `${ranks} by the sidecar (${reason})`
}

function firstRows(texts: readonly string[], subject: string): readonly Row[] {
  const rows = texts.slice(0, MAX_ROWS).map((text) => [subject, text] as const)
  const more = texts.length - rows.length
  return more > 0 ? [...rows, [subject, `and ${more} more`]] : rows
}

/** Breaks lines at spaces. What nobody sees is escaped, because reasons of drains and names come from others. */
function wrap(
  text: string,
  { first, rest }: { readonly first: string; readonly rest: string },
): readonly string[] {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of printable(text).split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line)
      line = rest
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line]
}
