// A shortage in sentences, and as the data of an explanation. Pure.
import { type Notice, type NoticeCode, notice } from '#explaining/notice.ts'
import { nameRanks, spellSeconds } from '#explaining/wording.ts'
import { countIds, EMPTY_IDSET, formatIdset, isEmpty, unionIdsets } from '#flux/sets/idset.ts'
import type { Shortage, ShortGroup } from './shortage.ts'

/** More groups are only counted. */
const MAX_SENTENCES = 5

/** Those of the doctor, for the same states. */
const CODES = {
  unscheduled: 'pods-unscheduled',
  refused: 'pods-refused',
  missing: 'pods-missing',
  'not-starting': 'pods-not-starting',
} as const satisfies Readonly<Record<ShortGroup['kind'], NoticeCode>>

/** The code of what is said of such ranks. */
export type ShortageCode = (typeof CODES)[ShortGroup['kind']]

export function codeOf({ kind }: Pick<ShortGroup, 'kind'>): ShortageCode {
  return CODES[kind]
}

/** One warning for each group of ranks, the most important first. */
export function warningsOf({ groups, readAt }: Shortage): readonly Notice[] {
  const warnings = groups
    .slice(0, MAX_SENTENCES)
    .map((group) => notice(codeOf(group), sentenceOf(group, readAt)))
  const others = groups
    .slice(MAX_SENTENCES)
    .reduce((ranks, group) => unionIdsets(ranks, group.ranks), EMPTY_IDSET)
  if (isEmpty(others)) return warnings
  const text = `${nameRanks(others)}: for other reasons, see the JSON`
  return [...warnings, notice('pods-others', text)]
}

/** The same without codes. */
export function sentencesOf(shortage: Shortage): readonly string[] {
  return warningsOf(shortage).map(({ text }) => text)
}

function sentenceOf({ kind, ranks, since, causes }: ShortGroup, now: number): string {
  const one = countIds(ranks) === 1
  const pods = one ? 'its pod' : 'their pods'
  const be = one ? 'is' : 'are'
  const time = since === undefined ? '' : ` for ${spellSeconds((now - since) / 1000)}`
  const why = causes.length === 0 ? '' : `: ${causes.join('; ')}`
  const missing = `${nameRanks(ranks)} ${be} not there`
  switch (kind) {
    case 'unscheduled':
      return `${missing}: ${pods} ${be} Pending${time}${why}`
    case 'refused':
      return `${missing}: ${pods} cannot be created${time}${why}`
    case 'missing':
      return `${missing}: ${pods} ${one ? 'has' : 'have'} not been created yet`
    case 'not-starting':
      return `${nameRanks(ranks)} ${one ? 'does' : 'do'} not start: ${pods} ${be} on ${one ? 'a node' : 'nodes'}${why}`
  }
}

/** The data of an explanation: times in ISO 8601, ranks as idsets (RFC 22). */
export interface PodExplanation {
  readonly readAt: string
  /** `spec.size` of the MiniCluster. */
  readonly size: number
  /** The value of `node_unavailable_count`. */
  readonly unavailable: number
  readonly short: readonly {
    readonly kind: ShortGroup['kind']
    readonly ranks: string
    readonly since: string | null
    readonly causes: readonly string[]
  }[]
}

/** More groups are left out. */
const MAX_GROUPS = 100

export function explainShortage({ readAt, size, unavailable, groups }: Shortage): PodExplanation {
  return {
    readAt: new Date(readAt).toISOString(),
    size,
    unavailable,
    short: groups.slice(0, MAX_GROUPS).map(({ kind, ranks, since, causes }) => ({
      kind,
      ranks: formatIdset(ranks),
      since: since === undefined ? null : new Date(since).toISOString(),
      causes,
    })),
  }
}
