// Compiles the expressions of users in the Common Expression Language (CEL, https://cel.dev), and evaluates them on snapshots.
// Types, functions and cost are checked when an expression is compiled. No other file imports the library.
import {
  TypeError as CelTypeError,
  Environment,
  EvaluationError,
  ParseError,
} from '@marcbachmann/cel-js'
import { type Unknown, unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { messageOf } from '#serving/text.ts'
import { costOf, type ExpressionProblem } from './expression-cost.ts'
import { TYPES, VARIABLES, viewSnapshot } from './snapshot-view.ts'
import { UnknownError } from './view-type.ts'

/** An expression is a screenful of text at most. Its tree is small enough for our recursion and for that of the library. */
export const MAX_LENGTH = 4_000
const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 32,
  maxListElements: 100,
  maxMapEntries: 100,
  maxCallArguments: 8,
} as const

/** A compiled expression. */
export interface Expression {
  /** The most steps that it can take; see {@link costOf}. */
  readonly steps: number
  /** A number ≥ 0, or why it is not known. Evaluated once for each snapshot. */
  evaluate(snapshot: Snapshot): number | Unknown
}

type Compilation =
  | { readonly kind: 'compiled'; readonly expression: Expression }
  | { readonly kind: 'refused'; readonly problem: ExpressionProblem }

/** Compiles an expression: parses it, checks its types and its cost. The result must be an int or a double. */
export function compileExpression(text: string): Compilation {
  if (text.length > MAX_LENGTH) {
    return refused(0, `expected at most ${MAX_LENGTH} characters, got ${text.length}`)
  }
  let parsed: ReturnType<Environment['parse']>
  try {
    parsed = ENVIRONMENT.parse(text)
  } catch (error) {
    return refusedBy(error)
  }
  const cost = costOf(parsed.ast)
  if ('problem' in cost) return { kind: 'refused', problem: cost.problem }
  const { type = 'nothing', error } = parsed.check()
  if (error !== undefined) return refusedBy(error)
  if (type !== 'int' && type !== 'double') {
    const hint = type === 'bool' ? ', write "… ? 1 : 0"' : ''
    return refused(0, `expected an int or a double, got ${type}${hint}`)
  }
  return { kind: 'compiled', expression: { steps: cost.steps, evaluate: evaluator(parsed) } }
}

/** CEL with our variables, and with the list functions `sum`, `min` and `max` that Kubernetes adds to the language. */
function createEnvironment(): Environment {
  const environment = new Environment({ limits: LIMITS })
  for (const { name, ctor, fields } of TYPES) environment.registerType(name, { ctor, fields })
  for (const [name, type] of Object.entries(VARIABLES)) environment.registerVariable(name, type)
  const synchronous = { async: false }
  const lowest = <T>(list: readonly T[]) => selectBest(list, (one, other) => one < other)
  const highest = <T>(list: readonly T[]) => selectBest(list, (one, other) => one > other)
  return environment
    .registerFunction('list<int>.sum(): int', sumOfIntegers, synchronous)
    .registerFunction('list<double>.sum(): double', sumOfDoubles, synchronous)
    .registerFunction('list<int>.min(): int', lowest, synchronous)
    .registerFunction('list<double>.min(): double', lowest, synchronous)
    .registerFunction('list<int>.max(): int', highest, synchronous)
    .registerFunction('list<double>.max(): double', highest, synchronous)
}

const ENVIRONMENT = createEnvironment()

/** The smallest and the largest int of CEL. */
const [MIN_INT, MAX_INT] = [-(2n ** 63n), 2n ** 63n - 1n]

function sumOfIntegers(list: readonly bigint[]): bigint {
  const sum = list.reduce((total, value) => total + value, 0n)
  if (sum >= MIN_INT && sum <= MAX_INT) return sum
  throw new EvaluationError('the sum does not fit into an int of 64 bits')
}

function sumOfDoubles(list: readonly number[]): number {
  return list.reduce((total, value) => total + value, 0)
}

function selectBest<T>(list: readonly T[], isBetter: (one: T, other: T) => boolean): T {
  const [first, ...others] = list
  if (first === undefined) throw new EvaluationError('an empty list has no min() and no max()')
  return others.reduce((best, value) => (isBetter(value, best) ? value : best), first)
}

function evaluator(run: (context: object) => unknown): Expression['evaluate'] {
  const values = new WeakMap<Snapshot, number | Unknown>()
  return (snapshot) => {
    const known = values.get(snapshot)
    if (known !== undefined) return known
    const value = evaluate(run, snapshot)
    values.set(snapshot, value)
    return value
  }
}

function evaluate(run: (context: object) => unknown, snapshot: Snapshot): number | Unknown {
  let result: unknown
  // An expression may fail once for each job and go on: nobody reads the stacks of these errors, and they take most of the time.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    result = run(viewSnapshot(snapshot))
  } catch (error) {
    if (error instanceof UnknownError) return error.unknown
    return unknown(`its expression fails: ${summaryOf(error)}`)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  const value = typeof result === 'bigint' ? Number(result) : result
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  return unknown(`its expression gives ${value}, expected a number of 0 or more`)
}

function refused(offset: number, message: string): Compilation {
  return { kind: 'refused', problem: { offset, message } }
}

function refusedBy(error: unknown): Compilation {
  const summary = summaryOf(error)
  if (!isOfLibrary(error)) return refused(0, summary)
  const known = `, expected one of ${Object.keys(VARIABLES).join(' ')}`
  const hint = error.code === 'unknown_variable' ? known : ''
  return refused(error.range?.start ?? 0, `${summary}${hint}`)
}

/** The message without the excerpt of the expression that the library adds. */
function summaryOf(error: unknown): string {
  return isOfLibrary(error) ? error.summary : messageOf(error)
}

function isOfLibrary(error: unknown): error is ParseError | CelTypeError | EvaluationError {
  return [ParseError, CelTypeError, EvaluationError].some((kind) => error instanceof kind)
}
