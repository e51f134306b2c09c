// A check looks at one hop between a metric and a size. It judges facts, and does not know what else was found.
import type { Facts, InstallationFacts } from './facts/facts.ts'
import { type Reading, type Unread, unreadOf } from './facts/reading.ts'
import type { Finding } from './finding.ts'

/** What a check says. */
export interface Verdict {
  readonly findings: readonly Finding[]
  /** What it would have needed, too. */
  readonly unread: readonly Unread[]
  /** What is said if there is nothing of either. */
  readonly fine: string
  /** Whether it holds whatever is wrong before: it was seen. */
  readonly isCertain?: true
}

interface Named {
  /** For programs and people. */
  readonly name: string
  /** Without these hops nothing can be said against this one: what it finds may follow from theirs. */
  readonly needs: readonly string[]
}

/** A check of what is installed. */
export interface InstallationCheck extends Named {
  readonly scope: 'installation'
  examine(facts: InstallationFacts): Verdict
}

/** A check of one MiniCluster. */
export interface MiniClusterCheck extends Named {
  readonly scope: 'minicluster'
  examine(facts: Facts): Verdict
}

export type Check = InstallationCheck | MiniClusterCheck

export function verdict(
  fine: string,
  findings: readonly Finding[],
  readings: readonly Reading<unknown>[] = [],
): Verdict {
  return { fine, findings, unread: readings.flatMap((reading) => unreadOf(reading) ?? []) }
}

/** What was seen to be fine. */
export function certain(fine: string): Verdict {
  return { fine, findings: [], unread: [], isCertain: true }
}
