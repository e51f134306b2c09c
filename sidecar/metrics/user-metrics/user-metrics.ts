// Reads the metrics that users define from a YAML text (METRICS_FILE): checks its shape, the names and the expressions. An
// invalid metric is left out and reported with its place in the text; the others are kept.
import * as v from 'valibot'
import { MAX_WAITING } from '#reading/jobs/pending-list.ts'
import { METRICS } from '../catalog.ts'
import { EXPLAIN, type Metric } from '../metric.ts'
import { compileExpression } from './expression.ts'
import { type Path, parseYaml, type YamlSource } from './yaml-source.ts'

/** Each metric is a series in Prometheus and an entry in six lists of discovery. No user needs 50. */
export const MAX_METRICS = 50

/** The steps that all expressions together may take, with {@link MAX_WAITING} pending jobs: once for each reading. */
export const MAX_STEPS = 1_000_000

/**
 * The steps that one expression may take. That takes 10 to 60 ms, and the sidecar answers nothing meanwhile; between two
 * expressions it does.
 */
const MAX_STEPS_OF_ONE = 250_000

/** The sidecar's own names at `/metrics` begin with one of these. */
export const RESERVED_PREFIXES = ['flux_', 'http_', 'nodejs_', 'process_'] as const

const NAME = /^[a-z][a-z0-9_]{0,62}$/

/** In one line, because the text format of Prometheus has one line for it. */
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

/** The valid metrics of a file, and a sentence with its place for each problem. */
type UserMetricsReading =
  | {
      readonly kind: 'metrics'
      readonly metrics: readonly Metric[]
      readonly problems: readonly string[]
    }
  | { readonly kind: 'unreadable'; readonly problem: string }

/**
 * @param file the name of the file, for the problems
 * @returns `unreadable` if the text is not YAML, or has no list of metrics
 */
export function readUserMetrics(text: string, file: string): UserMetricsReading {
  const source = parseYaml(text, file)
  if (source.kind === 'broken') return { kind: 'unreadable', problem: source.problem }
  const parsed = v.safeParse(File, source.value)
  if (!parsed.success) {
    return { kind: 'unreadable', problem: describe(source, [], parsed.issues[0]) }
  }
  const definitions = parsed.output.metrics
  const reader = new DefinitionReader(source)
  for (const [index, definition] of definitions.slice(0, MAX_METRICS).entries()) {
    reader.add(definition, ['metrics', index])
  }
  const { metrics, problems } = reader
  if (definitions.length <= MAX_METRICS) return { kind: 'metrics', metrics, problems }
  const place = source.placeOf(['metrics', MAX_METRICS])
  const cut = `${place}: expected at most ${MAX_METRICS} metrics, got ${definitions.length}`
  return { kind: 'metrics', metrics, problems: [...problems, cut] }
}

/** Why a definition is refused. */
interface Refusal {
  readonly key: keyof Definition
  /** Where in the text of the value. */
  readonly offset?: number
  readonly message: string
}

/** Collects metrics and problems, in the order of the file. */
class DefinitionReader {
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
    const nameProblem = this.#problemOfName(metric.name)
    if (nameProblem !== undefined) return { key: 'name', message: nameProblem }
    const compiled = compileExpression(text)
    if (compiled.kind === 'refused') return { key: 'expression', ...compiled.problem }
    const { steps, evaluate } = compiled.expression
    const left = Math.min(this.#stepsLeft, MAX_STEPS_OF_ONE)
    if (steps > left) {
      const message = `with ${MAX_WAITING} pending jobs it takes up to ${steps} steps, expected at most ${left}`
      return { key: 'expression', message }
    }
    this.#stepsLeft -= steps
    this.metrics.push({ ...metric, kind: 'gauge', labels: [], value: evaluate })
    return undefined
  }

  #problemOfName(name: string): string | undefined {
    if (METRICS.has(name) || name === EXPLAIN) return 'the name is taken by the sidecar'
    const prefix = RESERVED_PREFIXES.find((reserved) => name.startsWith(reserved))
    if (prefix !== undefined)
      return `names that begin with "${prefix}" are reserved for the sidecar`
    if (this.metrics.some((metric) => metric.name === name)) return 'the name is defined twice'
    return undefined
  }
}

type Issue = v.BaseIssue<unknown>

function describe(source: YamlSource, base: Path, issue: Issue): string {
  const path = [...base, ...(issue.path ?? []).map(({ key }) => String(key))]
  return `${source.placeOf(path)}: ${formatPath(path)}${sentenceOf(issue)}`
}

/** The words of valibot, in those of a person. */
const WORDS: Readonly<Record<string, string>> = {
  Object: 'a map',
  Array: 'a list',
  string: 'a string',
}

function sentenceOf({ kind, message, expected, received }: Issue): string {
  if (kind === 'validation') return message
  if (expected === 'never') return 'unknown key'
  // YAML has no `undefined`: the key is not there.
  if (received === 'undefined') return 'missing'
  const wanted = expected ?? message
  return `expected ${WORDS[wanted] ?? wanted}, got ${WORDS[received] ?? received}`
}

/** `metrics[0].name: ` */
function formatPath(path: Path): string {
  const text = path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
  return text === '' ? '' : `${text}: `
}
