// Computes from the syntax tree of an expression the most steps that it can take, and checks which functions it calls. Nothing
// is evaluated.
import { MAX_WAITING } from '#reading/jobs/pending-list.ts'

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
  /** Whether it is surely a map: `in` finds a key without a search. Its elements are keys and values. */
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

/** Functions that look at every character of a text and every key of a map, but not at the elements of a list. */
const OUTER_TIME: ReadonlySet<string> = new Set(['has', 'size', 'double'])

/** Functions that look at every element or character. `matches` is left out, because some patterns never end. */
const LINEAR_TIME: ReadonlySet<string> = new Set([
  ...['sum', 'min', 'max'],
  ...['startsWith', 'endsWith'],
])

/** Functions that may look at every character once for each of the others. */
const SQUARE_TIME: ReadonlySet<string> = new Set(['contains', 'int'])

const OFFERED = [...COMPREHENSIONS, ...OUTER_TIME, ...LINEAR_TIME, ...SQUARE_TIME].sort()

/** The most steps that an expression can take, with {@link MAX_WAITING} pending jobs and {@link MAX_QUEUES} queues. */
export function costOf(syntax: Syntax): ExpressionCost {
  const counter = new StepCounter()
  counter.visit(syntax, VARIABLES, 1)
  const { problem, steps } = counter
  if (problem !== undefined) return { problem }
  // Sizes beyond all numbers make sums that are none.
  return { steps: Number.isNaN(steps) ? Number.POSITIVE_INFINITY : steps }
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
        return { size: parts.length, item: eitherOf(parts), isMap: false }
      case 'map':
        return { size: parts.length / 2, item: eitherOf(parts), isMap: true }
      case '[]':
      case '.':
        return parts[0]?.item ?? SCALAR
      case '?:':
        return eitherOf(parts.slice(1))
      case '+':
        return this.#concatenate(parts, times)
      case 'in':
        this.#scan(parts[1]?.isMap ? parts.slice(0, 1) : parts, times)
        break
      case '==':
      case '!=':
        this.#scan(parts, times)
        break
      case '<':
      case '<=':
      case '>':
      case '>=':
        // Only texts are larger than 1.
        for (const { size } of parts) this.steps += times * (size - 1)
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
    else if (SQUARE_TIME.has(name)) this.#scanSquare(extents, times)
    else if (OUTER_TIME.has(name)) {
      for (const { size, item, isMap } of extents) {
        if (item === undefined || isMap) this.steps += times * (size - 1)
      }
    } else {
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
    const { size, item = SCALAR } = this.visit(range, scope, times)
    const inner = new Map([...scope, [String(variable.args), item]])
    const results = bodies.map((body) => this.visit(body, inner, times * size))
    if (name === 'filter') return { size, item, isMap: false }
    return name === 'map' ? { size, item: results.at(-1), isMap: false } : SCALAR
  }

  /** The sum of two lists or strings is a copy of both. */
  #concatenate(parts: readonly Extent[], times: number): Extent {
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    this.steps += times * size
    const items = parts.flatMap(({ item }) => item ?? [])
    return { size, item: items.length === 0 ? undefined : eitherOf(items), isMap: false }
  }

  #scan(parts: readonly Extent[], times: number): void {
    for (const part of parts) this.steps += times * volumeOf(part)
  }

  #scanSquare(parts: readonly Extent[], times: number): void {
    const [first = SCALAR, second = first] = parts
    this.steps += times * (volumeOf(first) * volumeOf(second) + 1)
  }
}

/** The number of all elements and keys in a value, also in the lists that it contains. */
function volumeOf({ size, item, isMap }: Extent): number {
  if (item === undefined) return size
  return (isMap ? 2 : 1) * size * Math.max(1, volumeOf(item))
}

/** A value that is one of these, at its largest in every respect. */
function eitherOf(values: readonly Extent[]): Extent {
  const items = values.flatMap(({ item }) => item ?? [])
  return {
    size: values.reduce((most, { size }) => Math.max(most, size), 0),
    item: items.length === 0 ? undefined : eitherOf(items),
    isMap: values.length > 0 && values.every(({ isMap }) => isMap),
  }
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
