// Computes from the syntax tree of an expression the most steps that it can take, and checks which functions it calls. Nothing
// is evaluated.
import { MAX_WAITING } from '#reading/pending-jobs.ts'

/** The part of a node of the syntax tree that is read here. */
interface Syntax {
  readonly op: string
  /** Nodes, texts and values, or lists of them. */
  readonly args: unknown
  /** Offsets in the expression. */
  readonly start: number
  readonly end: number
}

/** Why an expression is refused. */
export interface ExpressionProblem {
  /** Where in the text of the expression. */
  readonly offset: number
  readonly message: string
}

/** One step is the evaluation of one node, or a look at one element of a list or one character. */
type ExpressionCost = { readonly steps: number } | { readonly problem: ExpressionProblem }

/** More named queues than any instance that we know of has. */
const MAX_QUEUES = 100

/** The size of a value that is not evaluated yet. */
interface Extent {
  /** Elements of a list, keys of a map, or characters of a string; 1 for any other value. */
  readonly size: number
  /** The extent of each element. */
  readonly item: Extent | undefined
  /** Whether `in` finds a key without a search. */
  readonly isMap: boolean
}

const SCALAR: Extent = { size: 1, item: undefined, isMap: false }

const VARIABLES: ReadonlyMap<string, Extent> = new Map([
  ['pending', { size: MAX_WAITING, item: SCALAR, isMap: false }],
  ['queues', { size: MAX_QUEUES, item: SCALAR, isMap: true }],
])

/** Macros that evaluate their last arguments once for each element. Their first argument names the element. */
const COMPREHENSIONS: ReadonlySet<string> = new Set([
  'all',
  'exists',
  'exists_one',
  'filter',
  'map',
])

/** Functions whose time does not depend on the size of their argument. */
const CONSTANT_TIME: ReadonlySet<string> = new Set(['has', 'size', 'int', 'double'])

/** Functions that look at every element or character. `matches` is left out, because some patterns never end. */
const LINEAR_TIME: ReadonlySet<string> = new Set([
  ...['sum', 'min', 'max'],
  ...['startsWith', 'endsWith', 'contains'],
])

const OFFERED = [...COMPREHENSIONS, ...CONSTANT_TIME, ...LINEAR_TIME].sort()

/** The most steps that an expression can take, with {@link MAX_WAITING} pending jobs and {@link MAX_QUEUES} queues. */
export function costOf(syntax: Syntax): ExpressionCost {
  const counter = new StepCounter()
  counter.visit(syntax, VARIABLES, 1)
  const { problem, steps } = counter
  return problem === undefined ? { steps } : { problem }
}

/** Visits each node of the tree once, and adds the number of times that it is evaluated. */
class StepCounter {
  steps = 0
  problem: ExpressionProblem | undefined

  visit(node: Syntax, scope: ReadonlyMap<string, Extent>, times: number): Extent {
    this.steps += times
    const { op, args } = node
    if (op === 'id') return scope.get(String(args)) ?? SCALAR
    if (op === 'value') return isText(args) ? { ...SCALAR, size: node.end - node.start } : SCALAR
    if (op === 'call' || op === 'rcall') return this.#call(node, scope, times)
    const parts = partsOf(args).map((part) => this.visit(part, scope, times))
    switch (op) {
      case 'list':
        return { size: parts.length, item: parts.reduce(larger, SCALAR), isMap: false }
      case 'map':
        return { size: parts.length / 2, item: parts.reduce(larger, SCALAR), isMap: true }
      case '[]':
        return parts[0]?.item ?? SCALAR
      case '?:':
        return parts.reduce(larger, SCALAR)
      case '+':
        return this.#concatenate(parts, times)
      case 'in':
      case '==':
      case '!=':
        this.#scan(parts, times)
    }
    return SCALAR
  }

  #call(node: Syntax, scope: ReadonlyMap<string, Extent>, times: number): Extent {
    const [first, ...rest]: readonly unknown[] = Array.isArray(node.args) ? node.args : []
    const name = String(first)
    const parts = partsOf(rest)
    if (COMPREHENSIONS.has(name)) return this.#comprehend(name, parts, { scope, times })
    const extents = parts.map((part) => this.visit(part, scope, times))
    if (LINEAR_TIME.has(name)) this.#scan(extents, times)
    else if (!CONSTANT_TIME.has(name)) {
      const message = `expected one of the functions ${OFFERED.join(' ')}, got "${name}"`
      this.problem ??= { offset: node.start, message }
    }
    return SCALAR
  }

  #comprehend(
    name: string,
    [range, variable, ...bodies]: readonly Syntax[],
    { scope, times }: { readonly scope: ReadonlyMap<string, Extent>; readonly times: number },
  ): Extent {
    if (range === undefined || variable === undefined) return SCALAR
    const { size, item = SCALAR, isMap } = this.visit(range, scope, times)
    const inner = new Map([...scope, [String(variable.args), isMap ? SCALAR : item]])
    const results = bodies.map((body) => this.visit(body, inner, times * size))
    if (name === 'filter') return { size, item, isMap: false }
    return name === 'map' ? { size, item: results.at(-1), isMap: false } : SCALAR
  }

  /** The sum of two lists or strings is a copy of both. */
  #concatenate(parts: readonly Extent[], times: number): Extent {
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    this.steps += times * size
    return {
      size,
      item: parts.map(({ item }) => item ?? SCALAR).reduce(larger, SCALAR),
      isMap: false,
    }
  }

  #scan(parts: readonly Extent[], times: number): void {
    for (const part of parts) if (!part.isMap) this.steps += times * volumeOf(part)
  }
}

/** The number of all elements in a value, also in the lists that it contains. */
function volumeOf({ size, item }: Extent): number {
  return item === undefined ? size : size * volumeOf(item)
}

function larger(one: Extent, other: Extent): Extent {
  return volumeOf(one) >= volumeOf(other) ? one : other
}

/** The nodes in the arguments of a node. */
function partsOf(args: unknown): readonly Syntax[] {
  if (Array.isArray(args)) return args.flatMap(partsOf)
  return isSyntax(args) ? [args] : []
}

/** Whether a literal is a text or bytes, which may be long. */
function isText(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Uint8Array
}

function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && 'op' in value && 'start' in value
}
