// The metrics that users define, out of a YAML file (METRICS_FILE): its shape, names that are free, expressions that
// compile. One that is no good is left out, and told with its place; the others go on.
import * as v from 'valibot'
import { MAX_WAITING } from '#reading/pending-jobs.ts'
import { METRICS } from '../catalog.ts'
import { EXPLAIN, type Metric } from '../metric.ts'
import { compileExpression } from './expression.ts'
import { type Path, parseYaml, type YamlSource } from './yaml-source.ts'

/** Prometheus has a series for each, discovery an entry in six lists, and 50 are more than anybody scales on. */
export const MAX_METRICS = 50

/**
 * What evaluating all expressions once may take, in steps with as many pending jobs as we list: 50 to 100 ms, in which
 * nothing else is answered; ten times as much if every job lacks what is asked for and `||` or `exists` goes on. With a
 * hundredth of the jobs it is a hundredth.
 */
export const MAX_STEPS = 1_000_000

/** Names at `/metrics` that are ours begin with one of these. */
export const RESERVED_PREFIXES = ['flux_', 'http_', 'nodejs_', 'process_'] as const

const NAME = /^[a-z][a-z0-9_]{0,62}$/

/** Prometheus shows it in one line. */
const Sentence = v.pipe(
  v.string(),
  v.transform((text) => text.trim().replace(/\s+/g, ' ')),
  v.nonEmpty('expected some words, got none'),
)

const Definition = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(NAME, 'expected 1 to 63 lower-case letters, digits and "_", a letter first'),
  ),
  help: Sentence,
  unit: Sentence,
  expression: v.string(),
})

type Definition = v.InferOutput<typeof Definition>

const File = v.strictObject({ metrics: v.array(v.unknown()) })

/** What a file defines, and a sentence with its place for everything that is no good. */
export type UserMetricsReading =
  | {
      readonly kind: 'metrics'
      readonly metrics: readonly Metric[]
      readonly problems: readonly string[]
    }
  | { readonly kind: 'unreadable'; readonly problem: string }

/**
 * Reads a file of metrics.
 *
 * @param file its name, for the problems
 * @returns `unreadable` if it is not YAML, or no list of metrics at all
 */
export function readUserMetrics(text: string, file: string): UserMetricsReading {
  const source = parseYaml(text, file)
  if (source.kind === 'broken') return { kind: 'unreadable', problem: source.problem }
  const parsed = v.safeParse(File, source.value)
  if (!parsed.success) {
    return { kind: 'unreadable', problem: describe(source, [], parsed.issues[0]) }
  }
  const definitions = parsed.output.metrics
  const reader = new Reader(source)
  for (const [index, definition] of definitions.slice(0, MAX_METRICS).entries()) {
    reader.add(definition, ['metrics', index])
  }
  const { metrics, problems } = reader
  if (definitions.length <= MAX_METRICS) return { kind: 'metrics', metrics, problems }
  const place = source.placeOf(['metrics', MAX_METRICS])
  const cut = `${place}: expected at most ${MAX_METRICS} metrics, got ${definitions.length}`
  return { kind: 'metrics', metrics, problems: [...problems, cut] }
}

/** What is wrong with a part of a definition, and where in its text. */
interface Refusal {
  readonly key: keyof Definition
  readonly offset?: number
  readonly message: string
}

/** Collects metrics, in the order of the file. */
class Reader {
  readonly metrics: Metric[] = []
  readonly problems: string[] = []
  readonly #source: YamlSource
  #stepsLeft = MAX_STEPS

  constructor(source: YamlSource) {
    this.#source = source
  }

  add(value: unknown, path: Path): void {
    const parsed = v.safeParse(Definition, value)
    if (parsed.success) {
      const refusal = this.#define(parsed.output)
      if (refusal === undefined) return
      const place = this.#source.placeOf([...path, refusal.key], refusal.offset)
      this.problems.push(`${place}: metric "${parsed.output.name}": ${refusal.message}`)
    } else {
      for (const issue of parsed.issues) this.problems.push(describe(this.#source, path, issue))
    }
  }

  #define({ expression: text, ...metric }: Definition): Refusal | undefined {
    const objection = this.#objectionTo(metric.name)
    if (objection !== undefined) return { key: 'name', message: objection }
    const compiled = compileExpression(text)
    if (compiled.kind === 'refused') return { key: 'expression', ...compiled.problem }
    const { steps, evaluate } = compiled.expression
    const left = this.#stepsLeft
    if (steps > left) {
      const message = `with ${MAX_WAITING} pending jobs it takes up to ${steps} steps, expected at most ${left}`
      return { key: 'expression', message }
    }
    this.#stepsLeft -= steps
    this.metrics.push({ ...metric, kind: 'gauge', labels: [], value: evaluate })
    return undefined
  }

  #objectionTo(name: string): string | undefined {
    if (METRICS.has(name) || name === EXPLAIN) return 'the name is one of ours'
    const prefix = RESERVED_PREFIXES.find((reserved) => name.startsWith(reserved))
    if (prefix !== undefined) return `names of ours begin with "${prefix}"`
    if (this.metrics.some((metric) => metric.name === name)) return 'the name is defined twice'
    return undefined
  }
}

type Issue = v.BaseIssue<unknown>

function describe(source: YamlSource, base: Path, issue: Issue): string {
  const path = [...base, ...(issue.path ?? []).map(({ key }) => String(key))]
  return `${source.placeOf(path)}: ${spell(path)}${sentenceOf(issue)}`
}

function sentenceOf({ kind, message, expected, received }: Issue): string {
  if (kind === 'validation') return message
  if (expected === 'never') return 'unknown key'
  // YAML has no undefined.
  if (received === 'undefined') return 'missing'
  return `expected ${expected}, got ${received}`
}

/** `metrics[0].name: ` */
function spell(path: Path): string {
  const text = path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
  return text === '' ? '' : `${text}: `
}
