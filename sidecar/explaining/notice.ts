// What an explanation says: sentences, each with a code. docs/reference/NOTICES.md explains the codes; a test compares the two. Pure.

/** `reason`: why the size is what it is. `warning`: a problem or a surprise. `unknown`: what cannot be told now. */
export const NOTICE_KINDS = ['reason', 'warning', 'unknown'] as const

export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** Programs rely on these words: they are never used for something else. Sentences may change. */
export const NOTICE_CODES = {
  'no-size': 'reason',
  'shrink-after-drain': 'reason',
  'shrink-after-grace': 'reason',
  'growth-tried': 'reason',
  'jobs-pending': 'reason',
  'jobs-pending-cut': 'reason',
  'jobs-pending-unhelped': 'reason',
  'rank-busy': 'reason',
  quorum: 'reason',
  'maximum-reached': 'reason',
  'ranks-given-up': 'reason',
  idle: 'reason',

  'ranks-bursted': 'warning',
  'hosts-unchecked': 'warning',
  'scheduler-refuses-jobs': 'warning',
  'scheduler-fills-high': 'warning',
  'jobs-refused': 'warning',
  'jobs-refused-for-good': 'warning',
  'jobs-refused-unclear': 'warning',
  'jobs-not-started': 'warning',
  'jobs-held': 'warning',
  'jobs-infeasible': 'warning',
  'scheduler-absent': 'warning',
  'queue-stopped': 'warning',
  'queue-parent-stopped': 'warning',
  'queue-removed': 'warning',
  'jobs-early': 'warning',
  'ranks-drained-by-flux': 'warning',
  'ranks-drained-by-others': 'warning',
  'ranks-left-drained': 'warning',
  'drain-refused': 'warning',
  'ranks-down-for-scheduler': 'warning',
  'ranks-up-for-scheduler': 'warning',
  'queue-not-selectable': 'warning',
  'hpa-tolerance': 'warning',
  'pods-unscheduled': 'warning',
  'pods-refused': 'warning',
  'pods-missing': 'warning',
  'pods-not-starting': 'warning',
  'pods-others': 'warning',

  'size-unknown': 'unknown',
  'demand-unknown': 'unknown',
  'needs-unknown': 'unknown',
  'job-counts-unknown': 'unknown',
  'gpus-unknown': 'unknown',
  'jobs-unlisted': 'unknown',
  'jobs-unplaced': 'unknown',
  'constraints-unknown': 'unknown',
  'whole-nodes-unknown': 'unknown',
  'refused-jobs-unknown': 'unknown',
  'pods-unknown': 'unknown',
} as const satisfies Readonly<Record<string, NoticeKind>>

export type NoticeCode = keyof typeof NOTICE_CODES

export interface Notice {
  readonly kind: NoticeKind
  readonly code: NoticeCode
  /** A sentence for people; of a warning with its cure, if there is one. */
  readonly text: string
}

export function notice(code: NoticeCode, text: string): Notice {
  return { kind: NOTICE_CODES[code], code, text }
}

/** The sentences of one kind, in their order. */
export function textsOf(notices: readonly Notice[], kind: NoticeKind): readonly string[] {
  return notices.filter((one) => one.kind === kind).map(({ text }) => text)
}
