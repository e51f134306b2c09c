// Reads objects and prints the pods that the webhook would admit: the pods to standard output, everything else to standard
// error.
import { stringify } from 'yaml'
import { EXIT, type ExitCode, hasColor, type Io, reportProblems } from '../command.ts'
import { readDocumentFiles } from '../input/inputs.ts'
import { type Found, readObjects } from '../input/objects.ts'
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
  const verdicts = await reviewAll(objects.found, settings)
  await print(verdicts, settings, io)
  // After the pods: on a terminal the user sees the end of the output.
  for (const [subject, verdict] of verdicts) report(subject, verdict, io)
  return exitCodeFor(verdicts.map(([, verdict]) => verdict))
}

type Reviewed = readonly [Subject, Verdict]

async function reviewAll(
  found: readonly Found[],
  settings: InjectionSettings,
): Promise<readonly Reviewed[]> {
  const { subjects, jobs } = subjectsOf(found)
  const miniclusters = found.filter((object) => object.kind === 'MiniCluster')
  const context = { ...settings, store: new ObjectStore([...jobs, ...miniclusters]) }
  return Promise.all(
    subjects.map(async (subject) => [subject, await verdictOn(subject, context)] as const),
  )
}

async function verdictOn(subject: Subject, context: ReviewContext): Promise<Verdict> {
  if (subject.kind === 'pod') return reviewPod(subject.pod, context)
  return { kind: 'skipped', reason: 'NoPod', why: subject.why, warnings: [] }
}

function report(subject: Subject, verdict: Verdict, { err }: Io): void {
  const { kind, why } = verdict
  const source = subject.kind === 'pod' ? subject.source : undefined
  const name = source === undefined ? subject.name : `${subject.name} (made from ${source})`
  if (kind === 'unknown') {
    err.write(`${name}: cannot be reviewed: ${why}\n`)
    return
  }
  for (const warning of verdict.warnings) err.write(`${name}: warning: ${warning}\n`)
  const how = kind === 'skipped' ? `not injected, ${verdict.reason}: ` : ''
  err.write(`${name}: ${how}${why}\n`)
}

async function print(
  verdicts: readonly Reviewed[],
  { format, diff }: InjectionSettings,
  io: Io,
): Promise<void> {
  const color = hasColor(io.out, io)
  const texts: string[] = []
  for (const [{ name }, verdict] of verdicts) {
    if (verdict.kind !== 'admitted') continue
    const after = render(verdict.after, format)
    if (!diff) texts.push(after)
    else {
      const change = {
        before: { name: `${name}, as created`, text: render(verdict.before, format) },
        after: { name: `${name}, as admitted`, text: after },
      }
      texts.push(await formatDiff(change, { color }))
    }
  }
  io.out.write(texts.join(diff || format === 'json' ? '' : '---\n'))
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
function exitCodeFor(verdicts: readonly Verdict[]): ExitCode {
  if (verdicts.some(({ kind }) => kind === 'unknown')) return EXIT.usage
  const isInjected = verdicts.some(({ kind }) => kind === 'admitted')
  const isRefused = verdicts.some(
    (verdict) => verdict.kind === 'skipped' && verdict.reason !== 'NotIndexZero',
  )
  return isInjected && !isRefused ? EXIT.ok : EXIT.no
}
