// Makes the checks and puts what they say together: a broken hop is told once, and what hangs on it is not checked. Pure.
import { enumerate } from '#serving/text.ts'
import type { InstallationCheck, Verdict } from './check.ts'
import { CHECKS, INSTALLATION_CHECKS } from './checks.ts'
import type { Facts, InstallationFacts } from './facts/facts.ts'
import type { Unread } from './facts/reading.ts'
import { type Code, type Finding, finding, isBroken, LEVELS } from './finding.ts'

/** A check that could not be made. */
export interface Unchecked {
  readonly check: string
  readonly because: string
}

/** A check that found nothing. */
export interface Passed {
  readonly check: string
  readonly what: string
}

export interface Report {
  /** The worst first. */
  readonly findings: readonly Finding[]
  readonly unchecked: readonly Unchecked[]
  readonly passed: readonly Passed[]
}

export function examineInstallation(facts: InstallationFacts): Report {
  return new Examination().run(INSTALLATION_CHECKS, (check) => check.examine(facts))
}

export function examine(facts: Facts): Report {
  return new Examination().run(CHECKS, (check) => check.examine(facts))
}

type Row = Pick<InstallationCheck, 'name' | 'needs'>

class Examination {
  readonly #findings: Finding[] = []
  readonly #unchecked: Unchecked[] = []
  readonly #passed: Passed[] = []
  /** By check: what it, or what it needs, has found. Nothing can be said behind it. */
  readonly #broken = new Map<string, ReadonlySet<Code>>()
  readonly #unread = new Map<string, Unread>()

  run<C extends Row>(checks: readonly C[], examine: (check: C) => Verdict): Report {
    for (const check of checks) this.#note(check, examine(check))
    const findings = [...this.#findings, ...unreadFindings([...this.#unread.values()])]
    return {
      findings: LEVELS.flatMap((level) => findings.filter((one) => one.level === level)),
      unchecked: this.#unchecked,
      passed: this.#passed,
    }
  }

  #note({ name, needs }: Row, { findings, unread, fine, isCertain }: Verdict): void {
    const roots = new Set(needs.flatMap((need) => [...(this.#broken.get(need) ?? [])]))
    if (roots.size > 0 && isCertain !== true) {
      this.#broken.set(name, roots)
      this.#unchecked.push({ check: name, because: `of ${enumerate([...roots])}` })
      return
    }
    this.#findings.push(...findings)
    const broken = findings.filter(isBroken)
    if (broken.length > 0) this.#broken.set(name, new Set(broken.map(({ code }) => code)))
    for (const one of unread) this.#unread.set(one.what, one)
    if (unread.length > 0) {
      const whats = [...new Set(unread.map(({ what }) => what))]
      this.#unchecked.push({ check: name, because: `${enumerate(whats)} could not be read` })
    } else if (findings.length === 0) this.#passed.push({ check: name, what: fine })
  }
}

/** Never "all is well" because nothing could be read. */
function unreadFindings(unread: readonly Unread[]): readonly Finding[] {
  const forbidden = unread.filter(({ isForbidden }) => isForbidden)
  const others = unread.filter(({ isForbidden }) => !isForbidden)
  return [
    ...others.map(({ what, why }) =>
      finding('not-answered', {
        subject: what,
        message: `it could not be read: ${why}`,
        fix: 'try again; if it stays so, the text says who did not answer',
      }),
    ),
    ...(forbidden.length === 0
      ? []
      : [
          finding('not-readable', {
            subject: 'your rights',
            message: `you may not read ${enumerate(forbidden.map(({ what }) => what))}: what hangs on it was not checked`,
            fix: 'run this command as an administrator, or ask one for the ClusterRole of docs/DOCTOR.md',
          }),
        ]),
  ]
}
