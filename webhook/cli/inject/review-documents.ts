// Reads objects and prints the pods that the webhook would admit: the pods to standard output, everything else to standard
// error.
import { stringify } from 'yaml'
import { EXIT, type ExitCode, hasColor, type Io, reportProblems } from '../command.ts'
import { readDocumentFiles } from '../input/files/inputs.ts'
import { type Found, readObjects } from '../input/files/objects.ts'
import { formatDiff } from '../output/diff.ts'
import { ObjectStore } from './object-store.ts'
import { type Subject, subjectsOf } from './subjects.ts'
import { type ReviewContext, reviewPod, type Verdict } from './verdict.ts'

export interface InjectionSettings extends Omit<ReviewContext, 'store'> {
  readonly files: readonly string[]
  /** The namespace of objects that name none. */
  readonly namespace: string
  readonly format: Format
  /** Print the changes, not the whole pods. */
  readonly diff: boolean
}

export type Format = 'yaml' | 'json'

export async function reviewDocuments(settings: InjectionSettings, io: Io): Promise<ExitCode> {
  const documents = await readDocumentFiles(settings.files, io)
  if (documents.problems.length > 0) return reportProblems(io, documents.problems)
  const objects = readObjects(documents.found, settings)
  if (objects.problems.length > 0) return reportProblems(io, objects.problems)
  const reviewed = await reviewAll(objects.found, settings, io)
  // After the pods: on a terminal the user sees the end of the output.
  for (const { lines } of reviewed) io.err.write(lines)
  return exitCodeFor(reviewed.map(({ outcome }) => outcome))
}

/** What is kept of a verdict: the pods are printed at once, because there may be thousands. */
interface Reviewed {
  readonly outcome: Outcome
  /** For standard error. */
  readonly lines: string
}

/** The kind of a verdict on a pod, or the reason why the sidecar is not injected; `protected` is a MiniCluster. */
type Outcome = Exclude<Verdict['kind'], 'skipped'> | 'protected' | { readonly skipped: string }

async function reviewAll(
  found: readonly Found[],
  settings: InjectionSettings,
  io: Io,
): Promise<readonly Reviewed[]> {
  const { subjects, jobs, protecteds } = subjectsOf(found)
  const miniclusters = found.filter((object) => object.kind === 'MiniCluster')
  const policies = found.filter(({ kind }) => kind === 'LimitRange' || kind === 'ResourceQuota')
  const store = new ObjectStore([...jobs, ...miniclusters, ...policies])
  const context = { ...settings, store }
  const separator = settings.diff || settings.format === 'json' ? '' : '---\n'
  const reviewed: Reviewed[] = []
  for (const { name, why, ...change } of protecteds) {
    if (settings.diff) {
      io.out.write(await textOf({ name }, change, { ...settings, color: hasColor(io.out, io) }))
    }
    reviewed.push({ outcome: 'protected', lines: `${name}: ${why}\n` })
  }
  let isFirst = true
  for (const subject of subjects) {
    const verdict = await verdictOn(subject, context)
    if (verdict.kind === 'admitted') {
      const text = await textOf(subject, verdict, { ...settings, color: hasColor(io.out, io) })
      io.out.write(isFirst ? text : `${separator}${text}`)
      isFirst = false
    }
    const outcome = verdict.kind === 'skipped' ? { skipped: verdict.reason } : verdict.kind
    reviewed.push({ outcome, lines: describe(subject, verdict) })
  }
  return reviewed
}

async function verdictOn(subject: Subject, context: ReviewContext): Promise<Verdict> {
  if (subject.kind === 'pod') return reviewPod(subject.pod, context)
  return { kind: 'skipped', reason: 'NoPod', why: subject.why, warnings: [] }
}

function describe(subject: Subject, verdict: Verdict): string {
  const { kind, why } = verdict
  const source = subject.kind === 'pod' ? subject.source : undefined
  const name = source === undefined ? subject.name : `${subject.name} (made from ${source})`
  if (kind === 'unknown') return `${name}: cannot be reviewed: ${why}\n`
  const notes = kind === 'admitted' ? verdict.notes : []
  const warnings = [...verdict.warnings, ...notes].map(
    (warning) => `${name}: warning: ${warning}\n`,
  )
  const how = kind === 'skipped' ? `not injected, ${verdict.reason}: ` : ''
  return `${warnings.join('')}${name}: ${how}${why}\n`
}

/** The object, or the changes that the webhook makes. */
async function textOf(
  { name }: Pick<Subject, 'name'>,
  { before, after }: Pick<Verdict & { readonly kind: 'admitted' }, 'before' | 'after'>,
  { format, diff, color }: Pick<InjectionSettings, 'format' | 'diff'> & { readonly color: boolean },
): Promise<string> {
  const text = render(after, format)
  if (!diff) return text
  const change = {
    before: { name: `${name}, as created`, text: render(before, format) },
    after: { name: `${name}, as admitted`, text },
  }
  return formatDiff(change, { color })
}

/** YAML 1.1, as kubectl prints and reads it: a text such as "yes" keeps its quotes. */
function render(value: unknown, format: Format): string {
  if (format === 'json') return `${JSON.stringify(value, undefined, 2)}\n`
  return stringify(value, {
    version: '1.1',
    lineWidth: 0,
    indentSeq: false,
    aliasDuplicateObjects: false,
  })
}

/** A pod with another index does not count: the webhook never injects it. */
function exitCodeFor(outcomes: readonly Outcome[]): ExitCode {
  if (outcomes.includes('unknown')) return EXIT.usage
  const isInjected = outcomes.includes('admitted')
  const isRefused = outcomes.some(
    (outcome) => typeof outcome === 'object' && outcome.skipped !== 'NotIndexZero',
  )
  return isInjected && !isRefused ? EXIT.ok : EXIT.no
}
