// A report as text for a terminal, and as JSON for programs. Pure.
import { plural } from '#explaining/wording.ts'
import { enumerate, printableJson } from '#serving/text.ts'
import { type RowOptions, row } from '../output/rows.ts'
import type { Style } from '../output/style.ts'
import type { Report } from './examination.ts'
import { LEVELS, type Level } from './finding.ts'

const STYLES: Readonly<Record<Level, Style>> = { error: 'red', warning: 'yellow', info: 'dim' }

/** How much is shown, and how. */
export interface TextOptions extends RowOptions {
  /** Also what was checked and is fine. */
  readonly isVerbose: boolean
}

/** @param title what was checked */
export function reportLines(
  title: string,
  { findings, unchecked, passed }: Report,
  options: TextOptions,
): readonly string[] {
  const { isVerbose } = options
  return [
    title,
    ...findings.flatMap(({ level, code, subject, message, fix }) => [
      '',
      ...row(level, `${code}: ${subject}`, { ...options, style: STYLES[level] }),
      ...row('', message, options),
      ...row('fix', fix, options),
    ]),
    ...(unchecked.length === 0 ? [] : ['', 'Not checked:']),
    ...groupsOf(unchecked).flatMap(([because, checks]) =>
      row('', `${enumerate(checks)}, because ${because}`, options),
    ),
    ...(isVerbose && passed.length > 0 ? ['', 'Checked and fine:'] : []),
    ...(isVerbose
      ? passed.flatMap(({ check, what }) => row('', `${check}: ${what}`, options))
      : []),
    '',
    ...row('', summaryOf({ findings, unchecked, passed }), options).map((line) => line.trimStart()),
  ]
}

/** The checks that lack the same, in their order. */
function groupsOf(
  unchecked: Report['unchecked'],
): readonly (readonly [string, readonly string[]])[] {
  const groups = new Map<string, string[]>()
  for (const { check, because } of unchecked) {
    const group = groups.get(because)
    if (group === undefined) groups.set(because, [check])
    else group.push(check)
  }
  return [...groups]
}

function summaryOf({ findings, unchecked, passed }: Report): string {
  const counts = LEVELS.flatMap((level) => {
    const count = findings.filter((one) => one.level === level).length
    const noun = level === 'info' ? 'note' : level
    return count === 0 ? [] : [plural(count, noun)]
  })
  const found = counts.length === 0 ? 'nothing found' : enumerate(counts)
  const rest = unchecked.length === 0 ? '' : `, ${plural(unchecked.length, 'check')} not made`
  return `${found}; ${plural(passed.length, 'check')} fine${rest}.`
}

/** Fields may be added; those that are there keep their meaning. */
export function reportJson(
  subject: { readonly namespace: string; readonly name: string } | undefined,
  { findings, unchecked, passed }: Report,
): string {
  const value = {
    minicluster: subject ?? null,
    findings: findings.map(({ isEnd: _internal, ...rest }) => rest),
    unchecked,
    passed,
  }
  return `${printableJson(JSON.stringify(value, undefined, 2))}\n`
}
